"""``dispatcher report``, ``ack`` and ``incidents``: afterwards, on behalf of a village, and upward; through the running engine."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from dispatcher.cli.asking import DEFAULT_URL, Url, engine, part
from dispatcher.cli.running import WRONG_USAGE, fail

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Incident = Annotated[str, typer.Argument(help="Such as 20260720-3.")]
Number = Annotated[int, typer.Argument(help="Number of the report in its incident.")]
incidents = typer.Typer(
    help="Reporting upward. Asks the running engine; the token comes from DISPATCHER_TOKEN.",
    no_args_is_help=True,
)


def report(
    warning: Annotated[str, typer.Argument(help="Id of a warning, from 'dispatcher warnings list --lifted'.")],
    file: Annotated[Path | None, typer.Option("-o", "--output", help="Write to a file: .pdf, .csv or .json by its ending.")] = None,
    language: Annotated[str, typer.Option(help="zh or en, for PDF and CSV.")] = "zh",
    url: Url = DEFAULT_URL,
) -> None:
    """The account of a warning: who was told and who answered, when. JSON on standard output, or a file.

    Example: dispatcher report flash-flood.990121101000.20260720T061500000 -o report.pdf
    """
    kind = file.suffix if file else ".json"
    if kind not in {".pdf", ".csv", ".json"}:
        fail(f"{file} ends in {kind!r}; allowed: .pdf, .csv, .json", WRONG_USAGE)
    ending = "" if kind == ".json" else f"{kind}?lang={language}"
    body = engine(url).fetch(f"/warnings/{part(warning)}/report{ending}")
    if file is None:
        typer.echo(json.dumps(json.loads(body), ensure_ascii=False, indent=2))
    else:
        file.write_bytes(body)
        typer.echo(str(file))


def ack(  # noqa: PLR0913 - the parts of an answer
    notice: Annotated[str, typer.Argument(help="Id of a notice, from GET /api/v1/notices.")],
    action: Annotated[str, typer.Argument(help="received, evacuating, evacuated, help or refused.")],
    person: Annotated[str, typer.Option(help="Id of the contact whose answer it is; empty for somebody else.")] = "",
    heard_by: Annotated[str, typer.Option(help="telephone, radio or in_person.")] = "telephone",
    heard_from: Annotated[str, typer.Option(help="Who said it, when he is not on the list.")] = "",
    people: Annotated[int | None, typer.Option(min=0, help="How many were moved.")] = None,
    url: Url = DEFAULT_URL,
    *,
    note: Annotated[str, typer.Option(help="Anything else.")] = "",
) -> None:
    """Write an answer down on behalf of a village, with the way it was learnt.

    Example: dispatcher ack flash-flood.990121101000.20260720T061500000/990121101201/1 received --heard-from "the warden's wife"
    """
    body = {"action": action, "person": person, "heard_by": heard_by, "heard_from": heard_from, "people": people, "note": note}
    engine(url).post(f"/notices/{part(notice)}/answers", body)
    typer.echo(f"{notice}: {action}")


@incidents.command("list")
def list_(url: Url = DEFAULT_URL, *, as_json: AsJson = False) -> None:
    """List incidents, the newest first.

    Example: dispatcher incidents list
    """
    found = engine(url).get("/incidents?limit=500")["items"]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for one in found:
        typer.echo(f"{one['id']}  {one['level']:<6}  {one['state']:<6}  {one['known_at']}  {one['title']}")


@incidents.command()
def show(incident: Incident, url: Url = DEFAULT_URL) -> None:
    """One incident with its reports, instructions and messages, as JSON.

    Example: dispatcher incidents show 20260720-3
    """
    typer.echo(json.dumps(engine(url).get(f"/incidents/{part(incident)}"), ensure_ascii=False, indent=2))


@incidents.command("open")
def open_(
    title: Annotated[str, typer.Argument(help="What happened.")],
    level: Annotated[str, typer.Option(help="blue, yellow, orange or red.")],
    warning: Annotated[str, typer.Option(help="Id of the warning that it comes from.")] = "",
    known_at: Annotated[str, typer.Option(help="When the house learnt of it, with offset; default now.")] = "",
    url: Url = DEFAULT_URL,
) -> None:
    """Open an incident; its limits count from when the house knew.

    Example: dispatcher incidents open "Bridge at Hekou gone" --level orange
    """
    body: dict[str, Any] = {"title": title, "level": level}
    if warning:
        body |= {"origin": "warning", "origin_ref": warning}
    typer.echo(engine(url).post("/incidents", body | {"known_at": known_at or None})["id"])


@incidents.command()
def phone(incident: Incident, to: Annotated[str, typer.Option(help="Who was told.")], url: Url = DEFAULT_URL) -> None:
    """It was reported upward by telephone.

    Example: dispatcher incidents phone 20260720-3 --to "the city's duty room"
    """
    engine(url).post(f"/incidents/{part(incident)}/telephoned", {"to": to})
    typer.echo(f"{incident}: reported by telephone to {to}")


@incidents.command()
def draft(
    incident: Incident,
    parts: Annotated[list[str], typer.Argument(help="What it says, as field=text: time=…, place=…, source=…, course=….")],
    kind: Annotated[str, typer.Option(help="first, follow_up, final or zero.")] = "first",
    url: Url = DEFAULT_URL,
) -> None:
    """Draft a report; gives its number.

    Example: dispatcher incidents draft 20260720-3 time=02:10 place=Hekou source="the warden" course="water in the village"
    """
    wrong = [p for p in parts if "=" not in p]
    if wrong:
        fail(f"{wrong[0]!r} is not field=text", WRONG_USAGE)
    said = dict(p.split("=", 1) for p in parts)
    typer.echo(engine(url).post(f"/incidents/{part(incident)}/reports", {"kind": kind, "parts": said})["number"])


@incidents.command()
def move(
    incident: Incident,
    number: Number,
    act: Annotated[str, typer.Argument(help="submit, approve, return, send or discard.")],
    to: Annotated[str, typer.Option(help="To whom it was sent.")] = "",
    how: Annotated[str, typer.Option(help="By which way it was sent.")] = "",
    remark: Annotated[str, typer.Option(help="Why it is returned.")] = "",
    url: Url = DEFAULT_URL,
) -> None:
    """Move a report on its way out; a releasing officer who did not draft it approves.

    Example: dispatcher incidents move 20260720-3 1 send --to "the city" --how fax
    """
    engine(url).post(f"/incidents/{part(incident)}/reports/{number}/moves", {"move": act, "to": to, "how": how, "remark": remark})
    typer.echo(f"{incident}/{number}: {act}")


@incidents.command()
def close(incident: Incident, url: Url = DEFAULT_URL) -> None:
    """Close an incident whose final or zero report has been sent.

    Example: dispatcher incidents close 20260720-3
    """
    engine(url).post(f"/incidents/{part(incident)}/close", {})
    typer.echo(f"{incident}: closed")
