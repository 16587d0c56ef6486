"""A village that leaves the registry in mid-storm, or gets another code, stops nobody: calls about it and all others go on and end."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from dispatcher.registry.areas import Alias
from dispatcher.registry.model import Registry
from rules.grade import Grade
from tests.dispatch.making import SECRETARY, TOWNSHIP_LEADER, V1, V2, WARDEN, change, minutes
from tests.dispatch.running import Running

NEW = V1[:9] + "299"


def without(registry: Registry) -> Registry:
    """The first village is gone."""
    links = tuple(link for link in registry.links if link.village != V1)
    villages, areas = ({code: one for code, one in listed.items() if code != V1} for listed in (registry.villages, registry.areas))
    return replace(registry, villages=villages, areas=areas, links=links)  # type: ignore[arg-type]  # one comprehension for both tables


def renamed(registry: Registry) -> Registry:
    """The first village has another code."""
    village, area = replace(registry.villages[V1], code=NEW), replace(registry.areas[V1], code=NEW)
    known = without(registry)
    return replace(
        known,
        villages={**known.villages, NEW: village},
        areas={**known.areas, NEW: area},
        contacts={c.id: replace(c, area=NEW) if c.area == V1 else c for c in registry.contacts.values()},
        links=(*known.links, *(replace(link, village=NEW) for link in registry.links if link.village == V1)),
        aliases={V1: Alias(code=V1, name=village.name, name_en=village.name_en, now=NEW)},
    )


async def warned(engine: Running) -> None:
    await engine.change(change(Grade.RED))
    await engine.later(minutes(1))


async def goes_on(engine: Running, registry: Registry) -> None:
    engine.place.house = replace(engine.place.house, registry=registry)
    for _ in range(30):
        await engine.later(minutes(1))


@pytest.mark.parametrize("becomes", [without, renamed])
async def test_whoever_is_above_it_is_called_when_it_stays_silent(engine: Running, becomes: Callable[[Registry], Registry]) -> None:
    await warned(engine)
    assert TOWNSHIP_LEADER not in engine.sms.addresses()
    await goes_on(engine, becomes(engine.place.house.registry))
    told = engine.sms.told(TOWNSHIP_LEADER)
    assert any("村201" in text or V1 in text for text in told)
    assert any("村202" in text for text in told)


async def test_under_its_new_code_its_own_people_are_called_again_and_told_where_to_go(engine: Running) -> None:
    await warned(engine)
    before = len(engine.sms.told(WARDEN))
    await goes_on(engine, renamed(engine.place.house.registry))
    assert len(engine.sms.told(WARDEN)) > before
    assert "小学" in engine.sms.told(WARDEN)[-1]


@pytest.mark.parametrize("after", [Grade.BLUE, Grade.NONE])
async def test_who_was_told_of_it_is_told_of_the_end(engine: Running, after: Grade) -> None:
    await warned(engine)
    engine.place.house = replace(engine.place.house, registry=without(engine.place.house.registry))
    await engine.change(change(after, before=Grade.RED, step=1))
    await engine.later(minutes(1))
    assert (await engine.notice(V1)).grade is (await engine.notice(V2)).grade is after
    assert ("解除" if after is Grade.NONE else "降为") in engine.sms.told(SECRETARY)[-1]
