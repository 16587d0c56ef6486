"""Rosters as iCalendar (RFC 5545), out and in. What stands in an event's summary is what counts: that is what people edit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, pairwise

from icalendar import Calendar, Event, vDDDTypes

from dispatcher.duty.model import DutyTable, Entry, Override, Roster, Turn
from dispatcher.duty.resolve import changes, on_duty, turns_between, turns_of
from dispatcher.errors import ConfigurationError, Problem

NOBODY = "无人 nobody"
_SEPARATORS = str.maketrans("：，、;；", ":,,,,")
_MOST_DAYS = 366
_MOST_PEOPLE = 20
_FIRST_YEAR, _LAST_YEAR = 1970, 2199  # beyond them times overflow, and nobody is on duty


@dataclass(frozen=True, slots=True, kw_only=True)
class FromCalendar:
    """What a calendar changes: whole shifts of the table as entries, other times as overrides, the longest first."""

    entries: tuple[Entry, ...] = ()
    overrides: tuple[Override, ...] = ()


def names_of(people: Mapping[str, Sequence[str]]) -> tuple[dict[str, str], dict[str, str]]:
    """Contact's id → names, to what a calendar calls each, and back: a name that several have, or that has a separator, is no name."""
    every = [name for names in people.values() for name in {*names} - {""}]
    ids = {name: person for person, names in people.items() for name in names if every.count(name) == 1 and _is_word(name)}
    shown = {person: next((name for name in names if name in ids), person) for person, names in people.items()}
    return shown, ids | {person: person for person in people}


def _is_word(name: str) -> bool:
    return name == name.translate(_SEPARATORS).strip() and not {":", ","} & {*name}


def as_calendar(table: DutyTable, roster: Roster, shown: Mapping[str, str], since: datetime, until: datetime, now: datetime) -> bytes:
    """Who is on duty between two moments: an event for each stretch of a shift in which the same people have it."""
    calendar = Calendar()
    calendar.add("prodid", "-//dispatcher//duty roster//")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", roster.name)
    for begins, ends, label, people in stretches(table, roster, since, until):
        event = Event()
        event.add("uid", f"{roster.id}/{begins:%Y%m%dT%H%M%SZ}@dispatcher")
        event.add("dtstamp", now)
        event.add("dtstart", begins)
        event.add("dtend", ends)
        event.add("summary", f"{label}: {', '.join(shown.get(p, p) for p in people) or NOBODY}")
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def stretches(
    table: DutyTable, roster: Roster, since: datetime, until: datetime
) -> Iterator[tuple[datetime, datetime, str, tuple[str, ...]]]:
    """From, to, the shift's name and the people. Shifts that have a part between the moments are whole."""
    turns = list(turns_between(table, roster, since, until))
    since, until = min([since, *(t.begins for t in turns)]), max([until, *(t.ends for t in turns)])
    found = [(b, e, on_duty(table, roster, b)) for b, e in pairwise([since, *changes(table, roster, since, until), until])]
    for (turn, people), same in groupby(found, key=lambda one: (one[2].turn, one[2].people)):
        times = list(same)
        if turn or people:
            yield times[0][0], times[-1][1], turn.shift if turn else roster.name, people


def from_calendar(table: DutyTable, roster: Roster, text: bytes, ids: Mapping[str, str], now: datetime, file: str) -> FromCalendar:
    """What a calendar changes in a roster; ``ids`` are contacts' ids by name and by id.

    People stand in the summary, after a colon if there is one, separated by commas; events at the same time are put together.
    What is over, cancelled, or stands like that already changes nothing. ConfigurationError names each event that cannot be used
    (never its text: it may hold anything) and what is allowed.
    """
    problems: list[Problem] = []
    given: dict[tuple[date, date], tuple[str, ...]] = {}
    for event in _events(text, file):
        where = f"event {str(event.get('uid', '?'))[:64]}"
        span, people = _span(event), _people(event, ids)
        if event.get("rrule") is not None:
            problems.append(Problem(file, f"{where}: repeats; allowed: single events, as most programs export them on demand"))
        elif span is None:
            problems.append(Problem(file, f"{where}: needs a beginning and an end with zone, or whole days; up to {_MOST_DAYS} days"))
        elif people is None:
            problems.append(
                Problem(file, f"{where}: a person who is no contact, or whose name several have; allowed: names or ids of contacts")
            )
        elif not any(_turns(table, roster, span)) and not isinstance(span[0], datetime):
            problems.append(Problem(file, f"{where}: no shift begins on these days; allowed: days with shifts, or times"))
        else:
            given[span] = tuple(dict.fromkeys((*given.get(span, ()), *people)))
    problems += [Problem(file, f"more than {_MOST_PEOPLE} people at once") for people in given.values() if len(people) > _MOST_PEOPLE][:1]
    if problems:
        raise ConfigurationError(problems)
    made = [one for span, people in given.items() for one in _changed(table, roster, span, people, now)]
    entries = {(one.day, one.shift): one for one in made if isinstance(one, Entry)}
    overrides = sorted((one for one in made if isinstance(one, Override)), key=lambda o: o.begins - o.ends)
    return FromCalendar(entries=tuple(entries.values()), overrides=tuple(overrides))


def _events(text: bytes, file: str) -> list[Event]:
    try:
        found = Calendar.from_ical(text).walk("VEVENT")
    except ValueError as error:
        raise ConfigurationError([Problem(file, "is no iCalendar; allowed: one VCALENDAR with its events")]) from error
    return [event for event in found if isinstance(event, Event) and str(event.get("status", "")).upper() != "CANCELLED"]


def _people(event: Event, ids: Mapping[str, str]) -> tuple[str, ...] | None:
    """None when somebody is not known."""
    said = str(event.get("summary", "")).translate(_SEPARATORS).rpartition(":")[2].strip()
    words = [] if said == NOBODY else [word.strip() for word in said.split(",")]
    found = [ids.get(word) for word in words]
    return None if None in found else tuple(person for person in found if person is not None)


def _span(event: Event) -> tuple[date, date] | None:
    """Two moments, or two days of which the second is left out; a datetime is a date, too."""
    values = (event.get(name) for name in ("dtstart", "dtend", "duration"))
    first, last, lasts = (value.dt if isinstance(value, vDDDTypes) else None for value in values)
    if not isinstance(first, date) or not _FIRST_YEAR <= first.year <= _LAST_YEAR:
        return None
    if last is None:
        lasts = lasts if isinstance(lasts, timedelta) else timedelta(0 if isinstance(first, datetime) else 1)
        last = first + min(lasts, timedelta(days=_MOST_DAYS + 1))
    if not isinstance(last, date) or last.year > _LAST_YEAR + 2 or isinstance(first, datetime) != isinstance(last, datetime):
        return None
    if isinstance(first, datetime) and isinstance(last, datetime):
        if first.tzinfo is None or last.tzinfo is None:
            return None
        first, last = first.astimezone(UTC), last.astimezone(UTC)
    return (first, last) if timedelta(0) < last - first <= timedelta(days=_MOST_DAYS) else None


def _changed(
    table: DutyTable, roster: Roster, span: tuple[date, date], people: tuple[str, ...], now: datetime
) -> Iterator[Entry | Override]:
    """Whole days are all shifts that begin on them. Two moments are an entry when they are those of a shift and nothing overrides it."""
    first, last = span
    turns = list(_turns(table, roster, span))
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        for turn in turns:
            yield from _changed(table, roster, (turn.begins, turn.ends), people, now)
        return
    at = [first, *changes(table, roster, first, last)]
    if last <= now or all(on_duty(table, roster, moment).people == people for moment in at):
        return
    over = any(o.roster == roster.id and o.begins < last and o.ends > first for o in table.overrides)
    same = next((t for t in turns if (t.begins, t.ends) == (first, last)), None)
    if same is not None and not over:
        yield Entry(roster=roster.id, day=same.day, shift=same.shift, people=people)
    else:
        yield Override(seq=0, roster=roster.id, begins=first, ends=last, people=people)


def _turns(table: DutyTable, roster: Roster, span: tuple[date, date]) -> Iterator[Turn]:
    first, last = span
    if isinstance(first, datetime) and isinstance(last, datetime):
        return turns_between(table, roster, first, last)
    return (turn for n in range((last - first).days) for turn in turns_of(table, roster, first + timedelta(days=n)))
