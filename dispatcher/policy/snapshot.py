"""A call plan as JSON and back: what a notice keeps of the policy it was released under."""

import json
from datetime import timedelta
from typing import Any

from dispatcher.policy.model import Action, AnsweredBy, GradePlan, Quorum, Repeat, Step
from dispatcher.policy.night import night_from


def plan_as_json(plan: GradePlan) -> str:
    """What is needed while the notice runs: all but who released it. Durations in seconds."""
    body = {
        "answer_within": plan.answer_within.total_seconds(),
        "actions": [a.value for a in plan.actions],
        "deadlines": {a.value: d.total_seconds() for a, d in plan.deadlines.items()},
        "answered_by": [plan.answered_by.kind.value, plan.answered_by.count],
        "repeat": [plan.repeat.every.total_seconds(), plan.repeat.times] if plan.repeat else None,
        "steps": [_step(step) for step in plan.steps],
        "valid_for": plan.valid_for.total_seconds(),
        "night": plan.night.text if plan.night else "",
    }
    return json.dumps(body, ensure_ascii=False, sort_keys=True)


def _step(step: Step) -> dict[str, Any]:
    return {
        "after": step.after.total_seconds(),
        "to": list(step.to),
        "by": [list(group) for group in step.by],
        "action": step.action.value,
        "task": step.task,
        "task_en": step.task_en,
    }


def plan_from_json(text: str) -> GradePlan:
    """The plan that ``plan_as_json`` wrote."""
    body = json.loads(text)
    return GradePlan(
        answer_within=timedelta(seconds=body["answer_within"]),
        actions=tuple(Action(a) for a in body["actions"]),
        deadlines={Action(a): timedelta(seconds=s) for a, s in body["deadlines"].items()},
        answered_by=AnsweredBy(kind=Quorum(body["answered_by"][0]), count=body["answered_by"][1]),
        repeat=Repeat(every=timedelta(seconds=body["repeat"][0]), times=body["repeat"][1]) if body["repeat"] else None,
        steps=tuple(
            Step(
                after=timedelta(seconds=s["after"]),
                to=tuple(s["to"]),
                by=tuple(tuple(group) for group in s["by"]),
                action=Action(s["action"]),
                task=s["task"],
                task_en=s["task_en"],
            )
            for s in body["steps"]
        ),
        valid_for=timedelta(seconds=body["valid_for"]),
        night=night_from(body.get("night", "")),  # a plan from before has none
    )
