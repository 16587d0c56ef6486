"""The schema for editors: it is the committed one, takes every rule there is, and sees the loader's mistakes that have a shape."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from dispatcher.rulework.packs import packs_of
from rules.errors import RuleErrors
from rules.parse import parse_rules
from rules.scenario_text import SUFFIX
from rules.schema import schema_of_rules
from tests.rules.making import LEVEL, RAIN

ROOT = Path(__file__).resolve().parents[2]
VALIDATOR = Draft202012Validator(schema_of_rules())
FILES = [
    *(pytest.param(text, id=f"{pack.folder.name}/{name}") for pack in packs_of([]) for name, text in pack.texts.items() if "yaml" in name),
    *(
        pytest.param(f.read_text("utf-8"), id=f.relative_to(ROOT).as_posix())
        for f in sorted((ROOT / "config").glob("*/rules/*.yaml"))
        if not f.name.endswith(SUFFIX)
    ),
    pytest.param(RAIN, id="rain"),
    pytest.param(LEVEL, id="level"),
]


class _Plain(yaml.SafeLoader):
    """YAML as the loader reads it: months and days are words, not dates."""


_Plain.yaml_implicit_resolvers = {
    first: [(tag, shape) for tag, shape in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _errors(text: str) -> list[Any]:
    return [e.message for e in VALIDATOR.iter_errors(yaml.load(text, Loader=_Plain))]  # noqa: S506 - a safe loader, see above


def test_the_committed_schema_is_what_the_program_prints() -> None:
    committed = (ROOT / "docs" / "rules.schema.json").read_text(encoding="utf-8")
    assert committed == json.dumps(schema_of_rules(), ensure_ascii=False, indent=2) + "\n", (
        "run: dispatcher rules schema > docs/rules.schema.json"
    )


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema_of_rules())


@pytest.mark.parametrize("text", FILES)
def test_the_schema_takes_every_rule_there_is(text: str) -> None:
    assert _errors(text) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("mode: live", "mode: off", id="mode"),
        pytest.param("version: 7", "version: seven", id="version"),
        pytest.param("version: 7", "version: 0", id="version below 1"),
        pytest.param("hazard: flash-flood", "hazard: Flash Flood", id="hazard"),
        pytest.param("  hazard: flash-flood", "", id="no hazard"),
        pytest.param("issued_by: township", "issued_by: village", id="issued_by"),
        pytest.param("season: 04-01..10-15", "season: summer", id="season"),
        pytest.param("r1h:  [ 35,  45,  60,  80]", "r1h:  [ 35,  45,  60]", id="three cells"),
        pytest.param("r1h:  [ 35,  45,  60,  80]", "r1h:  [ 35,  45,  60, many]", id="a word in a row"),
        pytest.param("lower: {when: r3h < 30, for: 1h, to: computed}", "lower: {when: r3h < 30, to: computed}", id="no for"),
        pytest.param("to: computed", "to: zero", id="to"),
        pytest.param("for: 1h", "for: an hour", id="for"),
        pytest.param("no_data: {after: 20m, grade: hold", "no_data: {after: 20m, grade: clear", id="clear on silence"),
        pytest.param("  no_data: {after: 20m, grade: hold, tell: duty-room}\n", "", id="no no_data"),
        pytest.param("raise: at_once", "raise: slowly", id="raise"),
        pytest.param("quality: {range: [0, 30]}", "quality: {range: [0]}", id="range"),
        pytest.param("quality: {range: [0, 30]}", "quality: {min_coverage: 3}", id="coverage"),
        pytest.param("title: 山洪雨量预警", "titel: 山洪雨量预警", id="unknown key"),
        pytest.param("grades: [blue, yellow, orange, red]", "grades: [red, blue]", id="grades"),
        pytest.param("r1h:  sum(rain, 1h)", "R1:  sum(rain, 1h)", id="name of an input"),
        pytest.param("r1h:  sum(rain, 1h)", "r1h:  []", id="an input that is a list"),
    ],
)
def test_what_the_schema_refuses_the_loader_refuses_too(before: str, after: str) -> None:
    text = RAIN.replace(before, after)
    assert text != RAIN
    assert _errors(text) != []
    with pytest.raises(RuleErrors):
        parse_rules({"rules.yaml": text})
