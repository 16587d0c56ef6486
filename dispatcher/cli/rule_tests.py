"""``dispatcher rules test`` and ``check``: what a rule promises, and what is wrong with its files."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from dispatcher.cli.running import WRONG, say_problems
from dispatcher.errors import ConfigurationError, Problem
from dispatcher.rulework.examine import Examined, examine
from dispatcher.rulework.packs import Pack, packs_of
from rules.errors import RuleErrors
from rules.scenario import Difference, Scenario
from rules.scenario_run import run_scenario
from rules.scenario_text import written

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Paths = Annotated[
    list[Path] | None, typer.Argument(metavar="[PATH]…", help="Folders, rule files or *.scenario.yaml; default the shipped packs.")
]


_MOST_TOLD = 3


def run_tests(paths: Paths = None, *, as_json: AsJson = False) -> None:
    """Run the scenarios beside rules; exit 1 with what differs: what was expected, what was, and the values.

    Example: dispatcher rules test
    """
    passed = asked = 0
    problems: list[Problem] = []
    differences: list[tuple[Pack, Difference]] = []
    for pack in _packs(paths):
        for scenario in _tests(pack, problems):
            asked += 1
            passed += _passes(pack, scenario, differences, problems)
    if as_json:
        records = [_record(pack, d) for pack, d in differences]
        mistakes = [asdict(p) for p in problems]
        found = {
            "ok": not records and not mistakes,
            "passed": passed,
            "failed": asked - passed,
            "differences": records,
            "problems": mistakes,
        }
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        for pack, d in differences:
            _say(pack, d)
        if problems:
            say_problems(ConfigurationError(problems))
        typer.echo(f"{passed} passed, {asked - passed} failed")
    raise typer.Exit(WRONG if differences or problems else 0)


def check(
    paths: Paths = None,
    *,
    registry: Annotated[Path | None, typer.Option(help="Directory of a county: are its stations what the rules need?")] = None,
    as_json: AsJson = False,
) -> None:
    """Find every mistake in rules and scenarios, with file, line and column. A rule without a test is a warning.

    Example: dispatcher rules check config/sample/rules --registry config/sample
    """
    try:
        found = examine(packs_of(paths or []), registry)
    except ConfigurationError as error:
        found = Examined(rules=0, tests=0, problems=tuple(error.problems), doubts=())
    if as_json:
        told = {"problems": [asdict(p) for p in found.problems], "warnings": [asdict(p) for p in found.doubts]}
        typer.echo(json.dumps({"ok": not found.problems, "rules": found.rules, "tests": found.tests, **told}, ensure_ascii=False))
    else:
        for doubt in found.doubts:
            typer.secho(f"{doubt} (warning)", err=True, fg="yellow")
        if found.problems:
            say_problems(ConfigurationError(list(found.problems)))
        else:
            typer.echo(f"ok: {found.rules} rules, {found.tests} tests, {len(found.doubts)} warnings")
    raise typer.Exit(WRONG if found.problems else 0)


def _packs(paths: list[Path] | None) -> list[Pack]:
    try:
        return packs_of(paths or [])
    except ConfigurationError as error:
        say_problems(error)
        raise typer.Exit(WRONG) from error


def _tests(pack: Pack, problems: list[Problem]) -> tuple[Scenario, ...]:
    try:
        return pack.tests()
    except ConfigurationError as error:
        problems += error.problems
        return ()


def _passes(pack: Pack, scenario: Scenario, differences: list[tuple[Pack, Difference]], problems: list[Problem]) -> bool:
    try:
        found = run_scenario(scenario, pack.texts)
    except RuleErrors as errors:
        problems += [p for p in map(pack.named, errors.errors) if p not in problems]
        return False
    differences += [(pack, d) for d in found]
    return not found


def _say(pack: Pack, d: Difference) -> None:
    when = "at any time" if d.after is None else f"at {written(d.after)}"
    typer.secho(f"{pack.folder / d.file}:{d.line}:{d.column}: {d.scenario}", fg="red")
    typer.echo(f"  {when}, {d.place}: expected {d.expected}; was {d.found}")
    typer.echo(f"  values   {', '.join(f'{name} {value:.10g}' for name, value in d.values.items()) or 'none'}")
    typer.echo(f"  history  {'; '.join(d.history) or 'no change'}")
    for told in d.told[:_MOST_TOLD]:
        typer.echo(f"  told     {told}")


def _record(pack: Pack, d: Difference) -> dict[str, Any]:
    after = None if d.after is None else int(d.after.total_seconds())
    shown = {"test": d.scenario, "place": d.place, "after_s": after, "expected": d.expected, "found": d.found}
    past = {"values": d.values, "history": d.history, "told": d.told}
    return {"file": str(pack.folder / d.file), "line": d.line, "column": d.column, **shown, **past}
