"""Forecasts of a scenario, such as ``{at: 0h, place: V1, variable: rain, lead: 0h..6h, value: 60}``, to checked ones."""

from rules.duration import seconds
from rules.forecast import Forecast
from rules.nodes import Node, Notes
from rules.scenario import Issue

_PAIR = 2
_SOURCE = "model"


def read_issues(notes: Notes, node: Node, begin_s: int) -> tuple[Issue, ...]:
    """The forecasts in order of their issue. ``at`` counts from the beginning of the scenario, ``lead`` from ``at``."""
    found = [_issue(notes, one, begin_s) for one in notes.items(node, "forecasts")]
    return tuple(sorted((i for i in found if i), key=lambda i: i.at_s))


def _issue(notes: Notes, node: Node, begin_s: int) -> Issue | None:
    needed, more = ("at", "place", "variable", "lead"), ("value", "quantiles", "exceedance", "source")
    before = len(notes.errors)
    found = notes.fields(node, "a forecast", needed, more)
    if len(notes.errors) > before:
        return None
    at_s = begin_s + notes.span(found["at"], "at", 0)
    first_s, last_s = _lead(notes, found["lead"])
    place, variable = notes.text(found["place"], "place"), notes.name(found["variable"], "variable", r"[a-z][a-z0-9_]{0,63}")
    value = notes.number(found["value"], "value") if "value" in found else None
    quantiles, exceedance = (_points(notes, found[k], k) if k in found else () for k in ("quantiles", "exceedance"))
    source = notes.text(found["source"], "source") if "source" in found else _SOURCE
    if len(notes.errors) > before:
        return None
    try:
        forecast = Forecast(
            source=source, place=place, variable=variable, valid_from_s=at_s + first_s, valid_to_s=at_s + last_s, issued_at_s=at_s,
            value=value, quantiles=quantiles, exceedance=exceedance,
        )  # fmt: skip
    except ValueError as e:
        notes.wrong(node, str(e))
        return None
    return Issue(at_s=at_s, forecast=forecast)


def _lead(notes: Notes, node: Node) -> tuple[int, int]:
    text = notes.text(node, "lead", "a range such as 0h..6h")
    first, dots, last = text.partition("..")
    try:
        if dots:
            return seconds(first), seconds(last)
    except ValueError as e:
        notes.wrong(node, f"lead: {e}")
        return 0, 1
    notes.wrong(node, f"lead {text!r:.40} is no range; allowed: such as 0h..6h")
    return 0, 1


def _points(notes: Notes, node: Node, what: str) -> tuple[tuple[float, float], ...]:
    points = []
    for one in notes.items(node, what):
        pair = [notes.number(n, what) for n in notes.items(one, f"a pair of {what}")]
        if len(pair) != _PAIR:
            notes.wrong(one, f"{what} are pairs, such as [[50, 0.7], [100, 0.3]]")
            continue
        points.append((pair[0], pair[1]))
    return tuple(sorted(points))
