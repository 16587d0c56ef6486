"""A storm in the forecast: the county hears of it first, the township when a newer run says sooner, the village two hours ahead."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from dispatcher.intake.codecs.cap import decode_cap
from dispatcher.policy.release import Origin
from dispatcher.ports import Batch, Item, Kind
from dispatcher.testing.stores import FarSide
from tests.dispatch.making import (
    COUNTY_LEADER,
    HAZARD,
    HEAD,
    SECRETARY,
    START,
    TOWNSHIP_LEADER,
    V1,
    WARDEN,
    house,
    unreviewed,
)
from tests.dispatch.running import Running, compiled, rain, running
from tests.policy.test_stages import STAGES

RULES = f"""
rules:
- rule: rain-expected
  version: 1
  hazard: {HAZARD}
  for_each: village
  inputs:
    p: fc_prob(rain, window=6h, at_least=50, lead=0h..24h)
    wet: sum(rain, 1h, near=10km, take=highest)
  ladder: {{orange: p >= 0.6 or wet >= 20, red: p >= 0.6 and wet >= 30}}
  lower: {{when: p < 0.3, for: 2 runs, to: computed}}
  no_data: {{after: 8h, grade: hold}}
"""
VILLAGE = {SECRETARY, HEAD, WARDEN}


@pytest.fixture
async def engine(place: FarSide) -> AsyncIterator[Running]:
    async with running(place, replace(house(policy=unreviewed(Origin.FORECAST)), stages=STAGES)) as made:
        made.compiled = compiled(RULES, made.house)
        made.pipeline = made.new_pipeline()
        await made.pipeline.start()
        yield made


async def run_says(engine: Running, begins_h: float, chance: float = 0.8) -> None:
    """A model run of now: six hours of rain that begin so long after the morning."""
    begin = START + timedelta(hours=begins_h)
    body = {
        "source": "nwp", "issued_at": engine.clock.now().isoformat(), "place": V1, "variable": "rain", "valid_from": begin.isoformat(),
        "valid_to": (begin + timedelta(hours=6)).isoformat(), "exceedance": [{"threshold": 50, "probability": chance}],
    }  # fmt: skip
    await engine.read(Batch("tap", (Item(json.dumps(body).encode(), "forecasts/nwp", Kind.FORECASTS),)))
    await engine.later(timedelta(seconds=11))


async def newest_onset(engine: Running) -> object:
    alerts = await engine.rows("warnings.alerts", warning=(await engine.notice(V1)).warning)
    return decode_cap(Item(str(alerts[-1]["cap"]).encode(), "feed")).alerts[0].infos[0].onset


async def test_each_level_hears_in_its_time(engine: Running) -> None:
    await run_says(engine, 10)
    assert engine.sms.addresses() == {COUNTY_LEADER}
    assert await newest_onset(engine) == START + timedelta(hours=10)
    assert "预计10小时后达到" in (await engine.notice(V1)).reason_zh

    await engine.later(timedelta(hours=2))
    await run_says(engine, 6)  # four hours sooner than the run of the morning
    assert engine.sms.addresses() == {COUNTY_LEADER, TOWNSHIP_LEADER}
    assert await newest_onset(engine) == START + timedelta(hours=6)
    assert "比原先预计来得早" in (await engine.notice(V1)).reason_zh

    await engine.later(timedelta(hours=1, minutes=55))
    assert not engine.sms.addresses() & VILLAGE
    await engine.later(timedelta(minutes=5))
    assert engine.sms.addresses() >= VILLAGE
    assert (await engine.notice(V1)).stage == "imminent"


async def test_rain_that_falls_before_it_was_expected_calls_the_village_at_once(engine: Running) -> None:
    await run_says(engine, 10)
    await engine.later(timedelta(hours=1))
    at = engine.clock.now()
    await engine.read(Batch("tap", (Item(rain(22.0, at), "readings/G1"),)))
    await engine.later(timedelta(seconds=11))
    assert engine.sms.addresses() >= VILLAGE
    assert await newest_onset(engine) is None


async def test_a_run_that_says_later_leaves_nobody_to_hear_of_it_too_late(engine: Running) -> None:
    await run_says(engine, 5)
    assert TOWNSHIP_LEADER in engine.sms.addresses()
    await run_says(engine, 9)
    await engine.later(timedelta(hours=3, seconds=30))
    assert engine.sms.addresses() >= VILLAGE
