"""Red at 02:10 in five villages of Shitan Town; each takes its own way to an answer, or to none.

The town answers as it is told here; the policy is that of the sample county: secretary, head and warden at once, deputy and
township leader after five minutes without an answer, the county's leader and a task for the duty room after ten.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.integration.programs import Programs
from tests.scenarios.night import Night, at
from tests.services.mosquitto import Mosquitto

HEKOU, CHANGTAN, SHIQIAOTOU, XIAPING, FENGSHUAO = (f"99012110120{n}" for n in range(1, 6))
FIVE, TEN, FIFTEEN = (timedelta(minutes=m) for m in (5, 10, 15))
#: Of those who answer, the slow ones are quick and the prompt ones take their time: seven minutes to see the text.
HABITS = {
    "delays": {
        "prompt": [430, 440], "slow": [40, 50], "evacuating": [240, 250], "evacuated": [1500, 1510], "delivered": [1, 3],
    },
    "contacts": {
        "c009": "silent", "c010": "refuses", "c011": "wording", "c012": "silent",
        "c013": "slow", "c014": "silent", "c015": "silent",
        "c016": "silent", "c017": "silent", "c018": "silent",
        "c019": "dead", "c020": "off", "c021": "slow", "c022": "silent",
        "c023": "silent", "c024": "link", "c025": "silent",
        "c001": "silent", "c002": "silent", "c003": "silent", "c004": "silent",
    },
    "speaker_shares": {"works": 1},
    "speakers": {"spk-990121101201-1": "offline"},
}  # fmt: skip


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory, mosquitto: Mosquitto) -> Iterator[Night]:
    """The whole night, looked at afterwards."""
    programs = Programs(tmp_path_factory.mktemp("night"))
    night = Night(programs, mosquitto, HABITS)
    try:
        night.begin()
        night.until("02:10")
        night.rain(m00=25.0, m05=28.0, m10=29.0)
        night.until("02:24")
        night.write_down(SHIQIAOTOU, action="received", heard_by="radio", heard_from="the school's caretaker", note="bridge under water")
        night.until("02:50")
        night.end()
        yield night
    finally:
        programs.end()


def test_red_at_0210_reaches_secretary_head_and_warden_of_each_village_at_once(night: Night) -> None:
    for village in (HEKOU, CHANGTAN, SHIQIAOTOU, XIAPING, FENGSHUAO):
        assert timedelta(0) <= night.released(village) - at("02:10") < FIVE
        at_once = {call.role for call in night.calls(village) if call.after < FIVE and call.channel == "sms" and not call.repeat}
        assert {"village.party_secretary", "village.head", "village.warden"} <= at_once


def test_secretary_silent_head_refuses_speaker_offline_so_the_township_leader_is_called_after_five_minutes(night: Night) -> None:
    (leader,) = [call for call in night.called(HEKOU, "township.leader_on_duty") if call.step and call.after < FIFTEEN]
    assert leader.after >= FIVE
    assert leader.state == "delivered"
    assert [call.state for call in night.called(HEKOU, "loudspeaker")] == ["undelivered"] * len(night.called(HEKOU, "loudspeaker"))
    assert night.called(HEKOU, "loudspeaker")
    assert night.tasks(HEKOU)["refused"] == 1
    assert ("refused", "sms", "village.head", None) in night.answers(HEKOU)


def test_the_warden_answers_in_his_own_words_and_35_have_moved_by_0250(night: Night) -> None:
    said = [(action, people) for action, path, role, people in night.answers(HEKOU) if role == "village.warden" and path == "sms"]
    assert said == [("received", None), ("evacuating", None), ("evacuated", 35)]
    assert night.when(HEKOU, "received") > night.released(HEKOU) + FIVE
    assert night.when(HEKOU, "evacuated") < at("02:50")
    assert night.state(HEKOU) == "done"
    assert [call for call in night.called(HEKOU, "county.leader_on_duty") if call.after < FIFTEEN] == [], "he answered before that step"


def test_a_village_that_answers_within_a_minute_has_nobody_else_called_about_receiving(night: Night) -> None:
    assert night.answers(CHANGTAN)[0][:3] == ("received", "sms", "village.party_secretary")
    called_later = {call.role for call in night.calls(CHANGTAN) if call.after >= FIVE and not call.repeat}
    assert called_later == set(), "not even its township leader: it moved in time, too"
    assert night.state(CHANGTAN) == "done"


def test_a_silent_village_goes_up_to_the_county_and_stops_there_when_the_officer_has_heard_by_radio(night: Night) -> None:
    assert [c.after >= FIVE for c in night.called(SHIQIAOTOU, "township.leader_on_duty")][:1] == [True]
    (county,) = night.called(SHIQIAOTOU, "county.leader_on_duty")
    assert county.after >= TEN
    assert night.tasks(SHIQIAOTOU)["overdue"] >= 1
    assert night.answers(SHIQIAOTOU) == [("received", "duty_room", "", None)]
    repeats = [c for c in night.called(SHIQIAOTOU, "village.party_secretary") if c.repeat and c.after > timedelta(minutes=14, seconds=30)]
    assert repeats == [], "who has been answered for is not reminded"


def test_a_dead_number_and_a_phone_that_is_off_are_seen_and_the_village_is_still_reached(night: Night) -> None:
    assert {call.state for call in night.called(XIAPING, "village.party_secretary")} == {"failed"}
    assert {call.state for call in night.called(XIAPING, "village.head")} == {"undelivered"}
    assert night.tasks(XIAPING)["unreachable"] >= 1
    assert ("received", "sms", "village.warden", None) in night.answers(XIAPING)
    assert night.state(XIAPING) == "done"


def test_the_link_in_the_text_answers_as_well_as_words(night: Night) -> None:
    assert ("received", "link", "village.head", None) in night.answers(FENGSHUAO)
    assert any(action == "evacuated" and path == "link" and people == 35 for action, path, _, people in night.answers(FENGSHUAO))
