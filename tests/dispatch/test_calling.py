import re
import uuid
from dataclasses import replace

import pytest
from msgspec import structs

from dispatcher.answers.links import Link, open_link
from dispatcher.calls.agenda import agenda
from dispatcher.calls.calling import Target, call, call_on, fallback, targets_of, tell_again
from dispatcher.calls.escalating import asked, escalate, satisfied_of
from dispatcher.model.answer import Said
from dispatcher.model.delivery import Delivery, delivery_id
from dispatcher.model.notice import Notice
from dispatcher.model.task import TaskKind
from dispatcher.policy.model import Action, AnsweredBy, GradePlan, Quorum
from dispatcher.ports import DeliveryState, Status
from dispatcher.warnings.issuing import code_of, first_call
from rules.grade import Grade
from tests.dispatch.making import (
    CONTACTS,
    COUNTY_LEADER,
    HEAD,
    SECRET,
    SECRETARY,
    START,
    TOWNSHIP_LEADER,
    V1,
    V2,
    V3,
    WARDEN,
    answer,
    contact,
    house,
    minutes,
    notice,
    red_plan,
    step,
)  # fmt: skip

HOUSE, PLAN = house(), red_plan()


def released(village: str = V1, plan: GradePlan = PLAN, told: Notice | None = None) -> tuple[Notice, dict[tuple[str, str], Delivery]]:
    opened, deliveries, _ = first_call(HOUSE, told or notice(village=village), plan, START)
    return opened, {(d.channel, d.address): d for d in deliveries}


def test_at_release_everyone_of_the_first_steps_is_called_and_nobody_else() -> None:
    opened, made = released()
    assert set(made) == {("sms", SECRETARY), ("sms", HEAD), ("sms", WARDEN), ("loudspeaker", "spk-1"), ("duty_room", "duty-room")}
    assert opened.steps_done == 4
    assert opened.next_due == START + minutes(3)


def test_each_person_reads_his_own_language_and_answers_through_his_own_link() -> None:
    _, made = released()
    zh, en = made["sms", WARDEN], made["sms", HEAD]
    assert "立即转移" in zh.text
    assert "MOVE NOW" in en.text
    for delivery in (zh, en):
        assert "4217" in delivery.text
        token = re.search(r"https://dispatch\.example/a/([\w.-]+)", delivery.text)
        assert token is not None
        assert open_link(SECRET, token[1], START) == Link("4217", delivery.person)


def test_code_and_link_stand_only_where_an_answer_is_asked() -> None:
    _, made = released()
    for channel, address in (("loudspeaker", "spk-1"), ("duty_room", "duty-room")):
        assert "4217" not in made[channel, address].text
        assert "/a/" not in made[channel, address].text
    target = Target(person="warden", role="village.warden", channel="sms", address=WARDEN, language="zh")
    (lowered,) = tell_again(HOUSE, notice(Grade.BLUE, before=Grade.RED, revision=2), [target], START)
    assert "/a/" not in lowered.text
    assert "降为" in lowered.text


@pytest.mark.parametrize(("language", "mark"), [("zh", "【演练】"), ("en", "[EXERCISE]")])
def test_an_exercise_says_so_first(language: str, mark: str) -> None:
    people = [replace(c, language=language) for c in CONTACTS]
    drill = house(contacts=people, status=Status.EXERCISE)
    _, deliveries, _ = first_call(drill, replace(notice(), status=Status.EXERCISE), PLAN, START)
    texts = [d.text for d in deliveries if d.channel == "sms"]
    assert texts
    assert all(text.upper().startswith(mark) for text in texts)
    assert all(d.status is Status.EXERCISE for d in deliveries)


def test_the_same_call_made_again_has_the_same_ids_and_a_repeat_has_others() -> None:
    entries = agenda(PLAN)
    first, again = (call(HOUSE, notice(), PLAN, entries[:3], START) for _ in range(2))
    repeat = call(HOUSE, notice(), PLAN, entries[3:6], START)
    assert [d.id for d in first.deliveries] == [d.id for d in again.deliveries]
    assert not {d.id for d in first.deliveries} & {d.id for d in repeat.deliveries}
    assert {d.channel for d in repeat.deliveries} == {"sms", "loudspeaker"}, "the page of the duty room still shows it"


def test_a_person_with_two_roles_gets_one_message() -> None:
    both = [*CONTACTS, contact("warden-too", "village.head", V3, "+447700900043")]
    _, deliveries, _ = first_call(house(contacts=both), notice(village=V3), PLAN, START)
    assert [d.address for d in deliveries if d.channel == "sms"] == ["+447700900043"]


def test_a_role_that_nobody_holds_is_a_task_in_both_languages() -> None:
    _, _, tasks = first_call(HOUSE, notice(village=V2), PLAN, START)
    gaps = [t for t in tasks if t.kind is TaskKind.GAP]
    assert {t.key for t in gaps} == {f"gap/{V2}/village.party_secretary", f"gap/{V2}/village.speakers"}
    assert all("无人可叫" in t.text_zh and "nobody reachable" in t.text_en for t in gaps)


def test_when_the_first_step_reaches_nobody_the_next_starts_at_once() -> None:
    alone = house(contacts=[c for c in CONTACTS if c.area != V1])
    opened, deliveries, _ = first_call(alone, notice(), PLAN, START)
    assert {d.address for d in deliveries if d.channel == "sms"} == {TOWNSHIP_LEADER}
    assert [d.repeat for d in deliveries if d.channel == "loudspeaker"] == [0], "the speaker is not repeated before its time"
    assert opened.next_due == START + minutes(3)


def test_what_started_early_is_not_said_again_at_its_time() -> None:
    alone = house(contacts=[c for c in CONTACTS if c.area != V1])
    opened, early, _ = first_call(alone, notice(), PLAN, START)
    _, made, _, _ = escalate(alone, opened, PLAN, [], START + minutes(5))
    leader = [d.id for d in made if d.address == TOWNSHIP_LEADER]
    assert set(leader) <= {d.id for d in early}


def test_an_escalation_that_reaches_nobody_goes_on_to_the_next_step() -> None:
    nobody = house(contacts=[c for c in CONTACTS if c.role not in ("village.deputy", "township.leader_on_duty")])
    opened, _, _ = first_call(nobody, notice(), PLAN, START)
    _, made, tasks, _ = escalate(nobody, replace(opened, steps_done=6), PLAN, [], START + minutes(5))
    assert {d.address for d in made} == {COUNTY_LEADER}
    assert any(t.kind is TaskKind.OVERDUE for t in tasks)


def test_a_plan_that_first_tells_only_the_duty_room_calls_nobody_early() -> None:
    plan = replace(PLAN, repeat=None, steps=(step(0, "county.duty_room", by=(("duty_room",),)), step(10, "village.head")))
    _, made = released(plan=plan)
    assert set(made) == {("duty_room", "duty-room")}


def test_channels_a_person_lacks_are_passed_over_and_the_rest_are_fallbacks() -> None:
    people = [replace(c, channels=("sms", "voice", "chat")) if c.id == "warden" else c for c in CONTACTS]
    first = step(0, "village.warden", "village.head", by=(("voice", "sms"), ("chat",)))
    targets, gaps = targets_of(house(contacts=people), notice(), first, START)
    assert [(t.address, t.channel, t.fallbacks) for t in targets] == [
        (WARDEN, "voice", (("chat",),)),
        (WARDEN, "sms", (("chat",),)),
        (HEAD, "sms", ()),
    ]
    assert gaps == []


def test_a_channel_that_failed_gives_way_to_the_next_one_and_the_last_to_nothing() -> None:
    _, made = released()
    failed = structs.replace(made["sms", WARDEN], channel="voice", fallbacks=(("sms",), ("duty_room",)))
    (next_one,) = fallback(HOUSE, failed, notice(), START)
    assert (next_one.channel, next_one.address, next_one.person) == ("sms", WARDEN, "warden")
    assert next_one.fallbacks == (("duty_room",),)
    assert fallback(HOUSE, structs.replace(failed, fallbacks=()), notice(), START) == ()


def test_a_silent_village_goes_up_the_chain_and_an_answered_one_does_not() -> None:
    opened, _ = released()
    after, made, _, lines = escalate(HOUSE, opened, PLAN, [], START + minutes(5))
    assert TOWNSHIP_LEADER in {d.address for d in made}
    assert lines[0].grade is Grade.RED
    assert after.steps_done > opened.steps_done
    _, made, _, lines = escalate(HOUSE, opened, PLAN, [answer(Said.RECEIVED)], START + minutes(5))
    assert (made, lines) == ((), ())


def test_call_on_without_a_gap_is_call() -> None:
    entries = agenda(PLAN)
    assert call_on(HOUSE, notice(), PLAN, entries[:3], entries[3:], START) == call(HOUSE, notice(), PLAN, entries[:3], START)


def test_one_person_with_two_roles_counts_once_for_a_quorum() -> None:
    two_roles = house(contacts=[*CONTACTS, contact("warden-too", "village.deputy", V1, WARDEN)])
    plan = replace(PLAN, answered_by=AnsweredBy(kind=Quorum.SOME, count=2))
    said = [answer(Said.RECEIVED, "warden"), answer(Said.RECEIVED, "warden-too")]
    assert satisfied_of(two_roles, notice(), plan, said) == frozenset()
    assert satisfied_of(two_roles, notice(), plan, [*said, answer(Said.RECEIVED, "head")]) == {Action.RECEIVED}


def test_the_desk_of_the_duty_room_is_not_one_of_those_who_must_answer() -> None:
    with_desk = house(contacts=[*CONTACTS, contact("duty", "county.duty_room", "990121000000", "+447700900000")])
    assert asked(with_desk, notice(), PLAN) == {"secretary", "head", "warden"}


def test_codes_walk_through_all_before_one_comes_again() -> None:
    codes = [code_of(n, 4) for n in range(9000)]
    assert len(set(codes)) == 9000
    assert all(len(c) == 4 and c[0] != "0" for c in codes)


def test_the_id_of_a_delivery_is_what_it_was_before_it_was_made_faster() -> None:
    namespace = uuid.UUID("9d1f8a52-6a63-5b0e-9c1c-3a1f0f6d2b11")
    for n in range(64):
        named = "\n".join((f"w/{n}/1", f"w/{n}/2", "sms", f"+44770090{n:04d}", str(n % 5), str(n % 3)))
        made = delivery_id((f"w/{n}/2", f"w/{n}/1"), "sms", f"+44770090{n:04d}", n % 5, n % 3)
        assert made == uuid.uuid5(namespace, named).hex


def test_everybody_of_a_village_reads_the_same_but_for_his_own_link() -> None:
    _, made = released()
    texts = [made["sms", address].text for address in (SECRETARY, WARDEN)]
    links = [re.findall(r"https?://\S+/a/(\S+)", text)[0] for text in texts]
    assert [open_link(SECRET, link, START).person for link in links] == ["secretary", "warden"]
    assert len({text.replace(link, "") for text, link in zip(texts, links, strict=True)}) == 1


def test_what_stands_on_the_duty_rooms_page_is_delivered_when_it_is_planned() -> None:
    _, made = released()
    assert made["duty_room", "duty-room"].state is DeliveryState.DELIVERED
    assert made["sms", WARDEN].state is DeliveryState.PLANNED
