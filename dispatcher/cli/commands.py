"""The commands, each a few lines: read the options, call the engine, say what happened."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

import dispatcher
from dispatcher.application import load
from dispatcher.cli.accounts import accounts
from dispatcher.cli.decoding import show_decoded
from dispatcher.cli.demonstrate import demonstrate
from dispatcher.cli.drilled import drill, rollcall
from dispatcher.cli.dutywork import roster
from dispatcher.cli.engine import run_engine
from dispatcher.cli.registrywork import registry as registry_commands
from dispatcher.cli.reported import ack, incidents, report
from dispatcher.cli.rulework import rules
from dispatcher.cli.running import WRONG, run_async, say_problems
from dispatcher.cli.shipped import config_dir
from dispatcher.cli.stored import stored
from dispatcher.cli.warned import warnings
from dispatcher.clock import SystemClock
from dispatcher.demo import DemoOptions
from dispatcher.errors import ConfigurationError, Problem
from dispatcher.intake.codecs.choose import CAP
from dispatcher.intake.codecs.load import load_formats
from dispatcher.ports import Item
from dispatcher.settings import check_adapters, load_deployment

app = typer.Typer(
    help="Readings in, graded warnings out, and at each moment: which village has answered and which has not.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(rules, name="rules")
app.add_typer(accounts, name="user")
app.add_typer(stored, name="db")
app.add_typer(warnings, name="warnings")
app.add_typer(registry_commands, name="registry")
app.add_typer(roster, name="roster")
app.add_typer(drill, name="drill")
app.add_typer(rollcall, name="rollcall")
app.add_typer(incidents, name="incidents")
app.command()(report)
app.command()(ack)

Config = Annotated[
    Path | None, typer.Option("-c", "--config", help="deployment.yaml; without one the sample county on the embedded default.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@app.callback(invoke_without_command=True)
def _version(*, version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False) -> None:
    if version:
        typer.echo(f"dispatcher {dispatcher.__version__}")
        raise typer.Exit


@app.command()
def run(config: Config = None) -> None:
    """Run the engine until Ctrl-C.

    Example: dispatcher run -c county/deployment.yaml
    """
    run_async(run_engine(config or config_dir() / "sample" / "deployment.yaml"))


@app.command()
def check(config: Config = None, *, as_json: AsJson = False) -> None:
    """Check configuration, registry, policies, texts and rules together; every mistake with file and line.

    Example: dispatcher check -c county/deployment.yaml
    """
    problems: list[Problem] = []
    loaded = None
    file = config or config_dir() / "sample" / "deployment.yaml"
    try:
        deployment = load_deployment(file)
        check_adapters(deployment, file)
        load_formats(deployment)
        loaded = load(deployment)
    except ConfigurationError as error:
        problems = error.problems
        if not as_json:
            say_problems(error)
    if as_json:
        found = [asdict(p) for p in loaded.files.findings] if loaded else []
        typer.echo(json.dumps({"ok": not problems, "problems": [asdict(p) for p in problems], "findings": found}, ensure_ascii=False))
    elif loaded is not None:
        for finding in loaded.files.findings:
            typer.secho(str(finding), err=True, fg="yellow")
        registry = loaded.files.registry
        counted = f"{len(registry.villages)} villages, {len(registry.stations)} stations, {len(registry.contacts)} contacts"
        typer.echo(f"ok: {registry.county.name_en} ({registry.county.name}): {counted}")
    raise typer.Exit(1 if problems else 0)


@app.command()
def decode(
    file: Annotated[Path, typer.Argument(help="The bytes of one message, as they came.", exists=True, dir_okay=False, readable=True)],
    config: Config = None,
    *,
    word: Annotated[str, typer.Option("--format", help=f"json, senml, sl651, {CAP}, or a format of the deployment.")] = "json",
    registry: Annotated[Path | None, typer.Option(help="Directory of another county than the deployment's.")] = None,
    topic: Annotated[str, typer.Option(help="The topic it came on, for formats that look at it; default the file's name.")] = "",
    at: Annotated[
        datetime | None, typer.Option(help="When it came (with offset); default now.", formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z"])
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show the readings or alerts in a file and what is refused, with the reason; exit 1 when something is. Nothing is stored.

    Example: dispatcher decode pack.json --format senml
    """
    try:
        deployment = load_deployment(config or config_dir() / "sample" / "deployment.yaml")
        if registry:
            deployment = deployment.model_copy(update={"county": registry, "rules": None})
        item = Item(file.read_bytes(), topic or file.name, format=word)
        good = show_decoded(item, deployment, at or SystemClock().now(), as_json=as_json)
    except ConfigurationError as error:
        say_problems(error)
        raise typer.Exit(WRONG) from error
    raise typer.Exit(0 if good else WRONG)


@app.command()
def demo(  # noqa: PLR0913 - the options of the command line
    *,
    speed: Annotated[float, typer.Option(min=0.1, max=20_000, help="How many times faster than life.")] = 60,
    recording: Annotated[Path | None, typer.Option("--input", help="A recording (CSV, JSON lines); default the design storm.")] = None,
    registry: Annotated[Path | None, typer.Option(help="Directory of a county; default the sample county.")] = None,
    rules: Annotated[Path | None, typer.Option(help="Another rule pack than <registry>/rules.")] = None,
    state: Annotated[Path, typer.Option(help="Where the demonstration keeps its state; a second run goes on from there.")] = Path(
        "var/demo"
    ),
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget the state of an earlier run.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the duty-room page; 0 takes a free one.")] = 8080,
    broker_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the embedded MQTT broker; 0 takes a free one.")] = 0,
    since: Annotated[
        datetime | None,
        typer.Option("--from", help="Begin the recording here (with offset).", formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z"]),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--to", help="End the recording here (with offset).", formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z"]),
    ] = None,
    until_answered: Annotated[
        bool, typer.Option("--until-answered", help="End when the storm is over and every village has answered.")
    ] = False,
    town: Annotated[list[str] | None, typer.Option("--town", help="An option for the simulated town, such as --town=--swallow=3.")] = None,
    as_json: AsJson = False,
) -> None:
    """The whole product on this machine: a storm, a county, simulated phones and speakers, villages that answer.

    Examples: dispatcher demo;  dispatcher demo --speed 600 --until-answered --json
    """
    directory = registry or config_dir() / "sample"
    options = DemoOptions(
        directory=directory,
        recording=recording or directory / "storm.csv",
        rules=rules,
        state=state,
        speed=speed,
        port=port,
        broker_port=broker_port,
        since=since,
        until=until,
        town_options=tuple(town or ()),
    )
    run_async(demonstrate(options, fresh=fresh, until_answered=until_answered, as_json=as_json))
