"""``rosters.yaml`` and ``duty.csv`` of a registry → the duty table. Every mistake is noted where it stands."""

import re
from collections.abc import Collection, Mapping
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from dispatcher.duty.model import Calendar, Days, DutyTable, Entry, Pattern, Roster, Shift, Turns
from dispatcher.errors import Problem
from dispatcher.files.document import Spot, read_document
from dispatcher.files.table import Row

ROSTERS_FILE = "rosters.yaml"
_TIMES = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_SEASON = re.compile(r"(\d\d)-(\d\d)")
_DAYS = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.\.(\d{4}-\d\d-\d\d))?")
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_LEAP_YEAR = 2024
_LONGEST = timedelta(days=60)
_MOST_TOGETHER = 20
_DAY_MIN = 24 * 60


def read_rosters(text: str, zone: ZoneInfo, problems: list[Problem]) -> tuple[DutyTable, dict[str, Spot]]:
    """The table of ``rosters.yaml`` and where each roster stands; empty for an empty text."""
    document = read_document(text, ROSTERS_FILE, problems) if text.strip() else None
    if document is None:
        return DutyTable(zone=zone), {}
    found = document.entries(("rosters",), ("holidays", "workdays"))
    calendar = Calendar(holidays=_days(found.get("holidays")), workdays=_days(found.get("workdays")))
    rosters: dict[str, Roster] = {}
    spots: dict[str, Spot] = {}
    for spot in found["rosters"].items() if "rosters" in found else []:
        roster = _roster(spot)
        if roster.id in rosters:
            spot.wrong(f"the roster {roster.id!r} is given twice")
        rosters[roster.id], spots[roster.id] = roster, spot
    return DutyTable(zone=zone, calendar=calendar, rosters=rosters), spots


def check_rosters(table: DutyTable, spots: Mapping[str, Spot], levels: Mapping[str, str], contacts: Collection[str]) -> None:
    """Areas (code → level) and people that rosters name must exist; a role of an area has one roster."""
    seen: dict[tuple[str, str], str] = {}
    for roster in table.rosters.values():
        spot = spots[roster.id]
        level = roster.role.partition(".")[0]
        if levels.get(roster.area) != level:
            spot.wrong(f"{roster.id}: the area {roster.area!r} is no {level or 'area'} of the registry; the role {roster.role!r} needs one")
        for person in roster.people:
            if person not in contacts:
                spot.wrong(f"{roster.id}: {person!r} is not in contacts.csv; allowed: ids of contacts")
        first = seen.setdefault((roster.role, roster.area), roster.id)
        if first != roster.id:
            spot.wrong(f"{roster.id}: {roster.role} of {roster.area} has the roster {first!r} already")


def entry_of(row: Row, table: DutyTable, contacts: Collection[str]) -> Entry | None:
    """One row of ``duty.csv``: who has a shift of a day. None, with the mistake noted, when it does not fit."""
    roster = table.rosters.get(row["roster"])
    people = tuple(row["people"].split())
    try:
        day = date.fromisoformat(row["day"])
    except ValueError:
        row.wrong("day", f"bad day {row['day']!r}; allowed: a date such as 2026-07-20")
        return None
    if roster is None:
        row.wrong("roster", f"{row['roster']!r} is no roster of {ROSTERS_FILE}; there are: {', '.join(table.rosters) or 'none'}")
        return None
    if row["shift"] not in roster.shift_names():
        row.wrong("shift", f"{row['shift']!r} is no shift of {roster.id!r}; its shifts: {', '.join(roster.shift_names())}")
        return None
    for person in people:
        if person not in contacts:
            row.wrong("people", f"{person!r} is not in contacts.csv; allowed: ids of contacts, separated by spaces")
            return None
    return Entry(roster=roster.id, day=day, shift=row["shift"], people=people)


def _roster(spot: Spot) -> Roster:
    found = spot.entries(("id", "name", "role", "area", "patterns"), ("name_en", "people", "turns", "since", "size"))
    texts = {key: found[key].text() for key in ("id", "name", "name_en", "role", "area") if key in found}
    if "id" in found and not _ID.fullmatch(texts["id"]):
        found["id"].wrong(f"bad id {texts['id']!r}; allowed: small letters, digits, _ and -")
    patterns = tuple(_pattern(item) for item in found["patterns"].items()) if "patterns" in found else ()
    return Roster(
        id=texts.get("id", ""),
        name=texts.get("name", ""),
        name_en=texts.get("name_en", ""),
        role=texts.get("role", ""),
        area=texts.get("area", ""),
        patterns=patterns,
        people=tuple(item.text() for item in found["people"].items()) if "people" in found else (),
        turns=Turns(found["turns"].word(tuple(Turns), "length of a turn") or Turns.DAY) if "turns" in found else Turns.DAY,
        since=(_day(found["since"]) or date(2026, 1, 1)) if "since" in found else date(2026, 1, 1),
        size=found["size"].whole(1, _MOST_TOGETHER) if "size" in found else 1,
    )


def _pattern(spot: Spot) -> Pattern:
    found = spot.entries(("name", "shifts"), ("from", "to", "days"))
    if ("from" in found) != ("to" in found):
        spot.wrong("a season needs both 'from' and 'to', such as 04-01 and 09-30")
    shifts = tuple(_shift(name, times) for name, times in found["shifts"].pairs()) if "shifts" in found else ()
    whole = tuple(shift for shift in shifts if shift is not None)
    if _overlap(whole):
        spot.wrong("shifts overlap; each must begin where or after the one before it ends, within one day")
    return Pattern(
        name=found["name"].text() if "name" in found else "",
        shifts=whole,
        days=Days(found["days"].word(tuple(Days), "kind of days") or Days.EVERY) if "days" in found else Days.EVERY,
        first=_season(found.get("from")),
        last=_season(found.get("to")),
    )


def _shift(name: Spot, times: Spot) -> Shift | None:
    match = _TIMES.fullmatch(times.text())
    if match is None:
        times.wrong("bad times of a shift; allowed: from-to in 24 hours such as 08:00-20:00; an earlier end is on the day after")
        return None
    from_h, from_min, to_h, to_min = map(int, match.groups())
    return Shift(name=name.text(), begins=time(from_h, from_min), ends=time(to_h, to_min))


def _overlap(shifts: tuple[Shift, ...]) -> bool:
    """In the order given, each begins where or after the one before ends, and the last ends before the first begins again."""
    at, first = -1, 0
    for position, shift in enumerate(shifts):
        begins, ends = (t.hour * 60 + t.minute for t in (shift.begins, shift.ends))
        first = begins if position == 0 else first
        ends += 0 if ends > begins else _DAY_MIN
        if begins < at:
            return True
        at = ends
    return at > first + _DAY_MIN


def _season(spot: Spot | None) -> tuple[int, int] | None:
    if spot is None:
        return None
    match = _SEASON.fullmatch(spot.text())
    try:
        month, day = map(int, match.groups()) if match else (0, 0)
        date(_LEAP_YEAR, month, day)
    except ValueError:
        spot.wrong("bad day of the year; allowed: month-day such as 04-01")
        return None
    return month, day


def _days(spot: Spot | None) -> frozenset[date]:
    """Single days and ranges ``2026-10-01..2026-10-07``."""
    found: set[date] = set()
    for item in spot.items() if spot else []:
        match = _DAYS.fullmatch(str(item.node.value))
        try:
            first, last = (date.fromisoformat(word) for word in (match[1], match[2] or match[1])) if match else (date.max, date.min)
        except ValueError:
            first, last = date.max, date.min
        if not timedelta(0) <= last - first <= _LONGEST:
            item.wrong("bad days; allowed: a date such as 2026-10-01, or 2026-10-01..2026-10-07 of up to 60 days")
            continue
        found |= {first + timedelta(days=n) for n in range((last - first).days + 1)}
    return frozenset(found)


def _day(spot: Spot) -> date | None:
    try:
        return date.fromisoformat(str(spot.node.value))
    except ValueError:
        spot.wrong("bad day; allowed: a date such as 2026-01-01")
        return None
