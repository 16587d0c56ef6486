"""The report of a drill: loads its warnings and those of the last one, and makes the sheet that a county chief files."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime

from dispatcher.drills.model import Drill
from dispatcher.drills.pictures import Played, played
from dispatcher.drills.scoring import Compared, Score, compared, score
from dispatcher.house import House
from dispatcher.ports import Reader, Row
from dispatcher.reports.account import Account, account
from dispatcher.reports.compose import Told, villages_table
from dispatcher.reports.gather import Gathered, gather
from dispatcher.reports.sheet import Section, Sheet, Table
from dispatcher.rows import value_of
from dispatcher.timestamps import to_ms
from rules.plan import Plan

_MARK = "演练 EXERCISE"


async def drill_sheet(reader: Reader, house: House, drill_id: str, language: str, now: datetime, plan: Plan | None = None) -> Sheet | None:
    """The report of a drill of this county; None when there is none. ``plan`` are the rules that plots show, None for no plots."""
    rows = await reader.fetch("drills.one", {"county": house.county, "id": drill_id})
    if not rows:
        return None
    drill = value_of(Drill, rows[0])
    told, found = Told(house, language), await _gathered(reader, house, drill, now)
    last = await _last(reader, house, drill)
    against = score(_account(house, await _gathered(reader, house, last, now))) if last else None
    storm = await _storm_of(reader, told, drill, found, plan)
    return composed(told, drill, _account(house, found), (last, against) if last and against else None, now, storm)


async def _storm_of(reader: Reader, told: Told, drill: Drill, found: Sequence[Gathered], plan: Plan | None) -> Played | None:
    rows = await reader.fetch("drills.storm_of", {"county": drill.county, "drill": drill.id})
    if not rows or plan is None:
        return Played(rows[0]) if rows else None
    own = {r["id"]: r for g in found for r in g.changes if r["id"].startswith(f"{drill.id}:")}
    changes = sorted(own.values(), key=lambda r: int(r["seq"]))
    return await asyncio.to_thread(played, told, plan, rows[0], drill.started_at, changes)


async def _last(reader: Reader, house: House, drill: Drill) -> Drill | None:
    """The newest earlier drill in which one of these villages took part."""
    rows = await reader.fetch("drills.before", {"county": house.county, "started_at": to_ms(drill.started_at)})
    earlier = (value_of(Drill, row) for row in rows)
    return next((d for d in earlier if set(d.villages) & set(drill.villages)), None)


async def _gathered(reader: Reader, house: House, drill: Drill, now: datetime) -> list[Gathered]:
    """All warnings of a drill."""
    period = {"county": house.county, "since": to_ms(drill.started_at), "until": to_ms(drill.ended_at or now)}
    ids = [row["id"] for row in await reader.fetch("drills.warnings", period)]
    return [g for g in [await gather(reader, house.registry, i, now) for i in ids] if g is not None]


def _account(house: House, found: Sequence[Gathered]) -> Account:
    """Accounted for together."""
    return account(
        [n for g in found for n in g.notices],
        {k: p for g in found for k, p in g.plans.items()},
        [d for g in found for d in g.deliveries],
        [a for g in found for a in g.answers],
        {k: at for g in found for k, at in g.delivered.items()},
        _changes(house, found),
    )


def _changes(house: House, found: Sequence[Gathered]) -> dict[str, list[Row]]:
    by_village: dict[str, list[Row]] = defaultdict(list)
    for row in (row for g in found for row in g.changes):
        for link in house.registry.villages_of_station(row["place"]):
            by_village[link.village].append(row)
    return by_village


def composed(
    told: Told, drill: Drill, result: Account, last: tuple[Drill, Score] | None, now: datetime, storm: Played | None = None
) -> Sheet:
    """The sheet of a drill."""
    says, scored = told.words, score(result)
    against = compared(scored, last[1]) if last else None
    sections = [
        Section(title=says["summary"], lines=(*_summary(told, drill, scored, now), *_storm(told, storm.row if storm else None))),
        *_plots(told, storm),
        Section(title=says["d.villages"], table=_villages(told, scored)),
        Section(title=says["failures"], lines=tuple(_found(told, scored))),
    ]
    if last and against:
        sections.append(Section(title=says["d.against"], lines=tuple(_against(told, last[0], against))))
    sections.append(Section(title=says["villages"], table=villages_table(told, result)))
    return Sheet(
        title=says["d.title"].format(title=drill.title),
        subtitle=f"{drill.id}: {told.full(drill.started_at)} – {told.full(drill.ended_at) if drill.ended_at else says['d.running']}",
        mark=_MARK,
        language=told.language,
        sections=tuple(sections),
        facts={
            "storm": _storm_facts(storm.row) if storm else None,
            "drill": asdict(drill) | {"grade": drill.grade.word},
            "score": asdict(scored),
            "against_last": asdict(against) if against else None,
        },
    )


def _summary(told: Told, drill: Drill, scored: Score, now: datetime) -> Iterator[str]:
    says = told.words
    people = {"villages": len(drill.villages), "people": len(drill.people), "speakers": len(drill.speakers)}
    yield says["d.who"].format(hazard=told.hazard(drill.hazard), grade=told.grade(drill.grade), by=drill.started_by, **people)
    if scored.first_answer_s is not None:
        yield says["d.first"].format(minutes=round(scored.first_answer_s / 60, 1))
    if scored.share_in_time is not None:
        in_time = sum(v.in_time for v in scored.villages)
        yield says["d.share"].format(share=round(100 * scored.share_in_time), in_time=in_time, asked=len(scored.villages))
    if drill.ended_at is None:
        yield says["d.until_now"].format(time=told.full(now))


def _storm_facts(storm: Row) -> dict[str, object]:
    minute = 60_000
    played, whole = (storm[key] - storm["begin_at"] for key in ("done_at", "ends_at"))
    facts = {"name": storm["name"], "speed": storm["speed"], "played_min": played // minute, "whole_min": whole // minute}
    return facts | {"stopped": storm["why_en"], "stopped_zh": storm["why_zh"]}


def _storm(told: Told, storm: Row | None) -> Iterator[str]:
    """Which storm, and how much of it was played: one that was cut short says so."""
    if storm is None:
        return
    facts = _storm_facts(storm)
    yield told.words["d.storm"].format(**facts)
    why = facts["stopped_zh" if told.language == "zh" else "stopped"]
    if why:
        yield told.words["d.stopped"].format(why=why)


def _plots(told: Told, storm: Played | None) -> Iterator[Section]:
    """What the storm's series were held against, in the time of the storm."""
    if storm and storm.pictures:
        says = told.words
        lines = (says["d.storm_time"], *([says["d.other_rules"]] if storm.other_rules else []))
        yield Section(title=says["why"], lines=lines, plots=storm.pictures)


def _villages(told: Told, scored: Score) -> Table:
    says = told.words
    rows = tuple(
        (
            told.name(v.village),
            "—" if v.first_answer_s is None else f"{v.first_answer_s / 60:.1f}",
            says["yes"] if v.in_time else says["no"],
        )
        for v in sorted(scored.villages, key=lambda v: (v.in_time, -(v.first_answer_s if v.first_answer_s is not None else 1e12)))
    )
    return Table(columns=(says["c.village"], says["d.minutes"], says["c.in_time"]), rows=rows)


def _found(told: Told, scored: Score) -> Iterator[str]:
    says = told.words
    for channel, person in scored.dead:
        yield says["f.dead"].format(person=told.person(person), channel=says.get(f"channel.{channel}", channel))
    for speaker in scored.speakers_failed:
        yield says["f.speaker"].format(speaker=speaker)
    for village in scored.silent:
        yield says["d.silent"].format(village=told.name(village))
    if not scored.dead and not scored.speakers_failed and not scored.silent:
        yield says["f.none"]


def _against(told: Told, last: Drill, against: Compared) -> Iterator[str]:
    says = told.words
    yield says["d.last"].format(title=last.title, time=told.full(last.started_at), villages=against.villages)
    if against.faster_s is not None:
        minutes = round(abs(against.faster_s) / 60, 1)
        yield says["d.faster" if against.faster_s >= 0 else "d.slower"].format(minutes=minutes)
    if against.share_gained is not None:
        yield says["d.gained"].format(points=f"{100 * against.share_gained:+.0f}")
    for village in against.silent_again:
        yield says["d.silent_again"].format(village=told.name(village))
    for channel, person in against.dead_again:
        yield says["d.dead_again"].format(person=told.person(person), channel=says.get(f"channel.{channel}", channel))
