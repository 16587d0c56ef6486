"""At night a call comes before a text, for who has both; the reason is kept with what was planned."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.calls.calling import call, targets_of
from dispatcher.calls.order import voice_first
from dispatcher.calls.preview import Announcement, preview
from dispatcher.policy.model import Policy
from dispatcher.policy.night import NIGHT, Night, night_from
from dispatcher.policy.snapshot import plan_as_json, plan_from_json
from dispatcher.registry.model import Contact
from dispatcher.testing.stores import FarSide
from rules.grade import Grade
from tests.dispatch.making import CONTACTS, HAZARD, SECRETARY, V1, WARDEN, change, house, notice, sample_policy
from tests.dispatch.running import Running, running

NIGHT_MOMENT = datetime(2026, 7, 20, 18, 10, tzinfo=UTC)  # 02:10 in the county
DAY_MOMENT = datetime(2026, 7, 20, 6, 0, tzinfo=UTC)  # 14:00
SHANGHAI = ZoneInfo("Asia/Shanghai")
WHY = "night 22:00-06:00: voice before sms"
CHANNELS = st.lists(st.lists(st.sampled_from(["sms", "voice", "chat"]), min_size=1, max_size=3, unique=True).map(tuple), max_size=4)


def text_first(night: Night | None = NIGHT) -> Policy:
    """The sample's policy, in which people are sent a text, then called, then sent a chat message."""
    policy = sample_policy()
    by = (("sms",), ("voice",), ("chat",))
    grades = {
        grade: replace(plan, night=night, steps=tuple(replace(s, by=by) if s.by == (("sms",),) else s for s in plan.steps))
        for grade, plan in policy.grades.items()
    }
    return replace(policy, grades=grades)


def people(*callable_ones: str) -> list[Contact]:
    return [replace(c, channels=("sms", "voice")) if c.id in callable_ones else c for c in CONTACTS]


@pytest.mark.parametrize(
    ("groups", "then"),
    [
        ((("sms",), ("voice",)), (("voice",), ("sms",))),
        ((("sms", "chat"), ("voice",)), (("voice",), ("sms", "chat"))),
        ((("chat",), ("sms",), ("voice", "duty_room")), (("chat",), ("voice",), ("sms",), ("duty_room",))),
        ((("voice", "sms"), ("chat",)), (("voice", "sms"), ("chat",))),
        ((("voice",), ("sms",)), (("voice",), ("sms",))),
        ((("sms",), ("chat",)), (("sms",), ("chat",))),
        ((("voice",),), (("voice",),)),
        ((), ()),
    ],
)
def test_only_a_call_that_would_come_after_a_text_moves(groups: tuple[tuple[str, ...], ...], then: tuple[tuple[str, ...], ...]) -> None:
    assert voice_first(groups) == then


@given(CHANNELS.map(tuple))
def test_no_channel_is_lost_by_the_night_and_a_call_is_never_behind_the_first_text(groups: tuple[tuple[str, ...], ...]) -> None:
    then = voice_first(groups)
    assert set(chain(*then)) == set(chain(*groups))
    assert voice_first(then) == then
    where = {channel: n for n, group in reversed(list(enumerate(then))) for channel in group}
    assert where.get("voice", -1) <= where.get("sms", len(then))
    rest = [tuple(c for c in group if c != "voice") for group in groups]
    assert [group for group in (tuple(c for c in g if c != "voice") for g in then) if group] == [group for group in rest if group]


@pytest.mark.parametrize(
    ("night", "local", "is_night"),
    [
        (NIGHT, "21:59:59", False),
        (NIGHT, "22:00:00", True),
        (NIGHT, "02:10:00", True),
        (NIGHT, "05:59:59", True),
        (NIGHT, "06:00:00", False),
        (Night(begins=time(1), ends=time(5)), "00:30:00", False),
        (Night(begins=time(1), ends=time(5)), "04:59:00", True),
        (Night(begins=time(1), ends=time(5)), "23:00:00", False),
    ],
)
def test_the_night_is_that_of_the_county(night: Night, local: str, is_night: bool) -> None:  # noqa: FBT001
    now = datetime.combine(datetime(2026, 7, 20, tzinfo=UTC).date(), time.fromisoformat(local), SHANGHAI)
    assert night.holds(now.astimezone(UTC), SHANGHAI) is is_night


def test_who_has_both_is_called_first_at_night_and_sent_a_text_first_by_day() -> None:
    kept, plan = house(contacts=people("warden", "secretary")), text_first().grades[Grade.RED]
    (first, *_) = plan.steps
    by_night = {t.address: t for t in targets_of(kept, notice(), first, NIGHT_MOMENT, plan.night)[0]}
    assert (by_night[WARDEN].channel, by_night[WARDEN].fallbacks, by_night[WARDEN].because) == ("voice", (("sms",),), WHY)
    others = [t for address, t in by_night.items() if address not in {WARDEN, SECRETARY}]
    assert {(t.channel, t.because) for t in others} == {("sms", "")}
    by_day = {t.address: t for t in targets_of(kept, notice(), first, DAY_MOMENT, plan.night)[0]}
    assert (by_day[WARDEN].channel, by_day[WARDEN].fallbacks, by_day[WARDEN].because) == ("sms", (("voice",),), "")


def test_a_policy_without_a_night_keeps_its_order() -> None:
    plan = text_first(None).grades[Grade.RED]
    made = call(house(contacts=people("warden")), notice(), plan, [], NIGHT_MOMENT)
    assert made.deliveries == ()
    targets, _ = targets_of(house(contacts=people("warden")), notice(), plan.steps[0], NIGHT_MOMENT, plan.night)
    assert {(t.channel, t.because) for t in targets} == {("sms", "")}


def test_the_snapshot_of_a_plan_keeps_its_night_and_one_from_before_has_none() -> None:
    plan = text_first(Night(begins=time(21, 30), ends=time(6, 30))).grades[Grade.RED]
    assert plan_from_json(plan_as_json(plan)).night == plan.night
    old = plan_as_json(plan).replace('"night": "21:30-06:30", ', "")
    assert plan_from_json(old).night is None
    assert night_from("") is None


async def test_the_reason_is_kept_with_the_delivery_and_the_text_follows_a_call_that_fails(place: FarSide) -> None:
    kept = house(contacts=people("secretary"), policy=text_first())
    async with running(place, kept, NIGHT_MOMENT) as engine:
        await engine.change(change(Grade.RED, at=NIGHT_MOMENT))
        (first,) = await engine.deliveries(SECRETARY)
        assert (first.channel, first.because) == ("voice", WHY)
        await engine.send()  # no gateway for calls: the text starts at once
        assert {d.channel: d.because for d in await engine.deliveries(SECRETARY)} == {"voice": WHY, "sms": ""}


async def test_the_night_of_the_release_stays_that_of_the_notice(engine: Running) -> None:
    assert engine.started.astimezone(SHANGHAI).hour == 16
    await engine.change(change(Grade.RED))
    assert {d.because for d in await engine.deliveries()} == {""}


def test_the_preview_says_how_many_are_called_because_it_is_night() -> None:
    said = [Announcement(village=V1, before=Grade.NONE, after=Grade.RED, reason_zh="雨", reason_en="rain")]
    kept = house(contacts=people("secretary", "warden"), policy=text_first())
    found = preview(kept, HAZARD, said, [], NIGHT_MOMENT)
    assert (found.called_first, found.night) == (2, "22:00-06:00")
    assert {load.channel for load in found.at_once if load.channel != "loudspeaker"} == {"sms", "voice"}
    by_day = preview(kept, HAZARD, said, [], NIGHT_MOMENT + timedelta(hours=12))
    assert (by_day.called_first, by_day.night) == (0, "")
