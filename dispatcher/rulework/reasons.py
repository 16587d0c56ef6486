"""Why a place stood where it stood: the record of each change, from the database or from a replay, newest first."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatcher.ports import Reader, Row
from dispatcher.registry.model import Registry
from dispatcher.timestamps import to_ms
from dispatcher.warnings.explain import change_record
from rules.change import Change
from rules.sentence import sentence

_ALWAYS = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One change: its whole record, and what it says in both languages."""

    record: Mapping[str, Any]
    zh: str
    en: str


async def stored_reasons(reader: Reader, registry: Registry, what: str, until: datetime | None, limit: int) -> list[Reason]:
    """What the database has about a change, a warning, a village or a station; LookupError when it knows none of these."""
    latest = to_ms(until) if until else _ALWAYS
    rows: Sequence[Row] = await reader.fetch("reasons.change", {"id": what})
    warning = await reader.fetch("reasons.warning", {"id": what})
    if not rows and warning:
        rows = await _of_warning(reader, registry, warning[0], latest, limit)
    elif not rows:
        places = places_behind(registry, what)
        if not places:
            raise LookupError(f"{what!r} is no change, warning, station or area that is known here")
        county = registry.county.code
        rows = await reader.fetch("reasons.of_places", {"county": county, "places": json.dumps(places), "until": latest, "limit": limit})
    return [Reason(record=json.loads(r["record"]), zh=r["reason_zh"], en=r["reason_en"]) for r in rows]


async def _of_warning(reader: Reader, registry: Registry, warning: Row, latest: int, limit: int) -> Sequence[Row]:
    villages = {row["village"] for row in await reader.fetch("reasons.villages", {"warning": warning["id"]})}
    places = sorted(villages | {link.station for link in registry.links if link.village in villages})
    ended = warning["closed_at"] if warning["closed_at"] is not None else _ALWAYS
    scope = {name: warning[name] for name in ("county", "status", "hazard")}
    period = {"since": warning["opened_at"], "until": min(ended, latest)}
    return await reader.fetch("views.changes_of", scope | period | {"places": json.dumps(places), "limit": limit})


def replayed_reasons(changes: Iterable[Change], registry: Registry, what: str, until: datetime | None) -> list[Reason]:
    """The same of a replay, newest first; LookupError for an unknown place or change."""
    every = list(changes)
    places = places_behind(registry, what)
    found = [c for c in every if what == c.id or c.place in places]
    if not found and not places:
        raise LookupError(f"{what!r} is neither a station nor an area of the registry, nor a change of this replay")
    return [_reason(c, registry) for c in reversed(found) if until is None or c.decided_at <= until]


def places_behind(registry: Registry, what: str) -> list[str]:
    """The place itself and the stations that speak for it; empty when the registry knows no such place."""
    if what in registry.stations:
        return [what]
    if what not in registry.areas:
        return []
    inside = {a.code for a in registry.areas.values() if what in (a.code, a.parent, registry.county.code)}
    return sorted(inside | {link.station for link in registry.links if link.village in inside})


def _reason(change: Change, registry: Registry) -> Reason:
    zh, en = (sentence(change, lang, registry.name_of(change.place, lang)) for lang in ("zh", "en"))
    return Reason(record=change_record(change), zh=zh, en=en)


def paragraphs(reason: Reason, registry: Registry) -> Iterator[str]:
    """A change in a few lines: what happened in both languages, rule and table, each row with its thresholds, and the clocks."""
    r = reason.record
    zone = registry.county.timezone
    at, decided = (datetime.fromisoformat(r[name]) for name in ("at", "decided_at"))
    mode = "" if r["mode"] == "live" else f"  [{r['mode']}]"
    yield f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}  {r['id']}  {r['from']} → {r['to']}{mode}"
    yield f"  {reason.zh}"
    yield f"  {reason.en}"
    yield f"  规则 rule       {r['rule']} version {r['version']}, {r['table'][:19]}…"
    for word, rows in (("依据 because   ", r["because"]), ("另有 also      ", r["also"])):
        for row in rows:
            yield f"  {word} {_row(row)}"
    scale = r.get("scale")  # records of before rules could scale have none
    if scale:
        seen = ", ".join(f"{name} {value:.10g}" for name, value in scale["values"].items())
        yield f"  系数 scale      × {scale['by']:g}; {scale['when']} [{seen}]"
    if r.get("onset"):
        expected = datetime.fromisoformat(r["onset"])
        yield f"  预计 expected   {expected.astimezone(zone):%Y-%m-%d %H:%M:%S} (+{(expected - at).total_seconds():.0f} s)"
    late = f", 迟到 late {r['late_s'] // 60} min" if r["late_s"] else ""
    missing = ", 数据不全 incomplete" if r["incomplete"] else ""
    spent_s = (decided - at).total_seconds()
    clocks = f"测得 measured {at.astimezone(zone).isoformat()}, 判定 decided {decided.astimezone(zone).isoformat()}"
    yield f"  时钟 clock      {clocks} (+{spent_s:.0f} s){late}{missing}"


def _row(row: Mapping[str, Any]) -> str:
    grades = ("blue", "yellow", "orange", "red")
    held = ""
    if row.get("thresholds"):
        # A table with blanks at its end has fewer cells than there are grades.
        held = "; " + ", ".join(f"{g} {t:g}" for g, t in zip(grades, row["thresholds"], strict=False))
    if row.get("text"):
        seen = ", ".join(f"{name} {value:.10g}" for name, value in row.get("values", {}).items())
        held = f"; {row['text']} [{seen}]"
    counted = f"; 数据 readings {row['readings']}/{row['expected']}, 迟到 late {row['late']}" if row["expected"] else ""
    if row.get("suspect"):
        counted += f", 可疑未用 suspect {row['suspect']} ({', '.join(row['doubts'])})"
    value = f"{row['value']:.10g} {row['unit']}".rstrip()
    return f"{row['row']} = {value} → {row['met']}{held}{counted}"
