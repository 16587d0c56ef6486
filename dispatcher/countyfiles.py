"""One directory with everything an operator edits: registry tables, policies, templates and rules, read together.

``county.yaml``, the six tables, ``policies/``, ``templates/`` and ``rules/``. All mistakes in all of them come at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from dispatcher.errors import ConfigurationError, Problem
from dispatcher.policy.load import read_policies
from dispatcher.policy.model import Policies
from dispatcher.registry.check import check_together
from dispatcher.registry.load import read_registry
from dispatcher.registry.model import Registry
from dispatcher.templates.load import read_templates
from dispatcher.templates.model import Templates
from dispatcher.textfile import read_tree

_YAML = frozenset({".yaml", ".yml"})
_RULES = frozenset({".yaml", ".yml", ".csv"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CountyFiles:
    """What the files say. ``rules`` are the texts of rule files and their tables, for ``rules.parse.parse_rules``."""

    registry: Registry
    policies: Policies
    templates: Templates
    rules: Mapping[str, str]


def load_county_files(directory: Path, rules: Path | None = None) -> CountyFiles:
    """Read and check a directory; ``rules`` names another place for the rule pack. ConfigurationError carries every mistake."""
    if not directory.is_dir():
        raise ConfigurationError([Problem(str(directory), "no such directory; needed: one with county.yaml and its tables")])
    problems: list[Problem] = []
    registry = read_registry(directory, problems)
    policies = read_policies(_tree(directory, "policies", _YAML, problems), problems)
    templates = read_templates(_tree(directory, "templates", _YAML, problems), problems, registry.county.languages[0])
    rule_texts = read_tree(rules or directory / "rules", _RULES, problems)
    if not rule_texts:
        problems.append(Problem("rules", "there is no rule file; at least one .yaml file is needed"))
    if not problems:
        problems = check_together(registry, policies, templates)
    if problems:
        raise ConfigurationError(problems)
    return CountyFiles(registry=registry, policies=policies, templates=templates, rules=rule_texts)


def _tree(directory: Path, folder: str, suffixes: frozenset[str], problems: list[Problem]) -> dict[str, str]:
    """The texts below ``directory/folder``, named with the folder so that a problem can be found."""
    own: list[Problem] = []
    texts = read_tree(directory / folder, suffixes, own)
    problems.extend(replace(problem, file=f"{folder}/{problem.file}") for problem in own)
    return {f"{folder}/{name}": text for name, text in texts.items()}
