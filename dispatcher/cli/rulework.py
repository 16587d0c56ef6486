"""``dispatcher rules``: work with rules as with code."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from dispatcher.application import load
from dispatcher.cli.running import say_problems
from dispatcher.demo import DemoOptions, recorded
from dispatcher.errors import ConfigurationError
from dispatcher.intake.catalogue import Catalogue
from dispatcher.intake.decode import decode
from dispatcher.model.reject import Reject
from dispatcher.ports import Item
from dispatcher.settings import Deployment
from dispatcher.warnings.explain import change_record
from rules.change import Change
from rules.engine import Engine
from rules.sentence import sentence

rules = typer.Typer(help="Work with rules as with code.", no_args_is_help=True)
_ARRIVES_AFTER = timedelta(seconds=1)
_REASONS = 10


@rules.command()
def replay(
    *,
    registry: Annotated[Path, typer.Option(help="Directory of the county.")],
    recording: Annotated[Path, typer.Option("--input", help="The recording: CSV or JSON lines.")],
    pack: Annotated[Path | None, typer.Option("--rules", help="Another rule pack than <registry>/rules.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per change.")] = False,
) -> None:
    """Run the rules over a recording; nothing is sent.

    Example: dispatcher rules replay --registry config/sample --input config/sample/storm.csv
    """
    try:
        loaded = load(Deployment(county=registry, rules=pack))
        rows = recorded(DemoOptions(directory=registry, recording=recording, rules=pack, state=Path(), speed=1, port=0, broker_port=0))
    except ConfigurationError as error:
        say_problems(error)
        raise typer.Exit(1) from error
    county = loaded.files.registry.county
    unusable: list[Reject] = []
    for change in replayed(Engine(loaded.files.plan), rows, loaded.catalogue, unusable):
        if as_json:
            sys.stdout.write(json.dumps(change_record(change), ensure_ascii=False) + "\n")
            continue
        zh, en = (sentence(change, lang, loaded.files.registry.name_of(change.place, lang)) for lang in ("zh", "en"))
        typer.echo(f"{change.at.astimezone(county.timezone):%m-%d %H:%M}  {zh}  {en}")
    for message, count in Counter(reject.message.partition(": ")[2] for reject in unusable).most_common(_REASONS):
        typer.secho(f"{count} x not used: {message}", err=True, fg="yellow")


def replayed(engine: Engine, rows: list[dict[str, object]], known: Catalogue, unusable: list[Reject]) -> Iterator[Change]:
    """The changes of a recording, as if each reading had arrived right after it was taken; silence is noticed in between.

    What a station may not report is added to ``unusable``, as it would be refused by every way in.
    """
    for time, group in groupby(rows, key=lambda row: str(row["time"])):
        now = datetime.fromisoformat(time) + _ARRIVES_AFTER
        while (tick := engine.next_tick()) is not None and tick <= now:
            yield from engine.tick(tick).changes
        body = "\n".join(json.dumps(row, ensure_ascii=False) for row in group)
        decoded = decode(Item(body.encode(), "recording"), known)
        unusable += decoded.rejects
        yield from engine.observe(decoded.readings, now).changes
