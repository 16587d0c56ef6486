"""``dispatcher drill``: exercises, through the running engine."""

import json
from pathlib import Path
from typing import Annotated

import typer

from dispatcher.cli.asking import DEFAULT_URL, Url, engine, part

rollcall = typer.Typer(
    help="Roll calls of those on duty. Asks the running engine; the token comes from DISPATCHER_TOKEN.",
    no_args_is_help=True,
)
drill = typer.Typer(
    help="Drills: only listed participants are told. Asks the running engine; the token comes from DISPATCHER_TOKEN.",
    no_args_is_help=True,
)
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@drill.command()
def start(  # noqa: PLR0913 - the parts of a drill
    title: Annotated[str, typer.Argument(help="What stands in texts and the report.")],
    area: Annotated[list[str], typer.Option(help="Code of a village, or of what villages lie in; may be given several times.")],
    hazard: Annotated[str, typer.Option(help="Such as flash-flood; with a storm, what the rules make of it.")] = "flash-flood",
    grade: Annotated[str, typer.Option(help="blue, yellow, orange or red; with a storm, what the rules make of it.")] = "red",
    minutes: Annotated[int, typer.Option(min=5, max=1440, help="When it ends by itself.")] = 120,
    url: Url = DEFAULT_URL,
    *,
    storm: Annotated[str, typer.Option(help="Play a storm through the rules: one of 'dispatcher drill storms'.")] = "",
    speed: Annotated[float, typer.Option(min=1, max=120, help="How many times faster the storm is played.")] = 1.0,
    township: Annotated[bool, typer.Option("--township", help="People of the townships take part.")] = False,
    county: Annotated[bool, typer.Option("--county", help="People of the county take part.")] = False,
    speakers: Annotated[bool, typer.Option("--speakers", help="Loudspeakers play, marked as an exercise.")] = False,
    as_json: AsJson = False,
) -> None:
    """Begin a drill: the participants are called at once, and nobody else.

    Example: dispatcher drill start "Before the season" --area 990121101000 --minutes 60
    """
    what: dict[str, object] = {"storm": storm, "speed": speed} if storm else {"hazard": hazard, "grade": grade}
    body = {"title": title, "areas": area, "minutes": minutes} | what
    made = engine(url).post("/drills", body | {"township": township, "county": county, "speakers": speakers})
    said = f"{made['id']}: {made['villages']} villages, {made['people']} people, {made['speakers']} speakers"
    typer.echo(json.dumps(made, ensure_ascii=False) if as_json else said)


@drill.command()
def storms(url: Url = DEFAULT_URL) -> None:
    """List the storms that a drill may play: files of the county's directory 'drills'.

    Example: dispatcher drill storms
    """
    for name in engine(url).get("/drills/storms"):
        typer.echo(name)


@drill.command()
def end(url: Url = DEFAULT_URL) -> None:
    """End the drill that runs; its participants are told that it is over.

    Example: dispatcher drill end
    """
    typer.echo(f"{engine(url).post('/drills/end', {})['id']}: ended")


@drill.command("list")
def list_(
    url: Url = DEFAULT_URL,
    *,
    overdue: Annotated[bool, typer.Option("--overdue", help="Villages that have not exercised for a year instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """List drills, the newest first; or the villages that are overdue for one.

    Example: dispatcher drill list --overdue
    """
    found = engine(url).get("/drills/overdue") if overdue else engine(url).get("/drills?limit=500")["items"]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for one in found:
        if overdue:
            typer.echo(f"{one['village']}  {one['last'] or 'never'}")
        else:
            typer.echo(f"{one['id']}  {one['grade']:<6}  {one['started_at']}  {one['ended_at'] or 'running'}  {one['title']}")


@drill.command()
def report(
    name: Annotated[str, typer.Argument(help="Such as d3.")],
    pdf: Annotated[Path | None, typer.Option(help="Write it as PDF to this file instead.")] = None,
    url: Url = DEFAULT_URL,
) -> None:
    """The score of a drill as JSON, and against the last one of the same villages; or the whole report as PDF.

    Example: dispatcher drill report d3 --pdf drill.pdf
    """
    if pdf is not None:
        pdf.write_bytes(engine(url).fetch(f"/drills/{part(name)}/report.pdf"))
        typer.echo(str(pdf))
        return
    typer.echo(json.dumps(engine(url).get(f"/drills/{part(name)}/report"), ensure_ascii=False, indent=2))


@rollcall.command("ask")
def ask_(
    within: Annotated[int, typer.Option(min=1, max=120, help="Minutes in which they must answer.")] = 10,
    spread: Annotated[int, typer.Option(min=0, help="At a random moment within so many minutes; 0 is now.")] = 0,
    url: Url = DEFAULT_URL,
) -> None:
    """Ask everybody on duty to answer, now or at a moment that nobody knows.

    Example: dispatcher rollcall ask --within 10 --spread 600
    """
    typer.echo(engine(url).post("/roll-calls", {"within_minutes": within, "spread_minutes": spread})["id"])


@rollcall.command()
def table(
    month: Annotated[str, typer.Argument(help="Such as 2026-07.")],
    url: Url = DEFAULT_URL,
    *,
    as_json: AsJson = False,
) -> None:
    """Who was reachable in a month, the worst first.

    Example: dispatcher rollcall table 2026-07
    """
    found = engine(url).get(f"/roll-calls/attendance?month={part(month)}")
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for a in found:
        typer.echo(f"{a['person']}  asked {a['asked']}, in time {a['in_time']}, late {a['late']}")
