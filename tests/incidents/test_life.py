from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.accounts import Role
from dispatcher.errors import Problem
from dispatcher.incidents.life import MOVES, Move, Owed, after_move, deadlines, next_of_day, next_reminder, reminders, why_not
from dispatcher.incidents.load import FILE, read_reporting
from dispatcher.incidents.messages import photo_type, reported_text
from dispatcher.incidents.model import Incident, IncidentState, Origin, Report, Reporting, ReportKind, ReportState
from dispatcher.ports import Status
from rules.grade import Grade

ZONE = ZoneInfo("Asia/Shanghai")
KNOWN = datetime(2026, 7, 20, 18, 10, tzinfo=UTC)  # 02:10 in the county
TABLE = Reporting()
WHOLE = {"time": "02:10", "place": "河口村", "source": "村支书", "course": "山洪进村"}


def incident(level: Grade = Grade.RED, *, phoned: bool = False, closed: bool = False) -> Incident:
    return Incident(
        id="20260721-1", county="990121000000", status=Status.ACTUAL, title="河口村山洪", hazard="flash-flood", area="990121101201",
        level=level, state=IncidentState.CLOSED if closed else IncidentState.OPEN, origin=Origin.HAND, origin_ref="", known_at=KNOWN,
        opened_at=KNOWN, opened_by="chen", phoned_at=KNOWN if phoned else None,
    )  # fmt: skip


def report(
    state: ReportState = ReportState.DRAFT, kind: ReportKind = ReportKind.FIRST, *, after: timedelta = timedelta(0),
    parts: Mapping[str, str] = WHOLE,
) -> Report:  # fmt: skip
    sent = KNOWN + after if state is ReportState.SENT else None
    return Report(
        incident="20260721-1", number=1, county="990121000000", kind=kind, state=state, parts=parts, drafted_by="chen",
        drafted_at=KNOWN, updated_at=KNOWN, sent_at=sent,
    )  # fmt: skip


def owed(one: Incident, *reports: Report) -> dict[Owed, timedelta]:
    return {d.owed: d.due - KNOWN for d in deadlines(one, reports, TABLE, ZONE)}


def test_a_red_incident_is_owed_by_telephone_in_15_and_in_writing_in_35_minutes() -> None:
    assert owed(incident()) == {Owed.TELEPHONE: timedelta(minutes=15), Owed.FIRST: timedelta(minutes=35)}
    assert owed(incident(phoned=True)) == {Owed.FIRST: timedelta(minutes=35)}
    assert owed(incident(Grade.BLUE)) == {Owed.FIRST: timedelta(hours=6)}


def test_after_the_first_report_follow_ups_are_owed_at_the_times_of_the_day_until_the_final_one() -> None:
    first = report(ReportState.SENT, after=timedelta(minutes=30))
    assert owed(incident(phoned=True), first) == {Owed.FOLLOW_UP: timedelta(hours=5, minutes=50)}, "08:00 in the county"
    morning = report(ReportState.SENT, ReportKind.FOLLOW_UP, after=timedelta(hours=5, minutes=50))
    assert owed(incident(phoned=True), first, morning) == {Owed.FOLLOW_UP: timedelta(hours=14, minutes=50)}, "17:00 in the county"
    assert owed(incident(phoned=True), first, report(ReportState.SENT, ReportKind.FINAL, after=timedelta(hours=7))) == {}


def test_a_draft_is_no_report_and_a_closed_incident_owes_nothing() -> None:
    assert Owed.FIRST in owed(incident(), report(ReportState.APPROVED))
    assert owed(incident(closed=True)) == {}


def test_reminders_come_at_50_and_80_percent_and_when_it_is_due() -> None:
    found = [(r.deadline.owed, r.percent, r.at - KNOWN) for r in reminders(deadlines(incident(phoned=True), (), TABLE, ZONE), TABLE)]
    assert found == [
        (Owed.FIRST, 50, timedelta(minutes=17, seconds=30)),
        (Owed.FIRST, 80, timedelta(minutes=28)),
        (Owed.FIRST, 100, timedelta(minutes=35)),
    ]


@given(
    st.sampled_from([g for g in Grade if g]), st.booleans(), st.integers(0, 3 * 86_400), st.lists(st.integers(0, 2 * 86_400), max_size=4)
)
def test_every_reminder_is_given_once_and_none_is_left_out(level: Grade, phoned: bool, until_s: int, sent_s: list[int]) -> None:  # noqa: FBT001
    reports = [report(ReportState.SENT, ReportKind.FOLLOW_UP, after=timedelta(seconds=s)) for s in sent_s]
    due = deadlines(incident(level, phoned=phoned), reports, TABLE, ZONE)
    every = [r.at for r in reminders(due, TABLE)]
    walked, at = [], KNOWN - timedelta(seconds=1)
    while (found := next_reminder(due, TABLE, at)) is not None and found <= KNOWN + timedelta(seconds=until_s):
        walked.append(found)
        at = found
    assert walked == sorted({at for at in every if at <= KNOWN + timedelta(seconds=until_s)})


@given(st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)), st.lists(st.times(), min_size=1, max_size=4, unique=True))  # noqa: DTZ001
def test_the_next_follow_up_lies_ahead_and_within_a_day(at: datetime, times: list[time]) -> None:
    now = at.replace(tzinfo=UTC)
    found = next_of_day(now, Reporting(follow_ups=tuple(times)), ZONE)
    assert now < found <= now + timedelta(days=1)
    assert found.astimezone(ZONE).time().replace(tzinfo=None) in times


def test_nothing_leaves_the_house_unreviewed() -> None:
    for (state, move), (after, _) in MOVES.items():
        if after is ReportState.SENT:
            assert (state, move) == (ReportState.APPROVED, Move.SEND)
        if after is ReportState.APPROVED:
            assert (state, move) == (ReportState.IN_REVIEW, Move.APPROVE)


def test_whoever_drafted_a_report_does_not_approve_it_whatever_his_role() -> None:
    waiting = report(ReportState.IN_REVIEW)
    assert "another releasing officer" in why_not(waiting, Move.APPROVE, "chen", Role.ADMINISTRATOR)
    assert "needs the role releasing_officer" in why_not(waiting, Move.APPROVE, "li", Role.DUTY_OFFICER)
    assert why_not(waiting, Move.APPROVE, "li", Role.RELEASING_OFFICER) == ""


def test_what_is_sent_stays_as_it_was_sent() -> None:
    for move in Move:
        assert "possible: nothing" in why_not(report(ReportState.SENT), move, "li", Role.ADMINISTRATOR)
        with pytest.raises(KeyError):
            after_move(report(ReportState.SENT), move)


def test_a_report_that_says_too_little_is_not_submitted_but_a_zero_report_is() -> None:
    little = report(parts={"time": "02:10"})
    assert why_not(little, Move.SUBMIT, "chen", Role.DUTY_OFFICER) == "the report does not say: place, source, course"
    assert why_not(report(kind=ReportKind.ZERO, parts={}), Move.SUBMIT, "chen", Role.DUTY_OFFICER) == ""


def table(tmp_path: Path, text: str) -> tuple[Reporting, list[Problem]]:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    problems: list[Problem] = []
    return read_reporting(tmp_path, problems), problems


def test_the_countys_own_table_is_read(tmp_path: Path) -> None:
    text = 'source: ours\nlevels:\n  red: {telephone: 20m, written: 40m, to: [市局]}\nfollow_ups: ["17:00", "08:00"]\nremind_at: [80, 50]\n'
    found, problems = table(tmp_path, text)
    assert problems == []
    assert found.levels[Grade.RED].telephone == timedelta(minutes=20)
    assert found.levels[Grade.RED].to == ("市局",)
    assert (found.follow_ups, found.remind_at) == ((time(8), time(17)), (50, 80))
    assert owed(incident(Grade.BLUE)) != {}
    assert deadlines(incident(Grade.BLUE), (), found, ZONE) == (), "a level that the table leaves out owes nothing"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("source: x\nlevels:\n  crimson: {written: 1h}\n", 3, "unknown key 'crimson'; allowed: red, orange, yellow, blue"),
        ("source: x\nlevels:\n  red: {written: 0m}\n", 3, "a limit must be longer than 0"),
        ("source: x\nlevels:\n  red: {telephone: 2h, written: 1h}\n", 3, "the telephone comes before the written report"),
        ("source: x\nlevels:\n  red: {written: 1h}\nfollow_ups: ['25:00']\n", 4, "expected a time of day"),
        ("levels:\n  red: {written: 1h}\n", 1, "'source' is missing"),
        ("source: x\nlevels:\n  red: {written: 1h}\nremind_at: [150]\n", 4, "expected a whole number from 1 to 99"),
    ],
)
def test_a_mistake_in_the_table_is_named_with_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    _, problems = table(tmp_path, text)
    assert [(p.line, says in p.message) for p in problems] == [(line, True)]


@pytest.mark.parametrize("word", ["灾情：", "【险情】", "报告 ", "REPORT: ", " 上报,"])
def test_a_text_that_begins_with_the_word_is_a_report(word: str) -> None:
    assert reported_text(f"{word}河水进村，两户被淹") == "河水进村，两户被淹"


@pytest.mark.parametrize("text", ["收到", "1 4217", "灾情", "reporting for duty", "已转移35人，灾情稳定", ""])
def test_any_other_text_is_none(text: str) -> None:
    assert reported_text(text) == ""


def test_only_pictures_are_pictures() -> None:
    assert photo_type(b"\xff\xd8\xff\xe0rest") == "image/jpeg"
    assert photo_type(b"\x89PNG\r\n\x1a\nrest") == "image/png"
    assert photo_type(b"<svg onload=alert(1)>") == photo_type(b"") == ""
