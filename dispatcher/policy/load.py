"""Policy files → call plans. Every mistake is noted with file, line and column before any is raised."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from dispatcher.errors import ConfigurationError, Problem
from dispatcher.files.document import Spot, read_document
from dispatcher.files.textfile import read_tree
from dispatcher.policy.model import Action, AnsweredBy, GradePlan, Policies, Policy, Quorum, Repeat
from dispatcher.policy.night import read_night
from dispatcher.policy.release import read_release
from dispatcher.policy.steps import read_steps
from dispatcher.registry.load import digest_of
from rules.grade import Grade

GRADES = tuple(grade.word for grade in Grade if grade)
_REQUIRED = ("actions", "steps")
_OPTIONAL = ("answer_within", "deadlines", "answered_by", "repeat", "release", "valid_for")
_MAX_REPEATS = 20
_VALID_FOR = timedelta(hours=6)


def load_policies(directory: Path) -> Policies:
    """All policies of ``*.yaml`` below a directory; ConfigurationError carries every mistake."""
    problems: list[Problem] = []
    policies = read_policies(read_tree(directory, {".yaml", ".yml"}, problems), problems)
    if problems:
        raise ConfigurationError(problems)
    return policies


def read_policies(texts: Mapping[str, str], problems: list[Problem]) -> Policies:
    """Policies from file name → text; mistakes are noted, and the result is only good when there are none."""
    found: dict[str, Policy] = {}
    hazards: dict[str, str] = {}
    for file, text in texts.items():
        document = read_document(text, file, problems)
        listed = document.entries(("policies",)).get("policies") if document else None
        for spot in listed.items() if listed else []:
            policy = read_policy(spot)
            if policy.id in found:
                spot.wrong(f"policy {policy.id!r} is given twice")
            for hazard in policy.hazards:
                if hazards.setdefault(hazard, policy.id) != policy.id:
                    spot.wrong(f"hazard {hazard!r} already belongs to policy {hazards[hazard]!r}; a hazard has one policy")
            found[policy.id] = policy
    if not found and not problems:
        problems.append(Problem("policies", "there is no policy; at least one file with 'policies:' is needed"))
    return Policies(policies=found, digest=digest_of(dict(texts)))


def read_policy(spot: Spot) -> Policy:
    """One policy with a plan for each grade from blue to red."""
    found = spot.entries(("id", "version", "hazards", "grades"), ("night",))
    grades = found["grades"].entries(GRADES) if "grades" in found else {}
    night = read_night(found.get("night"))
    return Policy(
        id=found["id"].text() if "id" in found else "",
        version=found["version"].whole(1, 999_999) if "version" in found else 1,
        hazards=tuple(item.text() for item in found["hazards"].items()) if "hazards" in found else (),
        grades={Grade.from_word(word): replace(read_plan(plan, Grade.from_word(word)), night=night) for word, plan in grades.items()},
    )


def read_plan(spot: Spot, grade: Grade) -> GradePlan:
    """The plan of one grade."""
    found = spot.entries(_REQUIRED, _OPTIONAL)
    actions = _actions(found.get("actions"))
    within = found["answer_within"].duration() if "answer_within" in found else None
    deadlines = _deadlines(spot, actions, within, found.get("deadlines"))
    steps = read_steps(found.get("steps"), actions)
    if actions and not any(step.action is Action.RECEIVED and not step.after for step in steps):
        spot.wrong("no step starts at once; a plan that asks for an answer needs a step with 'after: 0m'")
    return GradePlan(
        answer_within=within if within is not None else deadlines.get(Action.RECEIVED, timedelta(0)),
        actions=actions,
        deadlines=deadlines,
        answered_by=_answered_by(found.get("answered_by")),
        repeat=_repeat(found.get("repeat")),
        steps=steps,
        release=read_release(found.get("release"), grade),
        valid_for=found["valid_for"].duration() if "valid_for" in found else _VALID_FOR,
    )


def _actions(spot: Spot | None) -> tuple[Action, ...]:
    if spot is None:
        return ()
    words = [item.word(tuple(Action), "action") for item in spot.items()]
    actions = tuple(Action(word) for word in words if word)
    order = [action for action in Action if action in actions]
    if list(actions) != order or (actions and actions[0] is not Action.RECEIVED):
        spot.wrong(f"actions must begin with received and keep this order, each once: {', '.join(Action)}")
    return actions


def _deadlines(plan: Spot, actions: tuple[Action, ...], within: timedelta | None, spot: Spot | None) -> dict[Action, timedelta]:
    given = {Action(k): v.duration() for k, v in spot.entries(actions).items()} if spot else {}
    if spot is None and len(actions) > 1:
        plan.wrong("'deadlines' is missing; each action needs its own, such as {received: 5m, evacuating: 15m}")
    if spot is None and within is not None and actions:
        given = {Action.RECEIVED: within}
    if actions and spot is None and within is None:
        plan.wrong("'answer_within' or 'deadlines' is missing; an answer that is asked for needs a time")
    times = [given[action] for action in actions if action in given]
    if spot and (times != sorted(set(times)) or timedelta(0) in times):
        spot.wrong("deadlines must be longer than 0 and grow from action to action")
    if spot and within is not None and given.get(Action.RECEIVED, within) != within:
        spot.wrong("the deadline of received differs from answer_within; give one of them or make them equal")
    return given


def _answered_by(spot: Spot | None) -> AnsweredBy:
    if spot is None:
        return AnsweredBy()
    if spot.is_mapping():
        found = spot.entries(("quorum",))
        return AnsweredBy(kind=Quorum.SOME, count=found["quorum"].whole(2, 99) if "quorum" in found else 2)
    word = spot.word((Quorum.ANY, Quorum.ALL), "answered_by (or {quorum: 2})")
    return AnsweredBy(kind=Quorum(word or Quorum.ANY))


def _repeat(spot: Spot | None) -> Repeat | None:
    if spot is None:
        return None
    found = spot.entries(("every", "times"))
    if "every" not in found or "times" not in found:
        return None
    every = found["every"].duration()
    if not every:
        found["every"].wrong("must be longer than 0")
    return Repeat(every=every, times=found["times"].whole(1, _MAX_REPEATS))
