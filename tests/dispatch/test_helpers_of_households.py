"""Helpers of households in need are called by the plan, answer for their households, and people moved are held against the lists."""

from dataclasses import replace

from dispatcher.errors import PermanentFailure
from dispatcher.house import House
from dispatcher.model.answer import Said
from dispatcher.model.notice import NoticeState
from dispatcher.model.task import TaskKind
from dispatcher.registry.helping import HELPERS, Helping, listed_of
from dispatcher.registry.households import HouseholdBook
from dispatcher.registry.refuge import Refuge, Transfer
from dispatcher.testing.stores import FarSide
from rules.grade import Grade
from tests.dispatch.making import CONTACTS, START, V1, V2, WARDEN, change, contact, house, minutes
from tests.dispatch.running import Running, running

HELPER = "+447700900051"
LIST = f"""id,village,part,name,address,people,needs,helper
h1,{V1},一组,彭荣华,3号,1,独居老人,neighbour
h2,{V1},二组,周志明,7号,2,孕妇,neighbour
h3,{V2},一组,唐水清,9号,2,低龄儿童,neighbour
h4,{V2},二组,李小满,12号,1,行动不便,
"""
SECRETS = ("彭荣华", "周志明", "唐水清", "3号", "7号", "9号", "独居", "孕妇", "儿童")


def county() -> House:
    made = house(contacts=[*CONTACTS, replace(contact("neighbour", "village.neighbour", V1, HELPER), channels=("sms", "voice"))])
    transfers = (Transfer(village=V1, group="", contact="head", shelter="", people=42),)
    return replace(made, registry=replace(made.registry, refuge=Refuge(transfers=transfers)))


async def red(engine: Running, text: str = LIST) -> None:
    book = HouseholdBook(engine.place)
    if text:
        await book.put_all(text, "admin", "")
    await engine.change(change(Grade.RED, "G1"))
    await engine.send()


async def test_a_helper_gets_one_message_about_his_households_in_all_villages(place: FarSide) -> None:
    async with running(place, county()) as engine:
        await red(engine)
        (text,) = engine.sms.told(HELPER)
        assert "村201" in text
        assert "2户3人" in text
        assert "村202" in text
        assert "1户2人" in text
        assert f"1 {(await engine.notice(V1)).code}" in text


async def test_no_text_names_a_household_its_address_or_what_ails_it(place: FarSide) -> None:
    async with running(place, county()) as engine:
        await red(engine)
        kept = [d.text + d.bundle for d in await engine.deliveries()]
        assert kept
        assert not [secret for secret in SECRETS if any(secret in text for text in kept)]


async def test_households_without_a_helper_are_a_gap_and_a_village_without_such_households_is_none(place: FarSide) -> None:
    async with running(place, county()) as engine:
        await red(engine)
        assert [t.village for t in await engine.tasks() if t.kind is TaskKind.GAP and HELPERS in t.key] == [V2]
    async with running(place, county()) as engine:
        await HouseholdBook(engine.place).put_all(LIST.split("h4", maxsplit=1)[0], "admin", "")
        await engine.change(change(Grade.RED, "G3"))
        gaps = [t for t in await engine.tasks() if t.kind is TaskKind.GAP and HELPERS in t.key]
        assert [t.village for t in gaps] == [V2]


async def test_what_is_erased_calls_nobody(place: FarSide) -> None:
    async with running(place, county()) as engine:
        await HouseholdBook(engine.place).put_all(LIST, "admin", "")
        for one in ("h1", "h2", "h3"):
            await HouseholdBook(engine.place).erase(one, "admin", "")
        await red(engine, "")
        assert engine.sms.told(HELPER) == []


async def test_a_helper_answers_for_his_households_and_not_for_the_village(place: FarSide) -> None:
    async with running(place, county()) as engine:
        await red(engine)
        code = (await engine.notice(V1)).code
        await engine.reply(HELPER, f"3 {code} 3")
        (said,) = await engine.answers()
        assert (said.action, said.people, said.helper) == (Said.EVACUATED, 3, True)
        assert (await engine.notice(V1)).state is NoticeState.CALLING
        await engine.later(minutes(5))
        assert engine.sms.told("+447700900021"), "the township is called, because the village itself has not answered"
        await engine.reply(HELPER, f"9 {code}")
        assert TaskKind.HELP in [t.kind for t in await engine.tasks()]
        assert (await engine.notice(V1)).state is NoticeState.CALLING


async def test_who_is_called_for_the_village_too_answers_for_it(place: FarSide) -> None:
    async with running(place, county()) as engine:
        await red(engine, LIST.replace("neighbour", "warden"))
        assert len(engine.sms.told(WARDEN)) == 2  # the village's, and that of his households
        await engine.reply(WARDEN, f"1 {(await engine.notice(V1)).code}")
        assert (await engine.answers())[0].helper is False
        assert (await engine.notice(V1)).state is NoticeState.ANSWERED


async def test_a_helpers_next_channel_says_the_same_of_his_households(place: FarSide) -> None:
    plan = county().policies.for_hazard("flash-flood")
    steps = tuple(replace(s, by=(("sms",), ("voice",))) if HELPERS in s.to else s for s in plan.grades[Grade.RED].steps)
    policy = replace(plan, grades={**plan.grades, Grade.RED: replace(plan.grades[Grade.RED], steps=steps)})
    made = county()
    async with running(place, replace(made, policies=replace(made.policies, policies={policy.id: policy}))) as engine:
        engine.sms.troubles[HELPER] = [PermanentFailure("30005", "dead")]
        await red(engine, LIST.split("h3", maxsplit=1)[0])
        (call,) = [d for d in await engine.deliveries(HELPER) if d.channel == "voice"]
        assert "2户3人" in call.text
        assert "请按9" in call.text


async def test_fewer_people_than_listed_is_a_task_until_the_number_is_that_of_the_list(place: FarSide) -> None:
    async with running(place, county()) as engine:
        await red(engine)
        notice = await engine.notice(V1)
        assert (notice.listed, notice.helped) == (42, 3)
        await engine.reply(WARDEN, f"3 {notice.code} 35")
        (task,) = [t for t in await engine.tasks() if t.kind is TaskKind.COUNT]
        assert "35人" in task.text_zh
        assert "42" in task.text_zh
        assert "7 are open" in task.text_en
        await engine.reply(HELPER, f"3 {notice.code} 3")
        assert TaskKind.COUNT in [t.kind for t in await engine.tasks()], "what a helper counts is a part of the 42"
        await engine.reply(WARDEN, f"3 {notice.code} 42")
        assert TaskKind.COUNT not in [t.kind for t in await engine.tasks()]


async def test_a_village_that_still_moves_or_has_no_list_raises_no_task(place: FarSide) -> None:
    async with running(place, house()) as engine:
        await red(engine, "")
        await engine.reply(WARDEN, f"3 {(await engine.notice(V1)).code} 5")
    async with running(place, county()) as engine:
        await engine.change(change(Grade.RED, "G3", at=START))
        assert TaskKind.COUNT not in [t.kind for t in await engine.tasks()]


def test_the_list_of_a_village_is_who_must_move_or_who_needs_help_where_that_is_more() -> None:
    first, second = (Helping(village=v, helper="", households=1, people=n) for v, n in ((V1, 3), (V2, 1)))
    helpers = {V1: (first,), V2: (second,)}
    refuge = Refuge(transfers=(Transfer(village=V1, group="", contact="a", shelter="", people=42),))
    assert listed_of(refuge, helpers, V1).people == 42
    assert (listed_of(refuge, helpers, V2).people, listed_of(refuge, helpers, V2).helped) == (1, 1)
    assert listed_of(Refuge(), {}, V1).people == 0
