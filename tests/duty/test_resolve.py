"""Any moment is held by exactly the shift that the table says; overrides win; stand-ins stand in; local times are safe."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.duty.gaps import Lack, duty_gaps
from dispatcher.duty.model import Absence, Calendar, Days, DutyTable, Entry, Override, Pattern, Roster, Shift, Turns, Why
from dispatcher.duty.resolve import is_workday, on_duty, turn_at, turns_between, turns_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONES = [
    ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "UTC")
]
DAY = timedelta(days=1)
UNHURRIED = settings(deadline=None)
DAY_AND_NIGHT = (Shift(name="day", begins=time(8), ends=time(20)), Shift(name="night", begins=time(20), ends=time(8)))
FLOOD = Pattern(name="flood season", shifts=DAY_AND_NIGHT, first=(4, 1), last=(9, 30))
OFFICE = Pattern(name="office hours", shifts=(Shift(name="office", begins=time(8, 30), ends=time(17, 30)),), days=Days.WORKDAYS)


def roster(*patterns: Pattern, people: tuple[str, ...] = ("a", "b", "c"), **more: object) -> Roster:
    made = Roster(id="r", name="带班", name_en="", role="county.leader_on_duty", area="c", patterns=patterns, people=people)
    return replace(made, **more)  # type: ignore[arg-type]


def table(one: Roster, zone: ZoneInfo = SHANGHAI, **more: object) -> DutyTable:
    return replace(DutyTable(zone=zone, rosters={one.id: one}), **more)  # type: ignore[arg-type]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


@st.composite
def cut_days(draw: st.DrawFn) -> tuple[Shift, ...]:
    """A day cut into shifts without gaps; the last one ends where the first begins."""
    cuts = sorted(draw(st.sets(st.integers(0, 24 * 60 - 1), min_size=1, max_size=6)))
    clocks = [time(minute // 60, minute % 60) for minute in cuts]
    return tuple(Shift(name=f"s{n}", begins=b, ends=e) for n, (b, e) in enumerate(zip(clocks, [*clocks[1:], clocks[0]], strict=True)))


def named_by_the_clock(shifts: tuple[Shift, ...], wall: time) -> str:
    """What the table says of a time of day, read as a person would: from … to, over midnight where need be."""
    if len(shifts) == 1:
        return shifts[0].name
    for shift in shifts:
        held = shift.begins <= wall < shift.ends if shift.begins < shift.ends else wall >= shift.begins or wall < shift.ends
        if held:
            return shift.name
    raise AssertionError(wall)


MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


@UNHURRIED
@given(cut_days(), MOMENTS, st.sampled_from(ZONES))
def test_a_moment_is_held_by_the_shift_that_the_clock_on_the_wall_names(shifts: tuple[Shift, ...], now: datetime, zone: ZoneInfo) -> None:
    one = roster(Pattern(name="always", shifts=shifts))
    turn = turn_at(table(one, zone), one, now)
    assert turn is not None
    assert turn.begins <= now < turn.ends
    offsets = {(now + timedelta(hours=h)).astimezone(zone).utcoffset() for h in range(-26, 27)}
    if len(offsets) == 1:  # away from a change of the clock there is one reading of the table
        assert turn.shift == named_by_the_clock(shifts, now.astimezone(zone).time())


@UNHURRIED
@given(cut_days(), MOMENTS, st.sampled_from(ZONES))
def test_shifts_follow_each_other_without_gap_over_changes_of_the_clock(shifts: tuple[Shift, ...], now: datetime, zone: ZoneInfo) -> None:
    one = roster(Pattern(name="always", shifts=shifts))
    duty = table(one, zone)
    moments = [now + timedelta(minutes=m) for m in range(0, 48 * 60, 30)]
    held = [turn_at(duty, one, moment) for moment in moments]
    assert all(held)
    changes = [(a, b) for a, b in pairwise(held) if a and b and (a.day, a.shift) != (b.day, b.shift)]
    assert all(turn_at(duty, one, b.begins) == b for _, b in changes if b.begins < b.ends)


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)], ids=["the hour that is skipped", "the hour that comes twice"])
def test_a_night_on_which_the_clock_changes_is_an_hour_shorter_or_longer(day: date) -> None:
    madrid = ZoneInfo("Europe/Madrid")
    one = roster(Pattern(name="always", shifts=DAY_AND_NIGHT))
    night = turns_of(table(one, madrid), one, day - DAY)[1]
    morning = turns_of(table(one, madrid), one, day)[0]
    assert night.ends == morning.begins == datetime.combine(day, time(8), madrid)
    assert night.ends - night.begins == timedelta(hours=11 if day.month == 3 else 13)


@UNHURRIED
@given(MOMENTS)
def test_in_flood_season_somebody_is_on_duty_always_and_else_in_office_hours_only(now: datetime) -> None:
    one = roster(FLOOD, OFFICE)
    duty = table(one, calendar=Calendar(holidays=frozenset({date(2026, 10, 1)}), workdays=frozenset({date(2026, 10, 10)})))
    found = on_duty(duty, one, now)
    local = now.astimezone(SHANGHAI)
    begun = (local - timedelta(hours=8)).date()  # the day on which the flood season's shift began
    if (4, 1) <= (begun.month, begun.day) <= (9, 30):
        assert found.turn is not None
        assert found.turn.shift == ("day" if 8 <= local.hour < 20 else "night")
        return
    in_office = is_workday(duty.calendar, local.date()) and time(8, 30) <= local.time() < time(17, 30)
    assert (found.why is not Why.NO_SHIFT) == in_office
    assert (found.people != ()) == in_office


def test_holidays_and_shifted_working_days_are_what_they_were_made() -> None:
    one = roster(OFFICE)
    duty = table(one, calendar=Calendar(holidays=frozenset({date(2026, 10, 1)}), workdays=frozenset({date(2026, 10, 10)})))
    assert on_duty(duty, one, at("2026-10-01 10:00")).why is Why.NO_SHIFT  # a Thursday, National Day
    assert on_duty(duty, one, at("2026-10-10 10:00")).why is Why.ROTATION  # a Saturday that is worked
    assert on_duty(duty, one, at("2026-10-11 10:00")).why is Why.NO_SHIFT


def test_a_season_may_span_the_new_year() -> None:
    one = roster(Pattern(name="ice", shifts=DAY_AND_NIGHT, first=(11, 15), last=(3, 15)))
    assert on_duty(table(one), one, at("2026-12-31 23:00")).turn is not None
    assert on_duty(table(one), one, at("2027-03-15 09:00")).turn is not None
    assert on_duty(table(one), one, at("2027-03-16 09:00")).turn is None


@pytest.mark.parametrize(
    ("turns", "people"),
    [
        (Turns.DAY, ["a", "a", "b", "b", "c", "c", "a", "a"]),
        (Turns.SHIFT, ["a", "b", "c", "a", "b", "c", "a", "b"]),
        (Turns.WEEK, ["a"] * 8),
    ],
)
def test_people_take_turns_by_shift_day_or_week(turns: Turns, people: list[str]) -> None:
    one = roster(Pattern(name="always", shifts=DAY_AND_NIGHT), turns=turns, since=date(2026, 1, 5))  # a Monday
    found = [on_duty(table(one), one, at("2026-01-05 09:00") + timedelta(hours=12 * n)).people for n in range(8)]
    assert found == [(person,) for person in people]


def test_the_week_turns_on_monday_and_two_may_be_on_duty_together() -> None:
    one = roster(Pattern(name="always", shifts=DAY_AND_NIGHT), turns=Turns.WEEK, since=date(2026, 1, 7), size=2)  # a Wednesday
    assert on_duty(table(one), one, at("2026-01-11 12:00")).people == ("a", "b")
    assert on_duty(table(one), one, at("2026-01-12 12:00")).people == ("c", "a")


def test_what_is_entered_for_a_shift_goes_before_the_rotation() -> None:
    one = roster(FLOOD)
    duty = table(one, entries={("r", date(2026, 7, 20), "night"): Entry(roster="r", day=date(2026, 7, 20), shift="night", people=("z",))})
    assert on_duty(duty, one, at("2026-07-21 02:00")).people == ("z",)
    assert on_duty(duty, one, at("2026-07-21 02:00")).why is Why.ENTRY
    assert on_duty(duty, one, at("2026-07-20 19:59")).why is Why.ROTATION
    assert on_duty(duty, one, at("2026-07-21 08:00")).why is Why.ROTATION


@UNHURRIED
@given(MOMENTS, st.timedeltas(timedelta(minutes=1), DAY), st.lists(st.tuples(st.integers(-600, 600), st.integers(1, 900)), max_size=5))
def test_of_the_overrides_that_hold_a_moment_the_one_said_last_wins(
    now: datetime, length: timedelta, others: list[tuple[int, int]]
) -> None:
    over = [
        Override(seq=n, roster="r", begins=now + timedelta(minutes=b), ends=now + timedelta(minutes=b + m), people=(f"o{n}",))
        for n, (b, m) in enumerate(others)
    ]
    over.append(Override(seq=99, roster="other", begins=now, ends=now + length, people=("x",)))
    one = roster(FLOOD, OFFICE)
    found = on_duty(table(one, overrides=tuple(reversed(over))), one, now)
    holding = [o for o in over if o.roster == "r" and o.begins <= now < o.ends]
    if holding:
        assert (found.why, found.people) == (Why.OVERRIDE, holding[-1].people)
    else:
        assert found.why is not Why.OVERRIDE


def away(person: str, stand_in: str, seq: int = 1, hours: float = 12) -> Absence:
    begins = at("2026-07-20 08:00")
    return Absence(seq=seq, person=person, begins=begins, ends=begins + timedelta(hours=hours), stand_in=stand_in)


@pytest.mark.parametrize(
    ("absences", "people", "stood_in", "missing"),
    [
        ((), ("a",), (), ()),
        ((away("a", "b"),), ("b",), (("a", "b"),), ()),
        ((away("a", "b"), away("b", "c", 2)), ("c",), (("a", "c"),), ()),
        ((away("a", ""),), (), (), ("a",)),
        ((away("a", "b"), away("b", "a", 2)), (), (), ("a",)),
        ((away("a", "b", 1), away("a", "c", 2)), ("c",), (("a", "c"),), ()),
        ((away("a", "b", hours=0.5),), ("a",), (), ()),
    ],
    ids=["there", "stands in", "his stand-in stands in", "nobody", "each for the other", "said again", "back again"],
)
def test_whoever_is_away_has_a_stand_in_or_is_missing(
    absences: tuple[Absence, ...], people: tuple[str, ...], stood_in: tuple[tuple[str, str], ...], missing: tuple[str, ...]
) -> None:
    one = roster(FLOOD, people=("a",))
    found = on_duty(table(one, absences=absences), one, at("2026-07-20 09:00"))
    assert (found.people, found.stood_in, found.away) == (people, stood_in, missing)


@UNHURRIED
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["a", "b", "c", "d", ""]), st.integers(0, 60), st.integers(1, 60)), max_size=6
    ),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20), st.sampled_from([(), ("a",), ("d",)])), max_size=3),
    st.sets(st.sampled_from("abcd")),
)
def test_a_gap_is_exactly_when_nobody_within_reach_is_on_duty(
    absences: list[tuple[str, str, int, int]], overrides: list[tuple[int, int, tuple[str, ...]]], reachable: set[str]
) -> None:
    since = at("2026-09-29 00:00")
    until = since + timedelta(hours=80)  # over the end of the flood season
    hour = timedelta(hours=1)
    one = roster(FLOOD, OFFICE)
    duty = table(
        one,
        absences=tuple(
            Absence(seq=n, person=p, stand_in=s, begins=since + hour * b, ends=since + hour * (b + h))
            for n, (p, s, b, h) in enumerate(absences)
        ),
        overrides=tuple(
            Override(seq=n, roster="r", begins=since + hour * b, ends=since + hour * (b + h), people=p)
            for n, (b, h, p) in enumerate(overrides)
        ),
    )
    found = duty_gaps(duty, reachable, since, until)
    for half_hours in range(160):
        now = since + half_hours * hour / 2
        nobody = not any(person in reachable for person in on_duty(duty, one, now).people)
        assert sum(gap.begins <= now < gap.ends for gap in found) == nobody
    assert all(a.ends <= b.begins for a, b in pairwise(found))


def test_gaps_say_why_nobody_is_there() -> None:
    one = roster(OFFICE, people=("a", "b"), since=date(2026, 1, 5))
    duty = table(
        one,
        absences=(Absence(seq=1, person="a", begins=at("2026-01-05 08:00"), ends=at("2026-01-05 12:00")),),
        entries={("r", date(2026, 1, 7), "office"): Entry(roster="r", day=date(2026, 1, 7), shift="office", people=())},
    )
    found = duty_gaps(duty, {"a"}, at("2026-01-05 08:30"), at("2026-01-07 17:30"))
    assert [(gap.lack, gap.shift) for gap in found] == [
        (Lack.AWAY, "office"),
        (Lack.NO_SHIFT, ""),
        (Lack.UNREACHABLE, "office"),  # b has no number
        (Lack.NO_SHIFT, ""),
        (Lack.NOBODY, "office"),
    ]
    assert (found[0].begins, found[0].ends) == (at("2026-01-05 08:30"), at("2026-01-05 12:00"))


@UNHURRIED
@given(MOMENTS, st.integers(1, 72))
def test_the_turns_between_two_moments_are_those_that_hold_one_of_them(since: datetime, hours: int) -> None:
    one = roster(FLOOD, OFFICE)
    duty = table(one)
    until = since + timedelta(hours=hours)
    found = list(turns_between(duty, one, since, until))
    held = {turn_at(duty, one, since + timedelta(minutes=15 * n)) for n in range(hours * 4)} - {None}
    assert held <= set(found)
    assert [t.begins for t in found] == sorted(t.begins for t in found)
