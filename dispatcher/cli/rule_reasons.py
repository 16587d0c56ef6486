"""``dispatcher rules explain`` and ``schema``: why a place stood where it stood, and the format for editors."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from dispatcher.application import load, open_store
from dispatcher.cli.running import WRONG, WRONG_USAGE, fail, run_async, say_problems
from dispatcher.errors import ConfigurationError
from dispatcher.registry.model import Registry
from dispatcher.rulework.history import read_history, replayed
from dispatcher.rulework.reasons import Reason, paragraphs, replayed_reasons, stored_reasons
from dispatcher.settings import Deployment, load_deployment
from rules.engine import Engine
from rules.schema import schema_of_rules

AsJson = Annotated[bool, typer.Option("--json", help="A JSON array of records on standard output.")]
_TIMES = ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M"]


def explain(  # noqa: PLR0913 - the options of the command line
    what: Annotated[str, typer.Argument(metavar="CHANGE_OR_PLACE", help="Id of a change or warning, a station, a village or an area.")],
    *,
    config: Annotated[Path | None, typer.Option("-c", "--config", help="deployment.yaml whose database is asked.")] = None,
    recording: Annotated[Path | None, typer.Option("--input", help="Ask a replay of this recording, not the database.")] = None,
    registry: Annotated[Path | None, typer.Option(help="Directory of the county, with --input.")] = None,
    pack: Annotated[Path | None, typer.Option("--rules", help="Another rule pack than <registry>/rules, with --input.")] = None,
    until: Annotated[datetime | None, typer.Option("--at", help="As it was known then.", formats=_TIMES)] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many changes, newest first.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Say which rule changed a grade, with its values, thresholds and clocks, in Chinese and English.

    Example: dispatcher rules explain 990121R14 --registry config/sample --input config/sample/storm.csv
    """
    if (recording is None) != (registry is None):
        fail("--input and --registry belong together: give both to ask a replay, none to ask the database", WRONG_USAGE)
    try:
        if recording and registry:
            reasons, known = _replayed(what, Deployment(county=registry, rules=pack), recording, until)
        else:
            reasons, known = run_async(_stored(what, load_deployment(config) if config else Deployment(), until, limit))
    except ConfigurationError as error:
        say_problems(error)
        raise typer.Exit(WRONG) from error
    except LookupError as error:
        fail(str(error.args[0]), WRONG)
    if as_json:
        typer.echo(json.dumps([{**r.record, "zh": r.zh, "en": r.en} for r in reasons[:limit]], ensure_ascii=False))
        return
    for reason in reasons[:limit]:
        typer.echo("\n".join(paragraphs(reason, known)) + "\n")
    if not reasons:
        typer.echo(f"{what}: 没有级别变化 no change of grade")


def _replayed(what: str, deployment: Deployment, recording: Path, until: datetime | None) -> tuple[list[Reason], Registry]:
    loaded = load(deployment)
    registry = loaded.files.registry
    history = read_history(deployment.county, recording, loaded.catalogue)
    return replayed_reasons(replayed(Engine(loaded.files.plan), history), registry, what, _local(until, registry)), registry


async def _stored(what: str, deployment: Deployment, until: datetime | None, limit: int) -> tuple[list[Reason], Registry]:
    registry = load(deployment).files.registry
    store = await open_store(deployment)
    try:
        async with store.read() as reader:
            return await stored_reasons(reader, registry, what, _local(until, registry), limit), registry
    finally:
        await store.close()


def _local(at: datetime | None, registry: Registry) -> datetime | None:
    return at.replace(tzinfo=registry.county.timezone) if at and at.tzinfo is None else at


def schema() -> None:
    """Print the JSON Schema of rule files, for editors that check while one writes.

    Example: dispatcher rules schema > rules.schema.json
    """
    typer.echo(json.dumps(schema_of_rules(), ensure_ascii=False, indent=2))
