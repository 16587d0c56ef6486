"""Who is on duty at a moment: a pure function of the table. Local times are safe over changes of the clock.

A shift ends where the next one begins because both are turned into moments in the same way; where two would hold one moment
(a new pattern begins earlier in the day than the old one's night ends), the one that began later has relieved the other.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from dispatcher.duty.model import Absence, Calendar, Days, DutyTable, OnDuty, Pattern, Roster, Shift, Turn, Turns, Why

_DAY = timedelta(days=1)
_SATURDAY = 5
_WEEK = 7


def on_duty(table: DutyTable, roster: Roster, now: datetime) -> OnDuty:
    """Who has the duty now: an override, else what was entered for this shift, else whose turn it is; stand-ins for those away."""
    turn = turn_at(table, roster, now)
    over = max((o for o in table.overrides if o.roster == roster.id and o.begins <= now < o.ends), key=lambda o: o.seq, default=None)
    if over is not None:
        why, named = Why.OVERRIDE, over.people
    elif turn is None:
        why, named = Why.NO_SHIFT, ()
    else:
        why, named = people_of_turn(table, roster, turn)
    people, stood_in, away = _present(named, table.absences, now)
    return OnDuty(roster=roster.id, turn=turn, why=why, people=people, stood_in=stood_in, away=away)


def people_of_turn(table: DutyTable, roster: Roster, turn: Turn) -> tuple[Why, tuple[str, ...]]:
    """Whom the table names for a turn, before overrides and stand-ins."""
    entry = table.entries.get((roster.id, turn.day, turn.shift))
    if entry is not None:
        return Why.ENTRY, entry.people
    count = len(roster.people)
    first = turn.index * roster.size
    return Why.ROTATION, tuple(dict.fromkeys(roster.people[(first + n) % count] for n in range(roster.size))) if count else ()


def turn_at(table: DutyTable, roster: Roster, now: datetime) -> Turn | None:
    """The shift that holds a moment; None when no shift does."""
    today = now.astimezone(table.zone).date()
    found = (t for day in (today - _DAY, today) for t in turns_of(table, roster, day) if t.begins <= now < t.ends)
    return max(found, key=lambda t: t.begins, default=None)


def turns_between(table: DutyTable, roster: Roster, since: datetime, until: datetime) -> Iterator[Turn]:
    """Every shift that has a part between two moments, in order."""
    day, last = since.astimezone(table.zone).date() - _DAY, until.astimezone(table.zone).date()
    while day <= last:
        yield from (t for t in turns_of(table, roster, day) if t.begins < until and t.ends > since)
        day += _DAY


def turns_to_come(table: DutyTable, since: datetime, until: datetime) -> list[OnDuty]:
    """The shifts of every roster that have a part between two moments, by their beginning, each with who has it at first."""
    found = [
        replace(on_duty(table, roster, max(turn.begins, since)), turn=turn)
        for roster in table.rosters.values()
        for turn in turns_between(table, roster, since, until)
    ]
    return sorted(found, key=lambda one: (one.turn.begins if one.turn else since, one.roster))


def changes(table: DutyTable, roster: Roster, since: datetime, until: datetime) -> list[datetime]:
    """The moments between two at which who is on duty may change, in order: it does so at no other."""
    turns = [moment for turn in turns_between(table, roster, since, until) for moment in (turn.begins, turn.ends)]
    overrides = [moment for o in table.overrides if o.roster == roster.id for moment in (o.begins, o.ends)]
    absences = [moment for a in table.absences for moment in (a.begins, a.ends)]
    return sorted({moment for moment in (*turns, *overrides, *absences) if since < moment < until})


def turns_of(table: DutyTable, roster: Roster, day: date) -> tuple[Turn, ...]:
    """The shifts that begin on a day, in order. One that the change of the clock swallows is left out."""
    pattern = pattern_of(roster, table.calendar, day)
    if pattern is None:
        return ()
    made = (_turn(table, roster, pattern, day, position, shift) for position, shift in enumerate(pattern.shifts))
    return tuple(turn for turn in made if turn.begins < turn.ends)


def pattern_of(roster: Roster, calendar: Calendar, day: date) -> Pattern | None:
    """The first pattern that fits a day."""
    return next((p for p in roster.patterns if _in_season(p, day) and _is_such_a_day(p.days, calendar, day)), None)


def is_workday(calendar: Calendar, day: date) -> bool:
    """Monday to Friday that are no holiday, and days that were made workdays."""
    return day in calendar.workdays or (day.weekday() < _SATURDAY and day not in calendar.holidays)


def _in_season(pattern: Pattern, day: date) -> bool:
    if pattern.first is None or pattern.last is None:
        return True
    at = (day.month, day.day)
    if pattern.first <= pattern.last:
        return pattern.first <= at <= pattern.last
    return at >= pattern.first or at <= pattern.last


def _is_such_a_day(days: Days, calendar: Calendar, day: date) -> bool:
    return days is Days.EVERY or is_workday(calendar, day) == (days is Days.WORKDAYS)


def _turn(table: DutyTable, roster: Roster, pattern: Pattern, day: date, position: int, shift: Shift) -> Turn:
    until = day if shift.ends > shift.begins else day + _DAY
    return Turn(
        roster=roster.id,
        day=day,
        shift=shift.name,
        begins=_moment(table, day, shift.begins),
        ends=_moment(table, until, shift.ends),
        index=_index(roster, day, position, len(pattern.shifts)),
    )


def _index(roster: Roster, day: date, position: int, shifts: int) -> int:
    days = (day - roster.since).days
    if roster.turns is Turns.WEEK:
        return (days + roster.since.weekday()) // _WEEK
    return days if roster.turns is Turns.DAY else days * shifts + position


def _moment(table: DutyTable, day: date, at: time) -> datetime:
    """A local time as a moment: the first of two, and after the gap for one that the clock skips."""
    return datetime.combine(day, at, table.zone).astimezone(UTC)


def _present(
    named: tuple[str, ...], absences: tuple[Absence, ...], now: datetime
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Who is there: stand-ins in place of those away, and theirs in turn; nobody twice."""
    away_now: dict[str, str] = {a.person: a.stand_in for a in sorted(absences, key=lambda a: a.seq) if a.begins <= now < a.ends}
    people: dict[str, None] = {}
    stood_in: list[tuple[str, str]] = []
    missing: list[str] = []
    for person in named:
        seen, there = {person}, person
        while there in away_now and (there := away_now[there]) not in seen:
            seen.add(there)
        if not there or there in away_now:
            missing.append(person)
            continue
        if there != person:
            stood_in.append((person, there))
        people[there] = None
    return tuple(people), tuple(stood_in), tuple(missing)
