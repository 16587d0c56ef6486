"""What an officer looks at before he releases: the proposal, what it would set going, and what was said of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dispatcher.calls.helping import knowing_helpers
from dispatcher.house import House
from dispatcher.model.proposal import Proposal, ProposalState
from dispatcher.model.warning import Contribution, VillageGrade
from dispatcher.ports import Reader, Row
from dispatcher.rows import value_of
from dispatcher.rulework.seen import picture_of
from dispatcher.rulework.svg import Picture
from dispatcher.views.preview import Preview, preview
from dispatcher.warnings.paging import topic_of
from dispatcher.warnings.proposal_rows import proposal_of
from rules.grade import Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalView:
    """``preview`` is None when nothing waits. ``told`` is what each village was told last; ``calls`` are those of officers."""

    proposal: Proposal
    told: Mapping[str, Grade]
    preview: Preview | None
    consultation: Sequence[Row]
    calls: Sequence[Row]
    plots: Mapping[str, Picture]


async def load_proposal(reader: Reader, house: House, proposal_id: str, now: datetime) -> ProposalView | None:
    """The view of a proposal of the county; None when there is none."""
    rows = await reader.fetch("proposals.one", {"id": proposal_id})
    if not rows or rows[0]["county"] != house.county:
        return None
    proposal = proposal_of(rows[0])
    house = house.of(proposal.status)
    scope = {"county": proposal.county, "status": proposal.status.value, "hazard": proposal.hazard}
    villages = json.dumps(sorted({e.saying.village for e in proposal.entries}))
    held = [value_of(Contribution, row) for row in await reader.fetch("warnings.contributions", scope | {"villages": villages})]
    standing = {row["village"]: value_of(VillageGrade, row) for row in await reader.fetch("warnings.villages_of_open", scope)}
    waiting = proposal.state is ProposalState.WAITING
    zone = house.registry.county.timezone
    known = await knowing_helpers(reader, house, (e.saying.village for e in proposal.entries))
    return ProposalView(
        proposal=proposal,
        told={village: found.told for village, found in standing.items()},
        preview=preview(known, proposal, held, standing, now) if waiting else None,
        consultation=await reader.fetch("proposals.consultations", {"proposal": proposal.id}),
        plots={row["digest"]: picture_of(row["picture"], zone) for row in await reader.fetch("proposals.plots", {"proposal": proposal.id})},
        calls=await reader.fetch("proposals.calls", {"topic": topic_of(proposal)}) if proposal.paged else (),
    )


async def waiting_proposals(reader: Reader, county: str) -> list[Proposal]:
    """What waits for release, the worst first."""
    return [proposal_of(row) for row in await reader.fetch("proposals.waiting_all", {"county": county})]
