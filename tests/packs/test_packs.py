"""The packs that come with the program: they load, their scenarios pass, and every number says where it comes from."""

import ast
import csv
import re
from pathlib import Path

import pytest
import yaml

import rules
from dispatcher.intake.units import VARIABLES
from dispatcher.rulework.packs import Pack, packs_of, shipped
from dispatcher.warnings.cap_terms import HAZARDS
from rules.change import Mode
from rules.parse import parse_rules
from rules.scenario import Scenario
from rules.scenario_run import run_scenario
from rules.scenario_text import written
from rules.sentence import HAZARDS_ZH
from scripts import make_pack_docs

#: Rules that need more of the language than the engine has. Strict: they must be taken out when it does.
AWAITED: dict[str, str] = {}
#: Rules without a scenario, each with a reason here.
UNTESTED: set[str] = set()
MARKS = {"V", "S", "M+", "M", "M-"}
GRADES = ("blue", "yellow", "orange", "red")
PACKS = packs_of([])
FILES = [(pack, name) for pack in PACKS for name in pack.texts if name.endswith(".yaml")]
SCENARIOS = [(pack, scenario) for pack in PACKS for scenario in pack.tests()]


def _awaited(rule: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.xfail(reason=f"needs {AWAITED[rule]}", strict=True)] if rule in AWAITED else []


def _rule(pack: Pack, name: str) -> dict[str, object]:
    (found,) = yaml.safe_load(pack.texts[name])["rules"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("pack", "name"), [pytest.param(p, n, id=f"{p.folder.name}/{n}", marks=_awaited(str(_rule(p, n)["rule"]))) for p, n in FILES]
)
def test_a_pack_loads(pack: Pack, name: str) -> None:
    (rule,) = parse_rules({name: pack.texts[name], **{f: t for f, t in pack.texts.items() if f.endswith(".csv")}}).rules
    assert name == f"{rule.name}.yaml"
    assert rule.mode is not Mode.LIVE  # a county sets its numbers first


@pytest.mark.parametrize(("pack", "scenario"), [pytest.param(p, s, id=f"{s.rule}: {s.name}", marks=_awaited(s.rule)) for p, s in SCENARIOS])
def test_a_scenario_of_a_pack_passes(pack: Pack, scenario: Scenario) -> None:
    assert [(d.place, d.after and written(d.after), d.expected, d.found, d.values) for d in run_scenario(scenario, pack.texts)] == []


def test_every_rule_has_a_scenario() -> None:
    names = {str(_rule(pack, name)["rule"]) for pack, name in FILES}
    assert names - {s.rule for _, s in SCENARIOS} == UNTESTED
    assert set(AWAITED) <= names


def _numbers(rule: dict[str, object]) -> set[tuple[str, str, float]]:
    """(row, grade, number) of everything in the ladder."""
    ladder = rule["ladder"]
    assert isinstance(ladder, dict)
    found = set()
    for row, value in ladder.items():
        if isinstance(value, list):
            found |= {(row, grade, float(cell)) for grade, cell in zip(GRADES, value, strict=True) if cell is not None}
        else:
            found |= {(row, row, number) for number in _constants(value)}
    return found


def _constants(text: str) -> set[float]:
    tree = ast.parse(re.sub(r"(\d)[dhms]\b", r"\1", text), mode="eval")
    negative = {id(n.operand): -1 for n in ast.walk(tree) if isinstance(n, ast.UnaryOp) and isinstance(n.op, ast.USub)}
    return {n.value * negative.get(id(n), 1) for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, int | float)}


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.folder.name)
def test_every_number_of_a_pack_says_where_it_comes_from_and_how_sure_that_is(pack: Pack) -> None:
    rows = list(csv.DictReader(pack.texts["sources.csv"].splitlines()))
    assert {row["mark"] for row in rows} <= MARKS
    assert [row for row in rows if not row["source"] or not row["unit"]] == []
    told = {(row["rule"], row["row"], row["grade"], float(row["number"])) for row in rows if row["row"] != "scale"}
    own = [_rule(pack, name) for p, name in FILES if p is pack]
    assert told == {(str(rule["rule"]), *number) for rule in own for number in _numbers(rule)}


#: How people write the canonical units.
UNITS = {"degC": "°C", "m3/s": "m³/s", "ug/m3": "µg/m³", "%LEL": "% LEL"}


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.folder.name)
def test_every_number_of_a_pack_is_in_the_unit_in_which_its_variable_arrives(pack: Pack) -> None:
    told = {(row["rule"], row["input"]): row["unit"] for row in csv.DictReader(pack.texts["sources.csv"].splitlines())}
    for rule in pack.parsed().rules:
        for one in (i for i in rule.inputs if i.observed):
            unit = VARIABLES[one.variable].unit
            shown = told.get((rule.name, one.name))
            if shown and "1" not in (shown, unit) and one.each is None:  # a factor has no unit
                assert shown.split("/")[0].startswith(UNITS.get(unit, unit).split("/")[0]), (rule.name, one.name, shown, unit)


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.folder.name)
def test_every_hazard_of_a_pack_has_a_chinese_name_and_a_category_of_its_own(pack: Pack) -> None:
    for rule in pack.parsed().rules:
        assert rule.hazard in HAZARDS_ZH
        assert rule.hazard in HAZARDS


SIGNALS = {
    "typhoon", "rainstorm", "snowstorm", "cold-wave", "gale", "sand-dust", "heat", "drought", "lightning", "hail", "frost", "fog", "haze",
    "road-ice",
}  # fmt: skip
"""The hazards of CMA decree 16."""


def test_every_warning_signal_of_the_decree_has_a_rule() -> None:
    assert {rule.hazard for pack in PACKS for rule in pack.parsed().rules} >= SIGNALS


def test_every_signal_that_a_forecast_can_decide_has_a_rule_for_what_is_expected() -> None:
    expected = {
        rule.hazard
        for pack in PACKS
        for rule in pack.parsed().rules
        if rule.name.endswith("-expected") and any(i.forecast for i in rule.inputs)
    }
    assert expected == SIGNALS - {"drought"} | {"thunder-gale"}


def test_the_packs_are_package_data() -> None:
    assert (shipped() / "flash-flood" / "flash-flood-rain.yaml").is_file()
    assert shipped().parent == Path(rules.__file__ or "").parent


def test_the_page_about_packs_is_made_from_them() -> None:
    assert make_pack_docs.FILE.read_text(encoding="utf-8") == make_pack_docs.text(), "run: python scripts/make_pack_docs.py"
