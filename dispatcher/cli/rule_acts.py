"""``dispatcher rules reload``, ``confirm``, ``refuse`` and ``lift``: to an engine that runs."""

import json
from typing import Annotated

import typer

from dispatcher.cli.asking import DEFAULT_URL, Url, engine
from dispatcher.intake.acts import Verb

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Rule = Annotated[str, typer.Argument(help="Name of the rule.")]
Place = Annotated[str, typer.Argument(help="The station, site or area that it grades.")]


def reload(url: Url = DEFAULT_URL, *, as_json: AsJson = False) -> None:
    """Let a running engine look at its files now: they decide, or are refused with each mistake. Needs an administrator's token.

    Example: dispatcher rules reload --url http://127.0.0.1:8080
    """
    found = engine(url).post("/rules/reload", {})
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    if not found["activated"]:
        typer.echo("没有变化 unchanged")
        return
    for d in found["differences"]:
        until = d["to"] or "now"
        typer.echo(f"{d['from']} – {until}  {d['rule']}  {d['place']}: {d['old']} → {d['new']}")
    typer.echo(
        f"已启用 activated; {len(found['differences'])} differences over {found['readings']} readings since {found['rehearsed_from']}"
    )


def confirm(rule: Rule, place: Place, url: Url = DEFAULT_URL) -> None:
    """Agree that a place is lowered as its rule proposes. Needs a duty officer's token.

    Example: dispatcher rules confirm landslide-displacement SLOPE-1
    """
    _say(url, Verb.CONFIRM, rule, place)


def refuse(rule: Rule, place: Place, url: Url = DEFAULT_URL) -> None:
    """Keep the grade that a rule proposes to lower; it may propose it again after an hour.

    Example: dispatcher rules refuse landslide-displacement SLOPE-1
    """
    _say(url, Verb.REFUSE, rule, place)


def lift(rule: Rule, place: Place, url: Url = DEFAULT_URL) -> None:
    """Lift a place; its next good reading may raise it again.

    Example: dispatcher rules lift flash-flood-rain 990121R14
    """
    _say(url, Verb.LIFT, rule, place)


def _say(url: str, verb: Verb, rule: str, place: str) -> None:
    engine(url).post("/rules/acts", {"act": verb.value, "rule": rule, "place": place})
    typer.echo(f"{verb.value}: {rule} {place}")
