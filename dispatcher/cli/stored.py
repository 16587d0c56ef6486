"""``dispatcher db``: what the store holds, and whether it is whole."""

import base64
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from dispatcher.application import open_store
from dispatcher.cli.running import WRONG, run_async
from dispatcher.clock import SystemClock
from dispatcher.intake.journal import Damaged, read_row
from dispatcher.intake.refeeding import ask
from dispatcher.ports import Store
from dispatcher.settings import Deployment, load_deployment
from dispatcher.timestamps import from_ms
from dispatcher.upkeep.audit import Act, verify_audit

stored = typer.Typer(help="What the database holds. Stop the engine first: it holds the database.", no_args_is_help=True)
Config = Annotated[Path | None, typer.Option("-c", "--config", help="deployment.yaml; default the embedded default.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
_PAGE = 500
_ALL = 2**62


@stored.command()
def verify(config: Config = None, *, as_json: AsJson = False) -> None:
    """Check the checksums of the journal and the chain of the audit log; exit 1 when one does not hold.

    Example: dispatcher db verify --json
    """

    async def work() -> dict[str, Any]:
        store = await open_store(load_deployment(config) if config else Deployment())
        try:
            rows, damaged = await _damaged(store)
            async with store.read() as reader:
                return {"journal_rows": rows, "damaged": damaged, "audit_broken_at": await verify_audit(reader)}
        finally:
            await store.close()

    found = run_async(work())
    whole = not found["damaged"] and found["audit_broken_at"] is None
    typer.echo(json.dumps(found) if as_json else ("whole" if whole else f"not whole: {found}"))
    raise typer.Exit(0 if whole else WRONG)


async def _damaged(store: Store) -> tuple[int, list[int]]:
    seq, count, damaged = 0, 0, []
    while True:
        async with store.read() as reader:
            rows = await reader.fetch("journal.since", {"seq": seq, "limit": _PAGE})
        for row in rows:
            seq, count = row["seq"], count + 1
            try:
                read_row(row, "")
            except Damaged:
                damaged.append(seq)
        if len(rows) < _PAGE:
            return count, damaged


@stored.command()
def rejects(
    config: Config = None,
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 50,
    code: Annotated[str, typer.Option(help="Only those refused for this reason, such as unknown_station.")] = "",
    refeed: Annotated[bool, typer.Option("--refeed", help="Have the engine read those listed again, after a fix.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what could not be read, newest first, with the reason; with --refeed the engine tries them again.

    Beside an engine on SQLite use POST /api/v1/rejects/refeed. Example: dispatcher db rejects --code unknown_station --refeed
    """
    deployment = load_deployment(config) if config else Deployment()

    async def work() -> tuple[list[dict[str, Any]], int]:
        store = await open_store(deployment)
        try:
            async with store.read() as reader:
                rows = [dict(row) for row in await reader.fetch("rejects.all", {"before": _ALL, "limit": limit, "code": code})]
            return rows, await _refeed(store, rows) if refeed else 0
        finally:
            await store.close()

    rows, asked = run_async(work())
    for row in rows:
        row["at"] = from_ms(row["at"]).isoformat()
        row["excerpt"] = base64.b64encode(row["excerpt"]).decode() if as_json else row["excerpt"].decode("utf-8", "replace")[:80]
        typer.echo(json.dumps(row, ensure_ascii=False) if as_json else f"{row['at']}  {row['source']}  {row['code']}  {row['reason']}")
    if refeed:
        typer.echo(f"{asked} of {len(rows)} will be read again by the engine", err=True)


async def _refeed(store: Store, rows: list[dict[str, Any]]) -> int:
    asked = 0
    async with store.write() as tx:
        for county in sorted({row["county"] for row in rows}):
            act = Act(actor="cli", origin="command line", act="refeed", subject="rejects")
            seqs = [row["seq"] for row in rows if row["county"] == county]
            asked += await ask(tx, county, seqs, act, SystemClock().now())
    return asked
