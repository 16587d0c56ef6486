"""Each invariant finds what it is there for, in ledgers that were made up for it."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulators.ledger import Entry, Kind
from tests.faults.deployment import POLLED, POLLED_SENDER
from tests.faults.evidence import Evidence
from tests.faults.storm import Route
from tests.faults.verdict import Reference, Verdict, at_release, judge

AT = datetime(2026, 7, 20, 6, 0, tzinfo=UTC)
PHONE = "+447700900001"


def notice(revision: int = 1, grade: int = 3) -> dict[str, Any]:
    named = {"id": f"w/v/{revision}", "warning": "w", "village": "v", "revision": revision, "grade": grade}
    return named | {"hazard": "flash-flood", "purpose": "warn", "state": "calling", "status": "Actual", "released_at": 1}


def delivery(name: str, revision: int = 1, *, marked: bool = False, state: str = "delivered", step: int = 0) -> dict[str, Any]:
    named = {"id": name, "notice": f"w/v/{revision}", "channel": "sms", "address": PHONE, "step": step, "repeat": 0, "reference": ""}
    return named | {"state": state, "possible_duplicate": int(marked), "planned_at": 1, "text": ""}


def heard(name: str, body: str = "1 4821") -> Entry:
    return Entry(at=AT, kind=Kind.SMS_ACCEPTED, delivery=name, to=PHONE, body=body)


#: What all answers of the one villager have.
RECEIVED = {"action": "received", "person": "c1"}
CHANGE = ("rain", "G1", 0, 3, 1)
SOUND = Evidence(
    accepted={"m": Route.MQTT, "k": Route.KAFKA, "h": Route.HTTP},
    acknowledged=frozenset({"m"}),
    held=frozenset(),
    in_topic=Counter({"k": 1}),
    journalled=Counter({"m": 2, "k": 1, "h": 2}),
    changes=Counter([CHANGE]),
    hurried=frozenset(),
    world=(heard("d1"),),
    notices=(notice(),),
    deliveries=(delivery("d1"),),
    answers=(),
    tasks=(),
    rejects=frozenset({"abc"}),
    published=frozenset({"w/v/1", "w/v/2"}),
    exercised=frozenset({"w/v/1", "w/v/2"}),
    status="Actual",
    garbage=frozenset({"abc"}),
    people={"c1": (PHONE, "某人")},
)


def judged(**changed: Any) -> Verdict:  # noqa: ANN401 - any part of the evidence
    return judge(replace(SOUND, **changed), Reference(changes=SOUND.changes, told=at_release(SOUND)))


def test_a_sound_run_holds() -> None:
    assert judged().holds
    assert (judged().deliveries, judged().broker_lost, judged().marked) == (1, 0, 0)


@pytest.mark.parametrize(
    ("what", "changed"),
    [
        ("by mqtt and is not in the journal", {"journalled": Counter({"k": 1, "h": 1})}),
        ("by http and is not in the journal", {"journalled": Counter({"m": 1, "k": 1})}),
        ("not among the rejects", {"rejects": frozenset()}),
        ("change", {"changes": Counter()}),
        ("never reached the world", {"deliveries": (delivery("d1"), delivery("d2", step=1, state="failed"))}),
        ("heard (0, 0) as worst", {"world": (), "deliveries": (), "notices": ()}),
        ("exists 2 times", {"notices": (notice(), notice())}),
    ],
)
def test_what_is_missing_is_found(what: str, changed: dict[str, Any]) -> None:
    found = judged(**changed)
    assert not found.holds
    assert any(what in one for one in found.lost), found


def test_what_a_broker_accepted_and_forgot_before_the_engine_had_it_is_its_loss() -> None:
    found = judged(journalled=Counter({"k": 1, "h": 1}), acknowledged=frozenset(), changes=Counter())
    assert (found.broker_lost, found.lost) == (1, ())


def test_what_a_broker_still_holds_for_the_engine_at_the_end_is_the_engines_loss() -> None:
    found = judged(journalled=Counter({"k": 1, "h": 1}), acknowledged=frozenset(), held=frozenset({"m"}))
    assert (found.broker_lost, len(found.lost)) == (0, 1)


def test_twice_is_found_unless_it_is_marked() -> None:
    twice = (heard("d1"), heard("d1"))
    assert len(judged(world=twice).unmarked) == 1
    found = judged(world=twice, deliveries=(delivery("d1", marked=True),))
    assert (found.holds, found.marked) == (True, 1)


def test_the_same_text_under_a_new_id_is_said_twice() -> None:
    found = judged(world=(heard("d1"), heard("d1-2")))
    assert len(found.unmarked) == 1
    assert any("which no delivery has" in one for one in found.wrong)


def test_a_delivery_that_is_planned_twice_is_found() -> None:
    assert judged(deliveries=(delivery("d1"), delivery("d2")), world=(heard("d1"), heard("d2"))).unmarked


def test_an_older_notice_behind_a_newer_one_is_out_of_order_unless_it_is_said_once_more_and_marked() -> None:
    notices = (notice(1, 1), notice(2, 3))
    both = (delivery("d1"), delivery("d2", 2))
    assert len(judged(notices=notices, deliveries=both, world=(heard("d2"), heard("d1"))).out_of_order) == 1
    marked = (delivery("d1", marked=True), delivery("d2", 2))
    again = judged(notices=notices, deliveries=marked, world=(heard("d1"), heard("d2"), heard("d1")))
    assert (again.out_of_order, again.marked) == ((), 1)


def test_effects_that_nobody_decides_and_records_that_are_read_twice_are_wrong() -> None:
    assert judged(changes=Counter([CHANGE, ("rain", "G2", 0, 4, 1)])).wrong
    assert judged(changes=Counter([CHANGE, CHANGE])).wrong
    assert judged(journalled=Counter({"m": 1, "k": 2, "h": 1})).wrong
    assert judged(journalled=Counter({"m": 1, "k": 2, "h": 1}), in_topic=Counter({"k": 2})).holds


def test_an_answer_that_was_taken_is_an_answer_or_work_for_a_person() -> None:
    said = Entry(at=AT, kind=Kind.SMS_REPLY, to=PHONE, act="a", body="收到")
    taken = Entry(at=AT, kind=Kind.CALLBACK_SENT, to=PHONE, act="a", code="http-204")
    clicked = Entry(at=AT, kind=Kind.LINK_SUBMITTED, to=PHONE, act="b", more={"action": "received"})
    world = (*SOUND.world, said, taken, clicked)
    assert len(judged(world=world).lost) == 2
    by_sms, by_link = ({"path": "sms", "note": "收到", **RECEIVED}, {"path": "link", "note": "", **RECEIVED})
    assert judged(world=world, answers=(by_sms, by_link)).holds
    assert judged(world=world, answers=(by_link,), tasks=({"text_zh": "河口村 某人 回复未能识别：“收到”"},)).holds
    assert judged(world=(*SOUND.world, said)).holds, "what we never took is not ours to keep"
    assert judged(world=world, answers=(by_sms | {"person": "c2"}, by_link)).lost, "another man's word is not his"
    listed = replace(said, more={"sender": POLLED_SENDER})
    assert judged(world=(*SOUND.world, listed)).lost, "what lies in the list of a gateway that is asked has reached us"
    assert judged(world=(*SOUND.world, listed), answers=(by_sms,)).holds


def test_a_key_pressed_in_a_call_that_was_taken_is_an_answer_unless_something_newer_was_said() -> None:
    pressed = Entry(at=AT, kind=Kind.CALL_KEY, delivery="d1", to=PHONE, act="c/key", body="1")
    world = (*SOUND.world, pressed)
    assert "pressed 1" in judged(world=world).lost[0]
    assert judged(world=world, answers=({"path": "voice", "note": "1", "notice": "w/v/1", **RECEIVED},)).holds
    assert judged(world=world, notices=(notice() | {"state": "superseded"},)).holds
    assert judged(world=(*SOUND.world, replace(pressed, code="http-503"))).holds, "we never took it"


def test_a_key_at_a_speaker_that_the_broker_took_is_one_answer_unless_something_newer_was_said() -> None:
    pressed = Entry(at=AT, kind=Kind.SPEAKER_PRESSED, delivery="d1", to="spk", act="spk/d1/key", code="1")
    world, given = (*SOUND.world, pressed, pressed), {"path": "terminal", "note": "", "notice": "w/v/1", **RECEIVED}
    assert "was pressed at spk" in judged(world=world).lost[0]
    assert judged(world=world, answers=(given,)).holds
    assert "2 times and were pressed 1 times" in judged(world=world, answers=(given, given)).wrong[0]
    assert judged(world=world, notices=(notice() | {"state": "superseded"},)).holds


def test_a_word_in_the_chat_that_was_taken_is_an_answer_or_work_for_a_person() -> None:
    wrote = Entry(at=AT, kind=Kind.CHAT_ANSWERED, to=PHONE.removeprefix("+44"), reference="m", body="收到 4821")
    world = (*SOUND.world, wrote)
    assert "(chat)" in judged(world=world).lost[0]
    assert judged(world=world, answers=({"path": "chat", "note": " 收到 4821", **RECEIVED},)).holds
    assert judged(world=world, tasks=({"text_zh": "河口村 某人 的回复没有对应的通知：“ 收到 4821”"},)).holds
    assert judged(world=(*SOUND.world, replace(wrote, code="http-403"))).holds, "we never took it"


def test_what_a_gateway_that_is_asked_lists_as_arrived_is_known_to_have_arrived() -> None:
    asked = delivery("d1", state="sent") | {"gateway": POLLED, "reference": "SM1"}
    arrived = Entry(at=AT, kind=Kind.SMS_DELIVERED, to=PHONE, reference="SM1")
    assert "is sent" in judged(deliveries=(asked,), world=(*SOUND.world, arrived)).lost[0]
    assert judged(deliveries=(asked | {"state": "delivered"},), world=(*SOUND.world, arrived)).holds
    assert judged(deliveries=(asked,)).holds


EXERCISE: dict[str, Any] = {"status": "Exercise", "published": frozenset(), "notices": (notice() | {"status": "Exercise"},)}


def test_what_somebody_hears_of_an_exercise_says_so_and_what_is_in_earnest_does_not() -> None:
    command = Entry(
        at=AT + timedelta(seconds=1), kind=Kind.SPEAKER_COMMAND, delivery="d1", to=PHONE, body='{"status": "Actual", "text": ""}'
    )
    found = judged(**EXERCISE, world=(heard("d1"), command), deliveries=(delivery("d1", marked=True),))
    assert len(found.wrong) == 2
    marked = heard("d1", "【演练】1 4821")
    assert judged(**EXERCISE, world=(marked,)).holds
    assert "does not say so" in judged(world=(marked,)).wrong[0]


def test_only_who_takes_part_hears_of_an_exercise_within_a_storm_in_earnest() -> None:
    drill = notice() | {"id": "drill.w/v/1", "warning": "drill.w", "status": "Exercise"}
    told = delivery("d2") | {"notice": drill["id"]}
    within: dict[str, Any] = {"notices": (notice(), drill), "deliveries": (delivery("d1"), told), "exercised": frozenset({drill["id"]})}
    within |= {"world": (heard("d1"), heard("d2", "【演练】1 4821")), "participants": frozenset({PHONE})}
    assert judged(**within).holds
    assert "takes no part in it" in judged(**within | {"participants": frozenset()}).wrong[0]
    assert "published as a real one" in judged(**within, published=frozenset({"w/v/1", drill["id"]})).wrong[0]


def test_what_other_programs_were_not_told_is_lost_and_an_exercise_among_real_changes_is_a_leak() -> None:
    assert judged(published=frozenset()).lost == ("notice w/v/1 was never published",)
    exercise = EXERCISE | {"world": (heard("d1", "【演练】1 4821"),)}
    leaked = judged(**exercise | {"published": frozenset({"w/v/1"})})
    assert leaked.wrong == ("notice w/v/1 of an exercise was published as a real one",)
    assert judged(**exercise, exercised=frozenset()).lost


def test_a_word_of_the_officer_that_was_taken_is_kept_and_the_audit_log_hangs_together() -> None:
    assert judged(words=frozenset({"word-1"}), said=frozenset({"word-1", "word-2"})).holds
    assert "word-3" in judged(words=frozenset({"word-3"}), said=frozenset({"word-1"})).lost[0]
    assert "entry 7" in judged(audit_breaks=7).wrong[0]


def test_a_grade_that_came_and_went_in_one_decision_need_not_be_told_but_the_last_one_must() -> None:
    low: dict[str, Any] = {"world": (heard("d1"),), "notices": (notice(1, 2),), "hurried": frozenset({"flash-flood"})}
    owed = Reference(changes=SOUND.changes, told={("flash-flood", "v", PHONE): (4, 2)})
    assert judge(replace(SOUND, **low), owed).holds
    assert judge(replace(SOUND, **low | {"hurried": frozenset()}), owed).lost
    notices, deliveries = (notice(1, 2), notice(2, 4)), (delivery("d1"), delivery("d2", 2, state="superseded"))
    away = low | {"hurried": frozenset(), "notices": notices, "deliveries": deliveries}
    river: dict[str, Any] = {"notices": tuple(n | {"hazard": "river-flood"} for n in notices)}
    owed_there = Reference(changes=SOUND.changes, told={("river-flood", "v", PHONE): (4, 2)})
    assert judge(replace(SOUND, **away | river), owed_there).holds, "the way to him was away while it was red"
    assert judge(replace(SOUND, **low), replace(owed, told={("flash-flood", "v", PHONE): (4, 1)})).lost


def test_a_call_to_decide_may_expire() -> None:
    page = {**notice(), "id": "release-page.p1/c/1", "hazard": "release-page", "village": "c"}
    expired = {**delivery("p1", state="expired"), "notice": page["id"]}
    assert judged(notices=(*SOUND.notices, page), deliveries=(*SOUND.deliveries, expired)).lost == ()


def test_a_warning_may_not_expire() -> None:
    assert judged(deliveries=(delivery("d1"), delivery("d2", step=1, state="expired"))).lost
