"""Rule packs on disk: rule files and tables of a folder, and the scenarios beside them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from dispatcher.errors import ConfigurationError, Problem
from dispatcher.files.textfile import read_text
from rules.errors import RuleError, RuleErrors
from rules.model import RuleSet
from rules.parse import parse_rules
from rules.scenario import Scenario
from rules.scenario_text import SUFFIX, read_scenarios

_RULES = (".yaml", ".yml")
_TABLE = ".csv"


def shipped() -> Path:
    """The packs that come with the program."""
    return Path(str(resources.files("rules"))) / "packs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One folder with rules. ``texts`` are its rule files and tables by path inside the folder; scenarios stand beside them.

    ``wanted`` are the scenarios that were asked for, all of them unless one was named.
    """

    folder: Path
    texts: Mapping[str, str]
    scenarios: Mapping[str, str]
    wanted: frozenset[str] = field(default=frozenset())

    def named(self, error: RuleError) -> Problem:
        """A mistake with its file as a path that an editor can open."""
        return Problem(str(self.folder / error.file), error.message, error.line, error.column)

    def parsed(self) -> RuleSet:
        """Its rules; ConfigurationError carries every mistake."""
        try:
            return parse_rules(self.texts)
        except RuleErrors as errors:
            raise ConfigurationError([self.named(e) for e in errors.errors]) from errors

    def tests(self) -> tuple[Scenario, ...]:
        """The scenarios that were asked for; ConfigurationError carries every mistake."""
        problems: list[Problem] = []
        found: list[Scenario] = []
        for file, text in self.scenarios.items():
            if self.wanted and file not in self.wanted:
                continue
            try:
                found += read_scenarios(file, text)
            except RuleErrors as errors:
                problems += [self.named(e) for e in errors.errors]
        if problems:
            raise ConfigurationError(problems)
        return tuple(found)


def packs_of(paths: Sequence[Path]) -> list[Pack]:
    """The packs of folders, rule files or scenario files; the shipped ones when nothing is named. ConfigurationError for a wrong path."""
    problems: list[Problem] = []
    found: dict[Path, Pack] = {}
    for path in paths or [shipped()]:
        pieces = list(_below(path))
        if not pieces:
            problems.append(Problem(str(path), f"no rules here; allowed: a folder with rule files, a rule file, or a *{SUFFIX}"))
        for folder, file in pieces:
            if folder not in found or not file:
                found[folder] = _read(folder, problems)
            if file and file.endswith(SUFFIX):
                old = found[folder]
                found[folder] = Pack(folder=folder, texts=old.texts, scenarios=old.scenarios, wanted=old.wanted | {file})
    if problems:
        raise ConfigurationError(problems)
    return list(found.values())


def _below(path: Path) -> Iterator[tuple[Path, str]]:
    """Each folder that holds rule files, and the one scenario that was named, if one was."""
    if path.is_file() and path.name.endswith(SUFFIX):
        home = next((f for f in (path.parent, path.parent.parent) if _is_pack(f)), path.parent)
        yield home, path.relative_to(home).as_posix()
    elif path.is_file() and path.suffix in _RULES:
        yield path.parent, ""
    elif path.is_dir() and _is_pack(path):
        yield path, ""
    elif path.is_dir():
        for folder in sorted(p for p in path.iterdir() if p.is_dir()):
            yield from _below(folder)


def _is_pack(folder: Path) -> bool:
    return any(p.suffix in _RULES and not p.name.endswith(SUFFIX) for p in folder.iterdir() if p.is_file())


def _read(folder: Path, problems: list[Problem]) -> Pack:
    texts: dict[str, str] = {}
    scenarios: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in (*_RULES, _TABLE) and path.is_file():
            name = path.relative_to(folder).as_posix()
            (scenarios if name.endswith(SUFFIX) else texts)[name] = read_text(path, problems, str(path))
    return Pack(folder=folder, texts=texts, scenarios=scenarios)


def version_of(path: Path) -> Pack:
    """One version of rules: a folder, or a single rule file with the tables beside it; ConfigurationError otherwise."""
    packs = packs_of([path])
    if len(packs) != 1:
        there = ", ".join(str(p.folder) for p in packs)
        raise ConfigurationError([Problem(str(path), f"{len(packs)} packs; allowed: one of {there}")])
    pack = packs[0]
    if not path.is_file():
        return pack
    texts = {name: text for name, text in pack.texts.items() if name == path.name or name.endswith(_TABLE)}
    return Pack(folder=pack.folder, texts=texts, scenarios={})
