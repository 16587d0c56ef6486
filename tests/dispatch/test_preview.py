"""The look ahead counts what release then does."""

from collections import Counter

import pytest

from dispatcher.calls.preview import Announcement, ChannelLoad, preview
from dispatcher.deliveries.gateways import Gateway
from dispatcher.templates.segments import segments
from rules.grade import Grade
from tests.dispatch.making import CONTACTS, HAZARD, START, V1, V2, V3, change, house
from tests.dispatch.running import Running

SMS = Gateway(name="sms", channel="sms", rate=2, price=0.05)
RED = [
    Announcement(village=v, before=Grade.NONE, after=Grade.RED, reason_zh="1小时雨量86毫米", reason_en="86 mm of rain in 1 h")
    for v in (V1, V3)
]


def loads(found: tuple[ChannelLoad, ...]) -> dict[str, ChannelLoad]:
    return {load.channel: load for load in found}


async def test_what_was_seen_ahead_is_what_is_planned(engine: Running) -> None:
    ahead = loads(preview(engine.house, HAZARD, RED, [SMS], START).at_once)
    await engine.change(change(Grade.RED, "G1"), change(Grade.RED, "G3"))
    made = [d for d in await engine.deliveries() if d.village in {V1, V3} and d.channel != "duty_room"]
    assert Counter(d.channel for d in made) == {name: load.messages for name, load in ahead.items()}
    texts = [d for d in made if d.channel == "sms"]
    assert ahead["sms"].recipients == len({d.address for d in texts})
    assert abs(ahead["sms"].units - sum(segments(d.text).count for d in texts)) <= len(texts), "a reason more or less may be a segment"


def test_the_time_is_that_of_the_limits_and_the_cost_that_of_the_segments() -> None:
    sms = loads(preview(house(), HAZARD, RED, [SMS], START).at_once)["sms"]
    assert sms.seconds == pytest.approx(sms.units / 2, abs=0.1)
    assert sms.cost == pytest.approx(sms.units * 0.05)
    assert loads(preview(house(), HAZARD, RED, [Gateway(name="sms", channel="sms")], START).at_once)["sms"].seconds is None


def test_numbers_that_only_a_slow_gateway_serves_set_the_pace() -> None:
    slow = Gateway(name="slow", channel="sms", prefixes=("+44770090001",), rate=0.1)
    fast = Gateway(name="fast", channel="sms", prefixes=("+4477009000",), rate=1000)
    sms = loads(preview(house(), HAZARD, RED, [slow, fast], START).at_once)["sms"]
    assert sms.seconds is not None
    assert sms.seconds < sms.units / 0.1, "the fast one helps where it may"


def test_all_steps_are_more_than_the_first_and_what_nobody_holds_is_named() -> None:
    found = preview(house(), HAZARD, [*RED, Announcement(village=V2, before=Grade.NONE, after=Grade.RED, reason_zh="雨")], [], START)
    assert found.villages == 3
    assert loads(found.at_most)["sms"].messages > loads(found.at_once)["sms"].messages
    assert (V2, "village.party_secretary") in found.gaps
    assert found.unreached == ()


def test_a_village_that_nobody_would_hear_is_named() -> None:
    nobody = house(contacts=[c for c in CONTACTS if c.area not in {V3, "990121102000", "990121000000"}])
    assert preview(nobody, HAZARD, RED, [], START).unreached == (V3,)


def test_a_lowering_asks_for_nothing_and_has_no_later_steps() -> None:
    found = preview(house(), HAZARD, [Announcement(village=V1, before=Grade.RED, after=Grade.BLUE, reason_zh="雨停")], [SMS], START)
    assert found.at_most == found.at_once
