"""Outgoing CAP says when it is expected: vectors of villages with their onsets, and what stands in the message."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

import pytest

from dispatcher.intake.codecs.cap import decode_cap
from dispatcher.model import warning as model
from dispatcher.model.warning import Alert, MessageType, VillageGrade, WarningState
from dispatcher.ports import Item, Status
from dispatcher.warnings.cap_out import Said, cap_message
from rules.grade import Grade
from tests.dispatch.making import COUNTY, HAZARD, START, V1, V2, V3, house
from tests.policy.test_stages import STAGES

Vector = dict[str, tuple[Grade, float | None]]


def message(villages: Vector, stages: Mapping[str, str] = MappingProxyType({})) -> str:
    warning = model.Warning(
        id="w", county=COUNTY, status=Status.ACTUAL, hazard=HAZARD, area=COUNTY, state=WarningState.OPEN, grade=Grade.RED,
        opened_at=START, updated_at=START,
    )  # fmt: skip
    alert = Alert(
        id="w.1", warning="w", county=COUNTY, status=Status.ACTUAL, message_type=MessageType.ALERT, sent_at=START,
        expires_at=START + timedelta(hours=6), refs=(), places=tuple((v, 1, int(g)) for v, (g, _) in villages.items()),
        released_by="wang", identifier="w.1",
    )  # fmt: skip
    told = [
        VillageGrade(
            warning="w", village=v, county=COUNTY, status=Status.ACTUAL, grade=g, told=g, revision=1, reason_zh="强降雨", reason_en="rain",
            onset=None if hours is None else START + timedelta(hours=hours), stage=stages.get(v, ""),
        )
        for v, (g, hours) in villages.items()
    ]  # fmt: skip
    return cap_message(replace(house(), stages=STAGES), Said(warning=warning, alert=alert, villages=told, contributions=(), earlier=()))


def onsets(text: str) -> list[datetime | None]:
    """Of each info, as a receiver reads it: one that stands in the wrong place is refused."""
    decoded = decode_cap(Item(text.encode(), "feed"))
    assert decoded.rejects == []
    return [info.onset for info in decoded.alerts[0].infos]


@pytest.mark.parametrize(
    ("villages", "hours"),
    [
        pytest.param({V1: (Grade.RED, None)}, [None, None], id="now"),
        pytest.param({V1: (Grade.ORANGE, 4)}, [4, 4], id="ahead, in both languages"),
        pytest.param({V1: (Grade.ORANGE, 4), V2: (Grade.ORANGE, 2.5)}, [2.5, 2.5], id="the first of several"),
        pytest.param({V1: (Grade.ORANGE, 4), V2: (Grade.ORANGE, None)}, [None, None], id="now in one of them"),
        pytest.param({V1: (Grade.RED, None), V3: (Grade.BLUE, 9)}, [None, None, 9, 9], id="each grade by itself"),
        pytest.param({V1: (Grade.ORANGE, -1)}, [None, None], id="past by now"),
        pytest.param({V1: (Grade.ORANGE, 0)}, [None, None], id="this very moment"),
        pytest.param({V1: (Grade.NONE, 4)}, [None, None], id="over"),
    ],
)
def test_an_info_says_when_the_first_of_its_villages_is_reached_if_it_is_ahead_of_all(villages: Vector, hours: list[float | None]) -> None:
    assert onsets(message(villages)) == [None if h is None else START + timedelta(hours=h) for h in hours]


def test_the_onset_stands_in_local_time_between_effective_and_expires() -> None:
    text = message({V1: (Grade.ORANGE, 4)})
    assert "<effective>2026-07-20T16:00:00+08:00</effective><onset>2026-07-20T20:00:00+08:00</onset><expires>" in text


def test_villages_that_are_told_ahead_have_an_info_of_their_own_that_says_prepare() -> None:
    told = message({V1: (Grade.RED, 1), V2: (Grade.RED, 5)}, {V1: "imminent", V2: "warning"})
    near, _, far, _ = decode_cap(Item(told.encode(), "feed")).alerts[0].infos
    assert (near.urgency, near.severity, near.response_types) == ("Immediate", "Extreme", ("Evacuate", "Shelter"))
    assert (far.urgency, far.severity, far.response_types) == ("Future", "Extreme", ("Prepare", "Monitor"))
    assert "立即转移" in near.instruction
    assert "立即转移" not in far.instruction
    assert "随时准备转移" in far.instruction
