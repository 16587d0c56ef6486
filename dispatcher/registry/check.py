"""Whether registry, policies and templates fit together: every role is held, every text is there and short enough."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from dispatcher.errors import Problem
from dispatcher.policy.model import GradePlan, Policies, Policy
from dispatcher.policy.stages import VILLAGE, Stages
from dispatcher.ports import Status
from dispatcher.registry.guidance import route_of, transfer_people_of
from dispatcher.registry.helping import HELPERS
from dispatcher.registry.model import LOUDSPEAKER, SMS, SPEAKERS, Registry
from dispatcher.templates.model import EARLY, LIFT, LOWER, Facts, Template, Templates, Words
from dispatcher.templates.render import fill
from dispatcher.templates.segments import encoding_of, first_part, segments, units
from rules.grade import Grade

MAX_SEGMENTS = 8
_REASON_UNITS = 60
_LONGEST_TIME = datetime(2026, 12, 30, 12, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A role of a call plan that nobody holds for one village: the next step starts at once, and the duty room is told."""

    policy: str
    grade: Grade
    role: str
    village: str


def check_together(registry: Registry, policies: Policies, templates: Templates, stages: Stages) -> list[Problem]:
    """Every contradiction between the four."""
    problems = [*_roles_nobody_holds(registry, policies), *_missing_words(registry, policies, templates)]
    for policy in policies.policies.values():
        problems += _missing_texts(registry, policy, templates, stages)
        problems += _unanswerable_texts(policy, templates)
    return [*problems, *_long_texts(registry, templates, stages)]


def gaps(registry: Registry, policies: Policies) -> Iterator[Gap]:
    """Every role that nobody holds for a village, for the page, the audit and a duty-room task."""
    for policy in policies.policies.values():
        for grade, plan in policy.grades.items():
            for role in dict.fromkeys(role for step in plan.steps for role in step.to if role != HELPERS):
                for village in registry.villages:
                    if not (registry.speakers_of(village) if role == SPEAKERS else registry.resolve(role, village)):
                        yield Gap(policy=policy.id, grade=grade, role=role, village=village)


def channels_of(plan: GradePlan) -> tuple[str, ...]:
    """The channels a plan uses, in order of first use."""
    return tuple(dict.fromkeys(channel for step in plan.steps for group in step.by for channel in group))


def _roles_nobody_holds(registry: Registry, policies: Policies) -> Iterator[Problem]:
    held = {role for contact in registry.contacts.values() for role in contact.roles} | {HELPERS}  # the list of households is not here
    entered = {roster for roster, _, _ in registry.duty.entries}
    held |= {roster.role for roster in registry.duty.rosters.values() if roster.people or roster.id in entered}
    if registry.speakers:
        held.add(SPEAKERS)
    for policy in policies.policies.values():
        named = dict.fromkeys(role for plan in policy.grades.values() for step in plan.steps for role in step.to if role)
        for role in named:
            if role not in held:
                roles = ", ".join(sorted(held))
                yield Problem("contacts.csv", f"nobody holds the role {role!r} that policy {policy.id!r} calls; roles held: {roles}")


def _missing_words(registry: Registry, policies: Policies, templates: Templates) -> Iterator[Problem]:
    hazards = [hazard for policy in policies.policies.values() for hazard in policy.hazards]
    for language in registry.county.languages:
        words = templates.words.get(language)
        if words is None:
            yield Problem(f"templates/words.{language}.yaml", f"the file is missing; county.yaml names the language {language!r}")
            continue
        for hazard in hazards:
            if hazard not in words.hazards:
                yield Problem(f"templates/words.{language}.yaml", f"no name for the hazard {hazard!r} under 'hazards'")


def _missing_texts(registry: Registry, policy: Policy, templates: Templates, stages: Stages) -> Iterator[Problem]:
    every = tuple(dict.fromkeys(channel for plan in policy.grades.values() for channel in channels_of(plan)))
    needed = {grade.word: channels_of(plan) for grade, plan in policy.grades.items()} | {LOWER: every, LIFT: every}
    early = stages.table[1:]
    if early:
        to_village = any(VILLAGE in stage.to for stage in early)
        needed[EARLY] = tuple(channel for channel in every if to_village or channel != LOUDSPEAKER)
    for hazard in policy.hazards:
        for language in registry.county.languages:
            for occasion, channels in needed.items():
                for channel in channels:
                    if (hazard, occasion, channel, language) not in templates.texts:
                        yield Problem("templates", f"no text for {hazard}/{occasion}/{channel}/{language}; policy {policy.id!r} needs it")


def _unanswerable_texts(policy: Policy, templates: Templates) -> Iterator[Problem]:
    """A short message that asks must say how to answer, and one that asks nothing must not."""
    for template in templates.texts.values():
        if template.hazard not in policy.hazards or template.channel != SMS or template.occasion in {LOWER, LIFT}:
            continue
        if template.occasion == EARLY:
            if "code" not in template.fields:
                yield Problem("templates", f"{template.id}: who is told early says that it was received, but the text has no {{code}}")
            continue
        plan = policy.grades.get(Grade.from_word(template.occasion))
        if plan and plan.actions and "code" not in template.fields:
            yield Problem("templates", f"{template.id}: policy {policy.id!r} asks for an answer, but the text has no {{code}}")
        if plan and not plan.actions and "code" in template.fields:
            yield Problem("templates", f"{template.id}: policy {policy.id!r} asks for no answer, but the text has a {{code}}")


def _long_texts(registry: Registry, templates: Templates, stages: Stages) -> Iterator[Problem]:
    """With the longest village and shelter of the county: place and action in the first part, and not too many parts."""
    for template in templates.texts.values():
        words = templates.words.get(template.language)
        if template.channel != SMS or words is None:
            continue
        facts = _longest(registry, template, words, stages)
        text = fill(template, facts, words)
        count = segments(text).count
        if count > MAX_SEGMENTS:
            yield Problem("templates", f"{template.id}: {count} segments with the longest names; at most {MAX_SEGMENTS} are allowed")
        head = _head(template, facts, words)
        used, room = units(head, encoding_of(text)), first_part(text)
        if used > room:
            yield Problem("templates", f"{template.id}: place and action end at unit {used}; they must stand in the first {room}")


def _head(template: Template, facts: Facts, words: Words) -> str:
    """The text up to the end of its place and action, whichever comes later."""
    ends = [template.text.find(name) + len(name) for name in ("{village}", "{action}") if name in template.text]
    return fill(replace(template, text=template.text[: max(ends, default=0)]), facts, words)


def _spelt(names: tuple[str, ...]) -> int:
    return sum(map(len, names)) + len(names)


def _longest(registry: Registry, template: Template, words: Words, stages: Stages) -> Facts:
    english = template.language == "en"
    names = [v.name_en if english else v.name for v in registry.villages.values()]
    language = template.language
    shelters = [registry.shelter_of(v, language) for v in registry.villages]
    ahead = [stage.said(_LONGEST_TIME, registry.county.timezone, language) for stage in stages.table] if template.occasion == EARLY else []
    return Facts(
        village=max(names, key=len, default=""),
        hazard=template.hazard,
        grade=Grade.RED if template.occasion in {EARLY, LOWER, LIFT} else Grade.from_word(template.occasion),
        reason=("字" if words.language == "zh" else "x") * _REASON_UNITS,
        shelter=max(shelters, key=len, default=""),
        route=max((route_of(registry, v, language) for v in registry.villages), key=len, default=""),
        transfer_people=max((transfer_people_of(registry, v, language) for v in registry.villages), key=_spelt, default=()),
        issuer=registry.county.issuer_en if english else registry.county.issuer,
        at=_LONGEST_TIME,
        zone=registry.county.timezone,
        travel_time=timedelta(minutes=120),
        status=Status.EXERCISE,
        code="0000",
        link="https://example.invalid/a/" + "x" * 40 if template.channel != LOUDSPEAKER else "",
        ahead=max(ahead, key=len, default=""),
    )
