"""Rosters out as iCalendar and in again: nothing is lost on the way, and what other programs write is understood or refused."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.duty.ical import FromCalendar, as_calendar, from_calendar, names_of
from dispatcher.duty.model import Absence, DutyTable, Entry, Override
from dispatcher.duty.resolve import on_duty
from dispatcher.errors import ConfigurationError
from tests.duty.test_resolve import FLOOD, OFFICE, UNHURRIED, at, roster, table

NOW = at("2026-07-01 00:00")
PEOPLE = {"a": ("陈春生", "Chunsheng Chen"), "b": ("李桂英", ""), "c": ("王强", ""), "d": ("王强", "Qiang, Wang")}
SHOWN, IDS = names_of(PEOPLE)
SINCE, UNTIL = at("2026-09-28 00:00"), at("2026-10-05 00:00")  # over the end of the flood season
HALF_HOURS = st.integers(0, 7 * 48).map(lambda n: SINCE + timedelta(minutes=30 * n))
SPANS = st.tuples(HALF_HOURS, HALF_HOURS).filter(lambda span: span[0] < span[1])
NAMED = st.lists(st.sampled_from("abcd"), max_size=2, unique=True).map(tuple)


def written(*lines: str, count: int = 1) -> bytes:
    event = ["BEGIN:VEVENT", "UID:1", "DTSTAMP:20260701T000000Z", *lines, "END:VEVENT"] * count
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *event, "END:VCALENDAR", ""]).encode()


def read(duty: DutyTable, text: bytes, now: datetime = NOW) -> FromCalendar:
    return from_calendar(duty, duty.rosters["r"], text, IDS, now, "duty.ics")


def taken(duty: DutyTable, said: FromCalendar) -> DutyTable:
    entries = {(e.roster, e.day, e.shift): e for e in said.entries}
    overrides = tuple(replace(o, seq=100 + n) for n, o in enumerate(said.overrides))
    return replace(duty, entries=dict(duty.entries) | entries, overrides=(*duty.overrides, *overrides))


@settings(UNHURRIED, max_examples=40)
@given(
    st.lists(st.tuples(SPANS, NAMED), max_size=3),
    st.lists(st.tuples(SPANS, st.sampled_from("abc"), st.sampled_from(["", "d"])), max_size=2),
    st.dictionaries(st.tuples(st.integers(0, 5), st.sampled_from(["day", "night", "office"])), NAMED, max_size=4),
)
def test_what_goes_out_comes_in_again_as_the_same_duty(
    overrides: list[tuple[tuple[datetime, datetime], tuple[str, ...]]],
    absences: list[tuple[tuple[datetime, datetime], str, str]],
    entries: dict[tuple[int, str], tuple[str, ...]],
) -> None:
    one = roster(FLOOD, OFFICE)
    days = {("r", date(2026, 9, 28) + timedelta(days=n), shift): people for (n, shift), people in entries.items()}
    duty = replace(
        table(one),
        overrides=tuple(Override(seq=n, roster="r", begins=b, ends=e, people=p) for n, ((b, e), p) in enumerate(overrides)),
        absences=tuple(Absence(seq=n, person=p, begins=b, ends=e, stand_in=by) for n, ((b, e), p, by) in enumerate(absences)),
        entries={(r, day, shift): Entry(roster=r, day=day, shift=shift, people=people) for (r, day, shift), people in days.items()},
    )
    text = as_calendar(duty, one, SHOWN, SINCE, UNTIL, NOW)
    assert read(duty, text) == FromCalendar(), "what stands like that already is not written again"
    empty = replace(one, people=())
    again = taken(table(empty), read(table(empty), text))
    moments = [SINCE + timedelta(minutes=30 * n) for n in range(7 * 48)]
    assert [on_duty(again, empty, m).people for m in moments] == [on_duty(duty, one, m).people for m in moments]


def test_a_name_that_somebody_edits_is_who_is_on_duty_then() -> None:
    one = roster(FLOOD)
    duty = table(one)
    since = at("2026-07-20 08:00")
    text = as_calendar(duty, one, SHOWN, since, since + timedelta(hours=1), NOW)
    (before,) = on_duty(duty, one, since).people
    (entry,) = read(duty, text.replace(SHOWN[before].encode(), "d，李桂英".encode())).entries
    assert entry == Entry(roster="r", day=date(2026, 7, 20), shift="day", people=("d", "b"))


def test_whole_days_are_all_shifts_of_those_days_and_events_at_one_time_are_put_together() -> None:
    duty = table(roster(FLOOD))
    text = written("DTSTART;VALUE=DATE:20260720", "DTEND;VALUE=DATE:20260722", "SUMMARY:值班：陈春生、李桂英")
    assert [(e.day, e.shift, e.people) for e in read(duty, text).entries] == [
        (date(2026, 7, day), shift, ("a", "b")) for day in (20, 21) for shift in ("day", "night")
    ]
    apart = [written("DTSTART;VALUE=DATE:20260720", "DURATION:P2D", f"SUMMARY:{name}") for name in ("陈春生", "李桂英")]
    joined = apart[0].partition(b"END:VCALENDAR")[0] + apart[1][apart[1].index(b"BEGIN:VEVENT") :]
    assert read(duty, joined) == read(duty, text)


def test_a_time_that_is_no_shift_is_an_exception_and_one_within_another_wins() -> None:
    one = roster(FLOOD)
    inner = written("DTSTART;TZID=Asia/Shanghai:20260720T090000", "DTEND;TZID=Asia/Shanghai:20260720T110000", "SUMMARY:b, c")
    outer = written("DTSTART:20260720T003000Z", "DURATION:PT6H", "SUMMARY:d")
    both = inner.partition(b"END:VCALENDAR")[0] + outer[outer.index(b"BEGIN:VEVENT") :]
    said = read(table(one), both)
    assert [(o.begins, o.ends - o.begins, o.people) for o in said.overrides] == [
        (at("2026-07-20 08:30"), timedelta(hours=6), ("d",)),
        (at("2026-07-20 09:00"), timedelta(hours=2), ("b", "c")),
    ]
    assert on_duty(taken(table(one), said), one, at("2026-07-20 10:00")).people == ("b", "c")


def test_a_shift_that_an_exception_holds_now_is_taken_over_as_one_else_nothing_would_change() -> None:
    one = roster(FLOOD)
    over = Override(seq=1, roster="r", begins=at("2026-07-20 09:00"), ends=at("2026-07-20 11:00"), people=("b",))
    duty = replace(table(one), overrides=(over,))
    said = read(duty, written("DTSTART:20260720T000000Z", "DTEND:20260720T120000Z", "SUMMARY:d"))
    assert said.entries == ()
    assert on_duty(taken(duty, said), one, at("2026-07-20 10:00")).people == ("d",)


@pytest.mark.parametrize(
    ("lines", "now"),
    [
        (("DTSTART:20260720T000000Z", "DTEND:20260720T010000Z", "STATUS:CANCELLED", "SUMMARY:d"), NOW),
        (("DTSTART:20260720T000000Z", "DTEND:20260720T010000Z", "SUMMARY:d"), at("2026-07-20 09:00")),
    ],
    ids=["cancelled", "over"],
)
def test_what_is_cancelled_or_over_changes_nothing(lines: tuple[str, ...], now: datetime) -> None:
    assert read(table(roster(FLOOD)), written(*lines), now) == FromCalendar()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("DTSTART:20260720T000000Z", "DTEND:20260720T010000Z", "SUMMARY:nobody we know"), "event 1: a person who is no contact"),
        (("DTSTART:20260720T000000Z", "DTEND:20260720T010000Z", "SUMMARY:王强"), "or whose name several have"),
        (("DTSTART:20260720T000000Z", "DTEND:20260720T010000Z"), "a person who is no contact"),
        (("DTSTART:20260720T090000", "DTEND:20260720T110000", "SUMMARY:a"), "needs a beginning and an end with zone"),
        (("DTSTART:20260720T000000Z", "SUMMARY:a"), "needs a beginning and an end with zone"),
        (("DTSTART:20260720T000000Z", "DTEND;VALUE=DATE:20260721", "SUMMARY:a"), "needs a beginning and an end with zone"),
        (("DTSTART:00010101T000000", "DURATION:PT1H", "SUMMARY:a"), "needs a beginning and an end with zone"),
        (("DTSTART:20260720T000000Z", "DURATION:P99999999D", "SUMMARY:a"), "up to 366 days"),
        (("DTSTART:20260720T000000Z", "DTEND:99991231T235959Z", "SUMMARY:a"), "up to 366 days"),
        (("DTSTART:soon", "DTEND:20260720T010000Z", "SUMMARY:a"), "needs a beginning and an end with zone"),
        (("DTSTART:20260720T000000Z", "DTEND:20260720T010000Z", "RRULE:FREQ=DAILY", "SUMMARY:a"), "repeats; allowed: single events"),
        (("DTSTART:20260720T010000Z", "DTEND:20260720T000000Z", "SUMMARY:a"), "needs a beginning and an end"),
        (("DTSTART;VALUE=DATE:20261225", "SUMMARY:a"), "no shift begins on these days"),
    ],
)
def test_an_event_that_cannot_be_used_is_named(lines: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(table(roster(FLOOD)), written(*lines))
    assert said in str(caught.value)
    assert "nobody we know" not in str(caught.value)


@pytest.mark.parametrize("text", [b"BEGIN:VEVENT", b"", b"\xff\xfe\x00", b"hello"])
def test_what_is_no_calendar_is_refused(text: bytes) -> None:
    with pytest.raises(ConfigurationError, match="is no iCalendar"):
        read(table(roster(FLOOD)), text)


def test_times_are_moments_whatever_zone_a_program_writes() -> None:
    one = roster(FLOOD)
    for begins, ends in (
        ("DTSTART:20260720T000000Z", "DTEND:20260720T120000Z"),
        ("DTSTART;TZID=Europe/Madrid:20260720T020000", "DTEND;TZID=Europe/Madrid:20260720T140000"),
    ):
        (entry,) = read(table(one), written(begins, ends, "SUMMARY:d")).entries
        assert (entry.day, entry.shift) == (date(2026, 7, 20), "day")
    assert as_calendar(table(one), one, SHOWN, SINCE.astimezone(UTC), UNTIL, NOW) == as_calendar(table(one), one, SHOWN, SINCE, UNTIL, NOW)
