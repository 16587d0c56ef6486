"""Call plans: what the words of a policy file mean, and what is refused."""

from datetime import timedelta
from pathlib import Path

import pytest

from dispatcher.accounts import Role
from dispatcher.errors import Problem
from dispatcher.policy.load import load_policies, read_policies
from dispatcher.policy.model import Action, AnsweredBy, Policies, Quorum, Repeat
from dispatcher.policy.release import DEFAULT, Origin, ReleaseRule, Then, Way
from rules.grade import Grade

PLAN = """\
        answer_within: 5m
        actions: [received]
        steps:
          - {after: 0m, to: [village.head, village.warden], by: [sms]}
"""
RED = """\
        actions: [received, evacuating, evacuated]
        deadlines: {received: 5m, evacuating: 15m, evacuated: 1h}
        answered_by: {quorum: 2}
        repeat: {every: 3m, times: 3}
        valid_for: 4h
        steps:
          - {after: 0m, to: [village.head], by: [[sms]]}
          - {after: 0m, to: [village.speakers], by: [loudspeaker]}
          - {after: 0m, to: [county.duty_room], by: [duty_room]}
          - {after: 10m, to: [county.leader_on_duty], by: [sms], task: 派人到村核实, task_en: Send someone}
          - {action: evacuated, after: 0m, to: [township.leader_on_duty], by: [sms]}
"""
HEAD = "policies:\n  - id: flash-flood\n    version: 2\n    hazards: [flash-flood, debris-flow]\n    grades:\n"
GOOD = HEAD + f"      blue:\n{PLAN}      yellow:\n{PLAN}      orange:\n{PLAN}      red:\n{RED}"
CONFIG = Path(__file__).resolve().parents[2] / "config"


def read(text: str) -> tuple[Policies, list[str]]:
    problems: list[Problem] = []
    return read_policies({"p.yaml": text}, problems), [str(problem) for problem in problems]


def test_a_plan_keeps_its_steps_deadlines_and_quorum() -> None:
    policies, problems = read(GOOD)
    assert problems == []
    policy = policies.for_hazard("debris-flow")
    red, blue = policy.grades[Grade.RED], policy.grades[Grade.BLUE]
    assert (policy.id, policy.version) == ("flash-flood", 2)
    assert red.answer_within == timedelta(minutes=5)
    assert red.deadlines[Action.EVACUATED] == timedelta(hours=1)
    assert red.answered_by == AnsweredBy(kind=Quorum.SOME, count=2)
    assert red.repeat == Repeat(every=timedelta(minutes=3), times=3)
    assert red.valid_for == timedelta(hours=4)
    assert [step.by for step in red.steps][:2] == [(("sms",),), (("loudspeaker",),)]
    assert (red.steps[3].task, red.steps[3].task_en) == ("派人到村核实", "Send someone")
    assert red.steps[4].action is Action.EVACUATED
    assert blue.deadlines == {Action.RECEIVED: timedelta(minutes=5)}
    assert (blue.answered_by, blue.repeat, blue.release) == (AnsweredBy(), None, DEFAULT)


def test_a_release_is_one_for_all_origins_or_one_for_each_and_what_is_not_named_keeps_its_default() -> None:
    text = GOOD.replace("valid_for: 4h", "valid_for: 4h\n        release: two_person")
    assert {rule.way for rule in read(text)[0].for_hazard("flash-flood").grades[Grade.RED].release.values()} == {Way.TWO_PERSON}
    some = "release: {observed: auto, forecast: {review: {by: duty_officer, within: 3m, then: release}}, upstream: two_person}"
    policies, problems = read(GOOD.replace("valid_for: 4h", f"valid_for: 4h\n        {some}"))
    assert problems == []
    release = policies.for_hazard("flash-flood").grades[Grade.RED].release
    assert release[Origin.OBSERVED].way is Way.AUTO
    assert release[Origin.FORECAST] == ReleaseRule(way=Way.REVIEW, by=Role.DUTY_OFFICER, within=timedelta(minutes=3), then=Then.RELEASE)
    assert release[Origin.UPSTREAM].people == 2
    assert release[Origin.FORECASTER] == DEFAULT[Origin.FORECASTER]


def test_whom_a_time_out_calls_is_read_with_a_default_for_each_part() -> None:
    some = "release: {review: {then: page, page: {to: [county.forecaster], after: 3m}}}"
    policies, problems = read(GOOD.replace("valid_for: 4h", f"valid_for: 4h\n        {some}"))
    assert problems == []
    page = policies.for_hazard("flash-flood").grades[Grade.RED].release[Origin.OBSERVED].page
    assert (page.to, page.by, page.after) == (("county.forecaster",), ("voice", "sms"), timedelta(minutes=3))
    assert page.then_to == ("county.leader_on_duty",)


MISTAKES = [
    ("by: [[sms]]", "by: [pigeon]", "unknown channel 'pigeon'; allowed: sms, voice, chat, loudspeaker, duty_room"),
    ("valid_for: 4h", "valid_for: 4h\n        release: {review: {page: {to: [mayor]}}}", "unknown role 'mayor'"),
    ("valid_for: 4h", "valid_for: 4h\n        release: {review: {page: {by: [pigeon]}}}", "'pigeon'; allowed: voice, sms"),
    ("to: [village.head], by: [[sms]]", "to: [village.head, village.household_helpers], by: [sms]", "helpers is a target of its own"),
    (
        "to: [village.head], by: [[sms]]",
        "to: [village.mayor], by: [sms]",
        "p.yaml:28:30: unknown role 'village.mayor'; allowed: village.party",
    ),
    ("to: [village.speakers], by: [loudspeaker]", "to: [village.speakers], by: [sms]", "village.speakers is a target of its own"),
    ("to: [village.head], by: [[sms]]", "to: [village.head], by: [loudspeaker]", "loudspeaker speaks to the village, not to a person"),
    ("to: [county.duty_room], by: [duty_room]", "to: [village.head], by: [duty_room]", "duty_room is the page of [county.duty_room]"),
    ("every: 3m", "every: three", "'three' is not a length of time; allowed: numbers with d, h, m or s"),
    ("evacuating: 15m", "evacuating: 2h", "deadlines must be longer than 0 and grow from action to action"),
    ("evacuated: 1h}", "evacuated: 1h, home: 2h}", "unknown key 'home'; allowed: received, evacuating, evacuated"),
    ("[received, evacuating, evacuated]", "[evacuating, received, evacuated]", "actions must begin with received and keep this order"),
    ("{quorum: 2}", "{quorum: 1}", "expected a whole number from 2 to 99"),
    ("{quorum: 2}", "most", "unknown answered_by (or {quorum: 2}) 'most'; allowed: any, all"),
    ("      orange:\n", "      purple:\n", "unknown key 'purple'; allowed: blue, yellow, orange, red"),
    ("valid_for: 4h", "valid_for: 4h\n        release: review", "unknown release 'review'; allowed: auto, two_person"),
    (
        "valid_for: 4h",
        "valid_for: 4h\n        release: {review: {then: drop}}",
        "red is never dropped because nobody looked",
    ),
    ("valid_for: 4h", "valid_for: 4h\n        release: {observed: now}", "p.yaml:27:29: unknown release 'now'; allowed: auto, two_person"),
    (
        "valid_for: 4h",
        "valid_for: 4h\n        release: {review: {by: viewer}}",
        "unknown role 'viewer'; allowed: duty_officer",
    ),
    ("valid_for: 4h", "valid_for: 4h\n        release: {observed: auto, radio: auto}", "unknown key 'radio'; allowed: observed, forecast"),
    ("valid_for: 4h", "valid_for: 4h\n        release: {review: {within: 0m}}", "must be longer than 0"),
    ("after: 10m", "after: 10m, when: night", "unknown key 'when'; allowed: after, to, by, action, task, task_en"),
    ("{after: 0m, to: [village.head], by: [[sms]]}", "{after: 20m, to: [village.head], by: [sms]}", "the step comes after a later one"),
    ("hazards: [flash-flood, debris-flow]", "hazards: no", "expected a list such as [a, b]"),
    ("version: 2", "version: two", "p.yaml:3:14: expected a whole number from 1"),
    ("    hazards", "    id: again\n    hazards", "'id' is given twice"),
]


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES, ids=[m[2][:40] for m in MISTAKES])
def test_a_mistake_is_named_with_line_column_and_what_is_allowed(old: str, new: str, said: str) -> None:
    assert old in GOOD
    _, problems = read(GOOD.replace(old, new))
    assert any(said in problem for problem in problems), problems


def test_a_plan_that_asks_must_say_by_when() -> None:
    _, problems = read(GOOD.replace("        answer_within: 5m\n", "", 1))
    assert "'answer_within' or 'deadlines' is missing" in problems[0]


def test_a_plan_that_asks_must_start_at_once() -> None:
    _, problems = read(GOOD.replace("{after: 0m, to: [village.head, village.warden]", "{after: 1m, to: [village.head, village.warden]", 1))
    assert "no step starts at once" in problems[0]


def test_a_hazard_has_one_policy() -> None:
    problems: list[Problem] = []
    read_policies({"a.yaml": GOOD, "b.yaml": GOOD.replace("id: flash-flood", "id: other")}, problems)
    assert "b.yaml:2:5: hazard 'flash-flood' already belongs to policy 'flash-flood'" in str(problems[0])


def test_no_policy_at_all_is_a_mistake(tmp_path: Path) -> None:
    problems: list[Problem] = []
    read_policies({}, problems)
    assert "there is no policy" in problems[0].message


def test_an_unknown_hazard_is_named_with_those_there_are() -> None:
    with pytest.raises(KeyError, match="flash-flood"):
        read(GOOD)[0].for_hazard("landslide")


@pytest.mark.parametrize("county", ["sample", "valencia"])
def test_the_plans_of_the_examples_give_red_the_least_time(county: str) -> None:
    for policy in load_policies(CONFIG / county / "policies").policies.values():
        times = [policy.grades[grade].answer_within for grade in (Grade.BLUE, Grade.YELLOW, Grade.ORANGE, Grade.RED)]
        assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(
    ("written", "night"),
    [
        ("", "22:00-06:00"),
        ("    night: {from: 23:30, to: 05:00}\n", "23:30-05:00"),
        ('    night: {from: "00:30", to: "05:00"}\n', "00:30-05:00"),
        ("    night: never\n", ""),
    ],
)
def test_a_policy_says_when_it_is_night(written: str, night: str) -> None:
    policies, problems = read(GOOD.replace("    grades:\n", f"{written}    grades:\n"))
    assert problems == []
    plans = policies.for_hazard("flash-flood").grades.values()
    assert {plan.night.text if plan.night else "" for plan in plans} == {night}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{from: 25:00, to: 06:00}", "p.yaml:5:19: expected a time of day such as 22:00, not '25:00'"),
        ("{from: 22:00, to: 22:00}", "p.yaml:5:30: a night ends at another time than it begins; for none write: night: never"),
        ("{from: 22:00}", "p.yaml:5:12: 'to' is missing; needed: from, to"),
        ("{from: 22:00, until: 06:00}", "p.yaml:5:26: unknown key 'until'; allowed: from, to"),
        ("always", "p.yaml:5:12: unknown night 'always'; allowed: {from: 22:00, to: 06:00} or never"),
    ],
)
def test_a_wrong_night_is_named_with_file_and_line(written: str, said: str) -> None:
    _, problems = read(GOOD.replace("    grades:\n", f"    night: {written}\n    grades:\n"))
    assert said in problems
