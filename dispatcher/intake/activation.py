"""Which registry, policies, texts and rules decide from now on: written down whenever they are other than before."""

from collections.abc import Mapping

from dispatcher.timestamps import to_ms
from dispatcher.upkeep.audit import Act, write_audit
from dispatcher.workplace import Workplace


async def activate(place: Workplace, digests: Mapping[str, str]) -> None:
    """Record each kind of file whose digest has changed since the last start."""
    now, county = place.clock.now(), place.house.county
    async with place.store.write() as tx:
        changed = []
        for kind, digest in digests.items():
            rows = await tx.fetch("journal.last_activation", {"county": county, "kind": kind})
            if not rows or rows[0]["digest"] != digest:
                changed.append((kind, digest))
        await tx.run_many("journal.activate", [{"county": county, "kind": k, "digest": d, "at": to_ms(now)} for k, d in changed])
        await write_audit(tx, county, now, [Act(actor="start", act=f"activate {k}", subject=d) for k, d in changed])
