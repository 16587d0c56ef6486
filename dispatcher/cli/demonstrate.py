"""``dispatcher demo``: start it, say how to look at it, tell what happens, sum up."""

import asyncio
import json
import shutil
import sys
from dataclasses import asdict
from zoneinfo import ZoneInfo

import typer

from dispatcher.cli.engine import FIRST_USER, first_user
from dispatcher.cli.running import INTERRUPTED, until_told
from dispatcher.demo import Demo, DemoOptions, Summary, kept_secret
from dispatcher.timestamps import from_ms
from dispatcher.upkeep.log import make_log
from rules.grade import Grade

_COLOURS = {Grade.NONE: None, Grade.BLUE: "blue", Grade.YELLOW: "yellow", Grade.ORANGE: "bright_red", Grade.RED: "red"}
_SHOWN = frozenset({"change", "alert", "answer", "escalation", "task"})
_LINES = 200
_UNTOLD = 1
_LOST = 1


async def demonstrate(options: DemoOptions, *, fresh: bool, until_answered: bool, as_json: bool) -> None:
    """Run the demonstration until Ctrl-C or, with ``until_answered``, until the last village has answered."""
    if fresh and options.state.exists():
        shutil.rmtree(options.state)
    async with Demo(options, make_log(as_json=not sys.stderr.isatty())) as demo:
        password = kept_secret_password(options)
        await first_user(demo.app.store, demo.clock, password)
        if not as_json:
            typer.echo(
                f"\n  Duty room  {demo.app.url}\n  log in as  {FIRST_USER}  password  {password}\n  Ctrl-C stops; a second run goes on.\n"
            )

        async def work() -> None:
            telling = asyncio.ensure_future(demo.app.finished() if as_json else tell(demo))
            waiting = asyncio.ensure_future(demo.answered() if until_answered else demo.app.finished())
            done, pending = await asyncio.wait({telling, waiting}, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
            for task in done:
                task.result()

        told = await until_told(work)
        summary = await demo.summary()
    say(summary, as_json=as_json)
    if until_answered and told:
        raise typer.Exit(INTERRUPTED)  # it did not get to the end; without --until-answered Ctrl-C is the end
    if until_answered and (summary.unanswered or summary.lost):
        raise typer.Exit(_LOST)


def kept_secret_password(options: DemoOptions) -> str:
    """The demonstration's password, kept beside its state: it guards a page on the loopback with invented people."""
    return kept_secret(options.state / "password")[:12]


async def tell(demo: Demo) -> None:
    """Print what happens, as the live stream has it."""
    county = demo.app.loaded.files.registry.county
    after = 0
    with demo.app.place.broadcast.listen() as ear:
        while True:
            async with demo.app.store.read() as reader:
                rows = await reader.fetch("desk.feed_after", {"county": county.code, "after": after, "limit": _LINES})
            for row in rows:
                after = row["seq"]
                if row["kind"] in _SHOWN:
                    tell_line(row["at"], row["kind"], Grade(row["grade"]), row["text_zh"], row["text_en"], county.timezone)
            if len(rows) < _LINES:
                await ear.wait(_UNTOLD)


def tell_line(at: int, kind: str, grade: Grade, zh: str, en: str, zone: ZoneInfo) -> None:
    """One line: local time, kind, both languages, in the colour of the grade."""
    typer.secho(f"{from_ms(at).astimezone(zone):%m-%d %H:%M:%S}  {kind:<10} {zh}  {en}", fg=_COLOURS[grade])


def say(summary: Summary, *, as_json: bool) -> None:
    """The summary, for a program or for a person."""
    if as_json:
        typer.echo(json.dumps(asdict(summary), ensure_ascii=False))
        return
    counted = f"{summary.readings} readings, {summary.changes} changes, {summary.warnings} warnings, {summary.notices} notices"
    typer.echo(f"\n{counted}, {summary.deliveries} deliveries, {summary.acks} answers in {summary.seconds} s")
    counted = f"lost {summary.lost}, duplicates {summary.duplicates}, not answered {summary.unanswered}, still to be sent {summary.waiting}"
    typer.echo(f"{counted} (by the town's own ledger)")
