"""Hostile and broken rule files are refused with their place. The long mode is ``python -m bench.fuzz_rules --minutes 10``."""

import pytest

from bench.fuzz_rules import ATTACKS, Broken, fuzz
from rules.errors import LONGEST_MESSAGE, RuleErrors
from rules.parse import parse_rules
from tests.rules.making import LEVEL, LEVELS

TABLES = {"thresholds/river_levels.csv": LEVELS}
MILLION = {
    "one line of digits": "z > " + "9" * 1_000_000,
    "one name": "z" * 1_000_000 + " > 1",
    "one long sum": "z" + " + z" * 250_000 + " > 1",
    "nested": "(" * 500_000 + "z" + ")" * 500_000,
}


def _refused(expression: str) -> RuleErrors:
    """What is said of an expression in the place of the yellow row, on line 11."""
    text = LEVEL.replace("    yellow: z >= warn\n", f"    yellow: {_quoted(expression)}\n")
    with pytest.raises(RuleErrors) as raised:
        parse_rules({"rules.yaml": text, **TABLES})
    return raised.value


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\x00", "\\0") + '"'


@pytest.mark.parametrize("attack", [a for a in ATTACKS if not a.startswith(("sum", "latest", "count"))], ids=lambda a: a[:20])
def test_an_attack_in_an_expression_is_refused_with_line_and_column(attack: str) -> None:
    errors = _refused(attack).errors
    line = LEVEL.split("\n").index("    yellow: z >= warn") + 1
    assert {(e.file, e.line) for e in errors} == {("rules.yaml", line)}
    assert all(e.column > len("    yellow: ") for e in errors)


@pytest.mark.parametrize("name", MILLION)
def test_a_line_of_a_megabyte_is_refused_with_a_message_that_can_be_read(name: str) -> None:
    errors = _refused(MILLION[name]).errors
    assert errors
    assert all(e.line and e.column and len(e.message) <= LONGEST_MESSAGE for e in errors)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_few_hundred_mutated_files_are_refused_with_their_place_or_run(seed: int) -> None:
    tally = fuzz(seed, 150)
    assert tally.inputs == 150
    assert tally.refused
    assert tally.good


def test_a_promise_that_is_not_kept_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def crashing(_texts: object) -> None:
        raise KeyError("somewhere inside")

    monkeypatch.setattr("bench.fuzz_rules.parse_rules", crashing)
    with pytest.raises(Broken, match=r"--seed 1 --first .*KeyError"):
        fuzz(1, 20)
