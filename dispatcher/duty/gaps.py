"""Times to come in which a roster has nobody on duty, found before they come."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from dispatcher.duty.model import DutyTable, OnDuty, Roster, Why
from dispatcher.duty.resolve import changes, on_duty


class Lack(StrEnum):
    """Why nobody can be called: no shift is planned, nobody is named, all are away, or nobody named has a way to be reached."""

    NO_SHIFT = "no_shift"
    NOBODY = "nobody"
    AWAY = "away"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyGap:
    """From one moment to another a role has nobody. ``people`` are those away or out of reach."""

    roster: str
    begins: datetime
    ends: datetime
    lack: Lack
    shift: str = ""
    people: tuple[str, ...] = ()


def duty_gaps(table: DutyTable, reachable: Collection[str], since: datetime, until: datetime) -> list[DutyGap]:
    """Every gap between two moments, in order of time. ``reachable`` are the contacts that some channel reaches."""
    found = [gap for roster in table.rosters.values() for gap in _gaps_of(table, roster, reachable, since, until)]
    return sorted(found, key=lambda gap: (gap.begins, gap.roster))


def _gaps_of(table: DutyTable, roster: Roster, reachable: Collection[str], since: datetime, until: datetime) -> Iterator[DutyGap]:
    """Who is on duty changes at known moments only: looking once between each two of them is looking always."""
    moments = [since, *changes(table, roster, since, until), until]
    last: DutyGap | None = None
    for begins, ends in pairwise(moments):
        gap = _gap(on_duty(table, roster, begins), reachable, begins, ends)
        if last and gap and _same(last, gap):
            last = replace(last, ends=ends)
            continue
        if last:
            yield last
        last = gap
    if last:
        yield last


def _gap(now: OnDuty, reachable: Collection[str], begins: datetime, ends: datetime) -> DutyGap | None:
    lack = _lack(now, reachable)
    if lack is None:
        return None
    shift = now.turn.shift if now.turn else ""
    return DutyGap(roster=now.roster, begins=begins, ends=ends, lack=lack, shift=shift, people=now.people or now.away)


def _lack(now: OnDuty, reachable: Collection[str]) -> Lack | None:
    if any(person in reachable for person in now.people):
        return None
    if now.people:
        return Lack.UNREACHABLE
    if now.away:
        return Lack.AWAY
    return Lack.NO_SHIFT if now.why is Why.NO_SHIFT else Lack.NOBODY


def _same(one: DutyGap, other: DutyGap) -> bool:
    return (one.lack, one.shift, one.people, one.ends) == (other.lack, other.shift, other.people, other.begins)
