"""The steps of a call plan: who, after how long, by which channels."""

from datetime import timedelta

from dispatcher.files.document import Spot
from dispatcher.policy.model import Action, Step
from dispatcher.registry.helping import HELPERS
from dispatcher.registry.model import CHANNELS, DUTY_ROOM, DUTY_ROOM_PAGE, LOUDSPEAKER, SPEAKERS

ROLES = (
    "village.party_secretary",
    "village.head",
    "village.warden",
    "village.deputy",
    SPEAKERS,
    HELPERS,
    "township.leader_on_duty",
    "county.leader_on_duty",
    DUTY_ROOM,
)


def read_steps(spot: Spot | None, actions: tuple[Action, ...]) -> tuple[Step, ...]:
    """The steps in the order of the file, which is the order of their times for each action."""
    if spot is None:
        return ()
    items = spot.items()
    if not items:
        spot.wrong("no step; a plan needs at least one")
    steps: list[Step] = []
    last: dict[Action, timedelta] = {}
    for item in items:
        step = read_step(item, actions)
        if step.after < last.get(step.action, timedelta(0)):
            item.wrong(f"the step comes after a later one; order the steps of {step.action} by 'after'")
        last[step.action] = step.after
        steps.append(step)
    return tuple(steps)


def read_step(spot: Spot, actions: tuple[Action, ...]) -> Step:
    """One step. ``action`` defaults to received; a later action's step waits for that action's deadline."""
    found = spot.entries(("after", "to", "by"), ("action", "task", "task_en"))
    to = tuple(item.word(ROLES, "role") for item in found["to"].items()) if "to" in found else ()
    by = _channels(found["by"]) if "by" in found else ()
    _check_match(spot, to, by)
    allowed = actions or (Action.RECEIVED,)
    action = found["action"].word(allowed, "action of this plan") if "action" in found else ""
    return Step(
        after=found["after"].duration() if "after" in found else timedelta(0),
        to=to,
        by=by,
        action=Action(action or Action.RECEIVED),
        task=found["task"].text() if "task" in found else "",
        task_en=found["task_en"].text() if "task_en" in found else "",
    )


def _channels(spot: Spot) -> tuple[tuple[str, ...], ...]:
    """``[[sms, chat], voice]`` or one word; an inner list starts together, later entries are fallbacks."""
    items = spot.items() if spot.is_list() else [spot]
    if not items:
        spot.wrong(f"no channel; allowed: {', '.join(CHANNELS)}")
    return tuple(tuple(_channel(inner) for inner in item.items()) if item.is_list() else (_channel(item),) for item in items)


def _channel(spot: Spot) -> str:
    word = spot.text()
    if word and word not in CHANNELS:
        spot.wrong(f"unknown channel {word!r}; allowed: {', '.join(CHANNELS)}")
        return ""
    return word


def _check_match(spot: Spot, to: tuple[str, ...], by: tuple[tuple[str, ...], ...]) -> None:
    """Speakers are a target of their own, and the duty room's page is the duty room's alone."""
    used = {channel for group in by for channel in group if channel}
    if SPEAKERS in to and (len(to) > 1 or used - {LOUDSPEAKER}):
        spot.wrong(f"{SPEAKERS} is a target of its own: a step to it names no other role and only {LOUDSPEAKER}")
    if LOUDSPEAKER in used and SPEAKERS not in to:
        spot.wrong(f"{LOUDSPEAKER} speaks to the village, not to a person: use it in a step to [{SPEAKERS}]")
    if HELPERS in to and len(to) > 1:
        spot.wrong(f"{HELPERS} is a target of its own: its text is about households, so a step to it names no other role")
    if DUTY_ROOM_PAGE in used and set(to) - {DUTY_ROOM, ""}:
        spot.wrong(f"{DUTY_ROOM_PAGE} is the page of [{DUTY_ROOM}]: a step by it names no other role")
