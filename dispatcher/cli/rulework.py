"""``dispatcher rules``: work with rules as with code."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from dispatcher.application import load
from dispatcher.cli.rule_acts import confirm, lift, refuse, reload
from dispatcher.cli.rule_history import backtest, diff
from dispatcher.cli.rule_reasons import explain, schema
from dispatcher.cli.rule_tests import check, run_tests
from dispatcher.cli.running import WRONG, say_problems
from dispatcher.errors import ConfigurationError
from dispatcher.rulework.history import read_history, replayed
from dispatcher.settings import Deployment
from dispatcher.warnings.explain import change_record
from rules.change import Mode
from rules.engine import Engine
from rules.sentence import sentence

rules = typer.Typer(help="Work with rules as with code.", no_args_is_help=True)
_REASONS = 10

rules.command("test")(run_tests)
rules.command()(check)


@rules.command()
def replay(
    *,
    registry: Annotated[Path, typer.Option(help="Directory of the county.")],
    recording: Annotated[Path, typer.Option("--input", help="The recording: CSV or JSON lines.")],
    pack: Annotated[Path | None, typer.Option("--rules", help="Another rule pack than <registry>/rules.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per change.")] = False,
) -> None:
    """Run the rules over a recording; nothing is sent. What a rule in shadow mode decides is marked.

    Example: dispatcher rules replay --registry config/sample --input config/sample/storm.csv
    """
    try:
        loaded = load(Deployment(county=registry, rules=pack))
        history = read_history(registry, recording, loaded.catalogue)
    except ConfigurationError as error:
        say_problems(error)
        raise typer.Exit(WRONG) from error
    county = loaded.files.registry.county
    for change in replayed(Engine(loaded.files.plan), history):
        if as_json:
            sys.stdout.write(json.dumps(change_record(change), ensure_ascii=False) + "\n")
            continue
        zh, en = (sentence(change, lang, loaded.files.registry.name_of(change.place, lang)) for lang in ("zh", "en"))
        shadow = "[试运行 shadow]  " if change.mode is Mode.SHADOW else ""
        typer.echo(f"{change.at.astimezone(county.timezone):%m-%d %H:%M}  {shadow}{zh}  {en}")
    for message, count in Counter(reject.message.partition(": ")[2] for reject in history.unusable).most_common(_REASONS):
        typer.secho(f"{count} x not used: {message}", err=True, fg="yellow")


rules.command()(backtest)
rules.command()(diff)
rules.command()(explain)
rules.command()(schema)
rules.command()(reload)
rules.command()(confirm)
rules.command()(refuse)
rules.command()(lift)
