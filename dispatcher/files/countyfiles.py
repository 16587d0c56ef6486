"""One directory with everything an operator edits: registry tables, policies, templates and rules, read together.

``county.yaml``, the six tables, ``policies/``, ``templates/`` and ``rules/``. All mistakes in all of them come at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from dispatcher.errors import ConfigurationError, Problem
from dispatcher.files.textfile import read_tree
from dispatcher.incidents.load import read_reporting
from dispatcher.incidents.model import Reporting
from dispatcher.policy.hazards import hazards_without
from dispatcher.policy.load import read_policies
from dispatcher.policy.model import Policies
from dispatcher.policy.stages import Stages, read_stages
from dispatcher.registry.check import check_together
from dispatcher.registry.load import digest_of, registry_of, registry_texts
from dispatcher.registry.model import Registry
from dispatcher.registry.places import places_of
from dispatcher.registry.versions import Imported, in_force
from dispatcher.templates.load import read_templates
from dispatcher.templates.model import Templates
from rules.errors import RuleError, RuleErrors
from rules.model import RuleSet
from rules.parse import parse_rules
from rules.plan import Plan, compile_rules
from rules.scenario_text import SUFFIX as SCENARIO

_YAML = frozenset({".yaml", ".yml"})
_RULES = frozenset({".yaml", ".yml", ".csv"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CountyFiles:
    """What the files say. ``rules`` are the texts of rule files and tables; ``plan`` is made of them.

    The plan covers the stations of the registry, with seasons in the county's time. ``findings`` are worth a look and may stay.
    ``registry_texts`` are the registry's files as they are in force, ``directory`` is the digest of those in the directory.
    """

    registry: Registry
    policies: Policies
    templates: Templates
    rules: Mapping[str, str]
    plan: Plan
    findings: tuple[Problem, ...] = ()
    registry_texts: Mapping[str, str] = field(default_factory=dict)
    directory: str = ""
    reporting: Reporting = field(default_factory=Reporting)
    stages: Stages = field(default_factory=Stages)


def load_county_files(directory: Path, rules: Path | None = None, imported: Imported | None = None) -> CountyFiles:
    """Read and check a directory; ``rules`` names another place for the rule pack. ConfigurationError carries every mistake.

    A registry that was ``imported`` stands in place of the directory's until that is edited.
    """
    if not directory.is_dir():
        raise ConfigurationError([Problem(str(directory), "no such directory; needed: one with county.yaml and its tables")])
    problems: list[Problem] = []
    findings: list[Problem] = []
    texts = registry_texts(directory, problems)
    chosen = in_force(texts, imported)
    registry = registry_of(chosen, problems, findings)
    policies = read_policies(_tree(directory, "policies", _YAML, problems), problems)
    templates = read_templates(_tree(directory, "templates", _YAML, problems), problems, registry.county.languages[0])
    reporting = read_reporting(directory, problems)
    stages = read_stages(directory, problems)
    rule_texts = _rule_texts(rules or directory / "rules", problems)
    parsed = _parsed(rule_texts, problems)
    if problems or parsed is None:
        raise ConfigurationError(problems)
    problems = [
        *check_together(registry, policies, templates, stages),
        *(replace(p, file=f"rules/{p.file}") for p in hazards_without(parsed, policies)),
    ]
    plan = _compiled(parsed, registry, problems)
    if problems or plan is None:
        raise ConfigurationError(problems)
    return CountyFiles(
        registry=registry,
        policies=policies,
        templates=templates,
        rules=rule_texts,
        plan=plan,
        reporting=reporting,
        stages=stages,
        findings=tuple(findings),
        registry_texts=chosen,
        directory=digest_of(texts),
    )


def _parsed(texts: Mapping[str, str], problems: list[Problem]) -> RuleSet | None:
    try:
        return parse_rules(texts)
    except RuleErrors as errors:
        problems.extend(_rule_problem(error) for error in errors.errors)
        return None


def _compiled(rules: RuleSet, registry: Registry, problems: list[Problem]) -> Plan | None:
    try:
        return compile_rules(rules, places_of(registry), registry.county.timezone)
    except RuleErrors as errors:
        problems.extend(_rule_problem(error) for error in errors.errors)
        return None


def _rule_problem(error: RuleError) -> Problem:
    return Problem(f"rules/{error.file}", error.message, error.line, error.column)


def located(problem: Problem, directory: Path, rules: Path | None = None) -> Problem:
    """The problem with its file as a path that an editor can open, not as a name inside the directory."""
    if Path(problem.file) == directory:
        return problem
    if rules is not None and problem.file.startswith("rules/"):
        return replace(problem, file=str(rules / problem.file.removeprefix("rules/")))
    return replace(problem, file=str(directory / problem.file))


def _rule_texts(folder: Path, problems: list[Problem]) -> dict[str, str]:
    own: list[Problem] = []
    # Scenarios stand beside the rules they test; they are no rules.
    texts = {name: text for name, text in read_tree(folder, _RULES, own).items() if not name.endswith(SCENARIO)}
    problems.extend(replace(problem, file=f"rules/{problem.file}") for problem in own)
    return texts


def _tree(directory: Path, folder: str, suffixes: frozenset[str], problems: list[Problem]) -> dict[str, str]:
    """The texts below ``directory/folder``, named with the folder so that a problem can be found."""
    own: list[Problem] = []
    texts = read_tree(directory / folder, suffixes, own)
    problems.extend(replace(problem, file=f"{folder}/{problem.file}") for problem in own)
    return {f"{folder}/{name}": text for name, text in texts.items()}
