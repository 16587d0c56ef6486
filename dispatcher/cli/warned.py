"""``dispatcher warnings``: what the duty room does with warnings, from a terminal, through the running engine."""

import json
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from dispatcher.cli.asking import DEFAULT_URL, Engine, Url, engine, part
from dispatcher.cli.running import WRONG_USAGE, fail

warnings = typer.Typer(
    help="Warnings in force and what waits for release. Asks the running engine; the token comes from DISPATCHER_TOKEN.",
    no_args_is_help=True,
)
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Village = Annotated[list[str] | None, typer.Option("--village", help="Code of a village; may be given several times. Default all.")]
ReasonZh = Annotated[str, typer.Option(help="What villages are told, in Chinese.")]
ReasonEn = Annotated[str, typer.Option(help="The same in English; one of both is enough.")]
Name = Annotated[str, typer.Argument(help="A warning, or a proposal such as p7.")]
Note = Annotated[str, typer.Option(help="Why; stands in the log.")]


@warnings.command("list")
def list_(
    url: Url = DEFAULT_URL,
    *,
    lifted: Annotated[bool, typer.Option("--lifted", help="Also those that are over.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the warnings in force, and what waits for release with its time.

    Example: dispatcher warnings list
    """
    asked = engine(url)
    found = [w for w in asked.get("/warnings?limit=500")["items"] if lifted or w["state"] == "open"]
    waiting = asked.get("/proposals?waiting=true")["items"]
    if as_json:
        typer.echo(json.dumps({"warnings": found, "waiting": waiting}, ensure_ascii=False))
        return
    for w in found:
        typer.echo(f"{w['id']}  {w['grade']:<6}  {w['state']}  since {w['opened_at']}")
    for p in waiting:
        typer.echo(f"{p['id']}  {p['grade']:<6}  waiting  {p['hazard']} {p['area']}, {p['villages']} villages, decide by {p['deadline']}")
    if not found and not waiting:
        typer.echo("no warning is in force and nothing waits")


@warnings.command()
def show(name: Name, url: Url = DEFAULT_URL, *, as_json: AsJson = False) -> None:
    """Show a warning with its villages, or a proposal with what would go out.

    Example: dispatcher warnings show p7
    """
    found = _find(engine(url), name)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    _say(found)


@warnings.command()
def propose(  # noqa: PLR0913 - the parts of a warning
    hazard: Annotated[str, typer.Option(help="Such as flash-flood.")],
    grade: Annotated[str, typer.Option(help="blue, yellow, orange or red.")],
    area: Annotated[list[str], typer.Option(help="Code of a village, or of what villages lie in; may be given several times.")],
    hours: Annotated[float, typer.Option(min=0.1, max=72, help="How long it holds.")] = 6,
    url: Url = DEFAULT_URL,
    *,
    in_hours: Annotated[float, typer.Option(min=0, max=72, help="When it is expected to begin, from now.")] = 0,
    reason_zh: ReasonZh = "",
    reason_en: ReasonEn = "",
    replaces: Annotated[str, typer.Option(help="Name of the warning of a person that this one takes the place of.")] = "",
    as_json: AsJson = False,
) -> None:
    """Propose a warning. It leaves when the policy's officers have released it; the proposer cannot.

    Example: dispatcher warnings propose --hazard flash-flood --grade orange --area 990121101000 --reason-zh 上游强降雨
    """
    body = {"hazard": hazard, "grade": grade, "areas": area, "hours": hours, "reason_zh": reason_zh, "reason_en": reason_en}
    made = engine(url).post("/warnings", body | {"replaces": replaces, "in_hours": in_hours or None})
    _done(made, as_json=as_json, said=f"{made['name']}: {_waits(made['proposals'])}")


@warnings.command()
def release(
    proposal: Annotated[str, typer.Argument(help="Such as p7.")],
    content: Annotated[str, typer.Option("--hash", help="Of the content you saw, from 'show'; asked for in a terminal.")] = "",
    village: Village = None,
    note: Note = "",
    url: Url = DEFAULT_URL,
    *,
    override: Annotated[bool, typer.Option("--override", help="Stand for the second officer too; recorded as such.")] = False,
    as_json: AsJson = False,
) -> None:
    """Agree to what is proposed; what enough officers agree to leaves at once.

    Example: dispatcher warnings release p7 --hash 0b1c…
    """
    asked = engine(url)
    seen = content or _look(asked, proposal)
    body = {"hash": seen, "villages": village or [], "override": override, "note": note}
    after = asked.post(f"/proposals/{part(proposal)}/approve", body)
    _done(
        after, as_json=as_json, said=f"{proposal}: {after['state']}" + (f", {after['villages']} villages wait" if after["villages"] else "")
    )


@warnings.command()
def refuse(
    proposal: Annotated[str, typer.Argument(help="Such as p7.")],
    note: Annotated[str, typer.Option(help="Why; needed.")],
    content: Annotated[str, typer.Option("--hash", help="Of the content you saw, from 'show'; asked for in a terminal.")] = "",
    village: Village = None,
    url: Url = DEFAULT_URL,
    *,
    as_json: AsJson = False,
) -> None:
    """Refuse what is proposed, or take back your own.

    Example: dispatcher warnings refuse p7 --hash 0b1c… --note "the rain is over"
    """
    asked = engine(url)
    seen = content or _look(asked, proposal)
    after = asked.post(f"/proposals/{part(proposal)}/refuse", {"hash": seen, "villages": village or [], "note": note})
    _done(after, as_json=as_json, said=f"{proposal}: {after['state']}")


@warnings.command()
def lift(
    warning: str,
    village: Village = None,
    reason_zh: ReasonZh = "",
    reason_en: ReasonEn = "",
    url: Url = DEFAULT_URL,
    *,
    as_json: AsJson = False,
) -> None:
    """Lift a warning or some of its villages; released as the policy says for the grade that is left.

    Example: dispatcher warnings lift flash-flood.990121101000.20260720T061500000 --reason-zh 雨停
    """
    body = {"villages": village or [], "reason_zh": reason_zh, "reason_en": reason_en}
    made = engine(url).post(f"/warnings/{part(warning)}/lift", body)
    _done(made, as_json=as_json, said=f"{warning}: {_waits(made['proposals'])}")


@warnings.command()
def retract(warning: str, reason_zh: ReasonZh = "", reason_en: ReasonEn = "", url: Url = DEFAULT_URL, *, as_json: AsJson = False) -> None:
    """It was a mistake: stop everything that is not yet sent, and tell exactly those who were reached.

    Example: dispatcher warnings retract flash-flood.990121101000.20260720T061500000 --reason-zh 雨量站故障
    """
    made = engine(url).post(f"/warnings/{part(warning)}/retract", {"reason_zh": reason_zh, "reason_en": reason_en})
    _done(
        made,
        as_json=as_json,
        said=f"{warning}: retracted, {made['villages']} villages, {made['deliveries']} messages to those who were reached",
    )


def _find(asked: Engine, name: str) -> Mapping[str, Any]:
    proposal = name[:1] == "p" and name[1:].isdigit()
    found: Mapping[str, Any] = asked.get(f"/proposals/{part(name)}" if proposal else f"/warnings/{part(name)}")
    return found


def _look(asked: Engine, proposal: str) -> str:
    """Show it and ask; its hash when the person at the terminal says yes."""
    if not sys.stdin.isatty():
        fail("give --hash with the content you decide on, from 'dispatcher warnings show'", WRONG_USAGE)
    found = _find(asked, proposal)
    _say(found)
    typer.confirm("Decide on this?", abort=True)
    return str(found["hash"])


_HEAD = ("id", "state", "status", "hazard", "area", "grade", "proposer", "opened_at", "deadline", "closed_at", "closed_by", "hash", "note")


def _say(found: Mapping[str, Any]) -> None:
    for key in _HEAD:
        if found.get(key):
            typer.echo(f"{key}: {found[key]}")
    villages = found.get("villages")
    for v in villages if isinstance(villages, list) else ():
        typer.echo(f"  {v['village']}  {v['grade']} (told {v['told']})  {v['reason_zh']}")
    for e in found.get("entries", ()):
        until = e["expires_at"] or "the rule ends it"
        typer.echo(f"  {e['village']}  {e['before']} → {e['grade']}  {e['reason_zh']}  [{e['origin']}, {e['release']}, until {until}]")
    for a in found.get("approvals", ()):
        typer.echo(f"  agreed: {a['by']} ({a['entries']})" + (" override" if a["override"] else ""))
    for c in found.get("consultation", ()):
        typer.echo(f"  {c['kind']}: {c['person']}: {c['text']}")
    preview = found.get("preview")
    if preview:
        typer.echo(f"would go out: {preview['people']} people at once, {preview['by_channel']}, {preview['segments']} SMS segments")
        for s in preview["texts"]:
            typer.echo(f"  {s['channel']}/{s['language']} {s['grade']}: {s['text']}")


def _waits(proposals: list[str]) -> str:
    return f"waits for release as {', '.join(proposals)}" if proposals else "needs nobody's release"


def _done(made: object, *, as_json: bool, said: str) -> None:
    typer.echo(json.dumps(made, ensure_ascii=False) if as_json else said)
