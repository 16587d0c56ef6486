"""Everything about rules that can be said without running them on a county: mistakes, and rules that nobody tests."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dispatcher.errors import ConfigurationError, Problem
from dispatcher.policy.hazards import hazards_without
from dispatcher.policy.load import load_policies
from dispatcher.policy.model import Policies
from dispatcher.registry.load import load_registry
from dispatcher.registry.model import Registry
from dispatcher.registry.places import places_of
from dispatcher.rulework.packs import Pack
from rules.change import Mode
from rules.errors import RuleErrors
from rules.model import RuleSet
from rules.plan import compile_rules
from rules.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What a check found. ``problems`` make rules unusable, ``doubts`` do not; both have file and line."""

    rules: int
    tests: int
    problems: tuple[Problem, ...]
    doubts: tuple[Problem, ...]


def examine(packs: Sequence[Pack], registry: Path | None) -> Examined:
    """Check packs, with a registry also against its stations; ConfigurationError when the registry itself is wrong."""
    county = load_registry(registry) if registry else None
    policies = _policies(registry / "policies") if registry and (registry / "policies").is_dir() else None
    problems: list[Problem] = []
    doubts: list[Problem] = []
    rules = tests = 0
    for pack in packs:
        parsed = _parsed(pack, problems)
        scenarios = _scenarios(pack, problems)
        tests += len(scenarios)
        if parsed is None:
            continue
        rules += len(parsed.rules)
        problems += _orphans(pack, parsed, scenarios)
        doubts += _untested(pack, parsed, scenarios)
        if county:
            problems += _unfit(pack, parsed, county)
        if policies:
            problems += [replace(p, file=str(pack.folder / p.file)) for p in hazards_without(parsed, policies)]
    return Examined(rules=rules, tests=tests, problems=tuple(problems), doubts=tuple(doubts))


def _policies(folder: Path) -> Policies:
    try:
        return load_policies(folder)
    except ConfigurationError as error:
        raise ConfigurationError([replace(p, file=str(folder / p.file)) for p in error.problems]) from error


def _parsed(pack: Pack, problems: list[Problem]) -> RuleSet | None:
    try:
        return pack.parsed()
    except ConfigurationError as error:
        problems += error.problems
        return None


def _scenarios(pack: Pack, problems: list[Problem]) -> tuple[Scenario, ...]:
    try:
        return pack.tests()
    except ConfigurationError as error:
        problems += error.problems
        return ()


def _orphans(pack: Pack, parsed: RuleSet, scenarios: Sequence[Scenario]) -> list[Problem]:
    known = [r.name for r in parsed.rules]
    return [
        Problem(str(pack.folder / s.file), f"test {s.name!r} is of an unknown rule {s.rule!r}; rules: {', '.join(known)}", s.line, s.column)
        for s in scenarios
        if s.rule not in known
    ]


def _untested(pack: Pack, parsed: RuleSet, scenarios: Sequence[Scenario]) -> list[Problem]:
    tested = {s.rule for s in scenarios}
    return [
        Problem(str(pack.folder / r.file), f"rule {r.name!r} has no test; write one in a *.scenario.yaml beside it", r.line, r.column)
        for r in parsed.rules
        if r.name not in tested and r.mode is not Mode.STOPPED
    ]


def _unfit(pack: Pack, parsed: RuleSet, county: Registry) -> list[Problem]:
    try:
        compile_rules(parsed, places_of(county), county.county.timezone)
    except RuleErrors as errors:
        return [pack.named(e) for e in errors.errors]
    return []
