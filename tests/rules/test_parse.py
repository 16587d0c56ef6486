"""The loader: each mistake is refused with its line and column, and nothing is ignored."""

import pytest

from rules.errors import RuleError, RuleErrors
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import compile_rules
from tests.rules.making import LEVEL, LEVELS, RAIN, S1, Z1, at, rain_engine, reading

TABLE = "thresholds/river_levels.csv"


def errors_of(text: str, **tables: str) -> tuple[RuleError, ...]:
    with pytest.raises(RuleErrors) as caught:
        parse_rules({"rules.yaml": text, **tables})
    return caught.value.errors


def place_of(text: str, needle: str) -> tuple[int, int]:
    """Line and column of a text, counted from 1."""
    before = text[: text.index(needle)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


CASES = {
    "an unknown key": ("  mode: live", "  mood: live", "mood: live", "unknown key 'mood' in a rule; allowed: rule, version"),
    "a boolean that is meant as a word": ("mode: live", "mode: off", "off", "YAML reads 'off' as true or false"),
    "an unknown mode": ("mode: live", "mode: dead", "dead", "allowed: one of live, shadow, stopped"),
    "a missing no_data": ("  no_data: {after: 20m, grade: hold, tell: duty-room}\n", "", "rule: flash", "a rule needs 'no_data'"),
    "no grade for silence": ("grade: hold, ", "", "{after: 20m", "no_data needs 'grade'"),
    "silence that clears": ("grade: hold", "grade: resolve", "resolve", "allowed: one of hold, expire, raise"),
    "telling an unknown desk": ("tell: duty-room", "tell: mayor", "mayor", "allowed: one of duty-room"),
    "an unknown operation": ("sum(rain, 3h)", "mode(rain, 3h)", "mode(rain", "allowed: sum max min mean median change slope count"),
    "an unknown option": ("sum(rain, 3h)", "'sum(rain, 3h, far=5km)'", "'sum(rain, 3h, f", "has the unknown option 'far'"),
    "a distance that is none": ("sum(rain, 3h)", "'sum(rain, 3h, near=5)'", "'sum(rain, 3h, n", "neither catchment nor a distance"),
    "taking what is unknown": ("sum(rain, 3h)", "'sum(rain, 3h, take=third)'", "'sum(rain, 3h, t", "none of nearest, highest"),
    "a window that is no duration": ("sum(rain, 3h)", "sum(rain, 3 hours)", "sum(rain, 3 hours)", "no valid window, such as 20m"),
    "a window of nothing": ("sum(rain, 3h)", "sum(rain, 0h)", "sum(rain, 0h)", "no valid window"),
    "an input with the name of a grade": ("    r6h:  sum", "    red:  sum", "red:  sum", "cannot name an input"),
    "a row for no input": ("r6h:  [ 70", "r7h:  [ 70", "r7h:", "unknown row 'r7h' in ladder; allowed: blue"),
    "three thresholds": ("[ 55,  75, 100, 120]", "[ 55,  75, 100]", "[ 55", "must have 4 thresholds"),
    "falling thresholds": ("[ 55,  75, 100, 120]", "[ 55,  75, 60, 120]", "[ 55", "must rise from blue to red"),
    "a threshold that is no number": ("[ 55,  75,", "[ 55,  1:15,", "1:15", "a threshold must be a number"),
    "a scale out of bounds": ("  raise:", "  scale: [{when: r1h > 9, by: 0}]\n  raise:", "0}]", "by must lie within 0.1 and 10"),
    "a scale without a condition": ("  raise:", "  scale: [{by: 0.8}]\n  raise:", "{by: 0.8}", "needs 'when'"),
    "a way up that is unknown": ("at_once", "slowly", "slowly", "allowed: at_once, 'N in a row'"),
    "one in a row": ("at_once", "1 in a row", "1 in", "N from 2 to 100"),
    "lowering without a time": ("for: 1h, ", "", "{when", "lower needs 'for'"),
    "asking an unknown desk": ("to: computed", "to: computed, ask: mayor", "mayor", "allowed: one of duty-room"),
    "runs where there is no forecast": ("for: 1h", "for: 2 runs", "{when", "needs a condition that looks at a forecast"),
    "an unknown target": ("to: computed", "to: zero", "zero", "allowed: one of computed, one_step"),
    "an unknown name in a condition": ("r3h < 30", "r3h < 30 and rr > 1", "rr > 1", "unknown name 'rr'; allowed here: r1h, r3h"),
    "a condition on nothing": ("r3h < 30", "1 < 30", "1 < 30", "looks at no input"),
    "a range upside down": ("[0, 30]", "[30, 0]", "[30, 0]", "range must be [lowest, highest]"),
    "a check that is unknown": ("range: [0, 30]", "range: [0, 30], drift: 25", "drift", "unknown key 'drift' in quality; allowed: range"),
    "a step without a time": ("range: [0, 30]", "range: [0, 30], max_step: 5", "5}", "must be a number above 0 per duration"),
    "stuck without a time": ("range: [0, 30]", "range: [0, 30], stuck: often", "often", "stuck: 'often' is not a duration"),
    "a version that is no number": ("version: 7", "version: 7a", "7a", "version must be a whole number, at least 1"),
    "a day that does not exist": ("04-01..10-15", "04-31..10-15", "04-31", "names a day that does not exist"),
    "a name with spaces": ("rule: flash-flood-rain", "rule: flash flood", "flash flood", "has a wrong form"),
    "grades in another order": ("[blue, yellow, orange, red]", "[red, orange, yellow, blue]", "[red", "low to high"),
    "the same key twice": ("  mode: live", "  mode: live\n  mode: shadow", "mode: shadow", "'mode' is given twice"),
    "a table that is not there": ("  raise:", "  override: no.csv\n  raise:", "no.csv", "tables there are: none"),
    "tests, which come later": ("rules:\n", "tests: []\nrules:\n", "tests", "unknown key 'tests' in a rule file"),
    "broken YAML": ("mode: live", "mode: live: x", "live", "not YAML"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_mistake_is_refused_with_line_and_column_and_what_is_allowed(case: tuple[str, str, str, str]) -> None:
    old, new, needle, message = case
    text = RAIN.replace(old, new, 1)
    assert text != RAIN
    errors = errors_of(text)
    found = [e for e in errors if message in e.message]
    assert found, [str(e) for e in errors]
    if message != "not YAML":
        assert (found[0].line, found[0].column) == place_of(text, needle)


def test_all_mistakes_of_all_files_are_named_at_once() -> None:
    text = RAIN.replace("mode: live", "mode: off").replace("0, 30]", "30]").replace("sum(rain, 6h)", "sum(rain)")
    with pytest.raises(RuleErrors) as caught:
        parse_rules({"b.yaml": text, "a.yaml": "rules: 3", "c.txt": ""})
    assert [e.file for e in caught.value.errors] == ["a.yaml", "b.yaml", "b.yaml", "b.yaml", "c.txt"]


@pytest.mark.parametrize(
    "attack",
    [
        "__import__('os').system('id') > 1",
        "r3h.__class__ == 1",
        "(lambda: r3h)() > 1",
        "[r3h for r3h in (1, 2)] > 1",
        "(r3h if r3h else 1) > 1",
        "r3h[0] > 1",
        "9 ** 9 ** 9 > r3h",
        "r3h > 'a'",
        "r3h > 1j",
        "r3h > True",
        "f'{r3h}' > 1",
        "(x := r3h) > 1",
        "r3h in (1, 2)",
        "r3h is 1",
        "max(*r3h) > 1",
        "max(r3h, 1, key=abs) > 1",
        "round(r3h, 2) > 1",
        "eval(r3h) > 1",
        "r3h",
        "r3h and 1",
        "r3h % 2 > 1",
        "r3h // 2 > 1",
        "r3h > 1e400",
        "r3h > 1" + "0" * 490,
        "-" * 60 + "r3h > 1",
        "(1 + " * 60 + "r3h" + ")" * 60 + " > 1",
        "not " * 100 + "r3h > 1",
        "r3h > 1" + " and r3h > 1" * 100,
        "r3h > 1; r3h",
        "r3h > \x00",
        "r3h >",
        "",
    ],
)
def test_attacks_in_conditions_are_refused_with_their_place(attack: str) -> None:
    quoted = "'" + attack.replace("'", "''") + "'"
    if "\x00" in attack:
        quoted = '"' + attack.replace("\x00", "\\0") + '"'
    text = RAIN.replace("r3h < 30", quoted)
    errors = errors_of(text)
    assert len(errors) == 1
    line, column = place_of(text, quoted)
    assert errors[0].line == line
    assert errors[0].column >= column


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rules:",
        "rules: []",
        "- 1",
        "[" * 5000,
        "a: &a [*a]",
        "\x00",
        "rules: " + "x" * 1_000_001,
        "? [1]\n: 2",
        "--- 1\n--- 2",
        "rules: [~]",
    ],
    ids=["empty", "nothing", "no rules", "list", "deep", "loop", "control", "1 MB", "odd key", "two documents", "null rule"],
)
def test_what_is_no_rule_file_is_refused_without_a_crash(text: str) -> None:
    assert errors_of(text)


def test_the_same_rule_in_two_files_is_refused() -> None:
    with pytest.raises(RuleErrors, match="given twice"):
        parse_rules({"a.yaml": RAIN, "b.yaml": RAIN})


LEVEL_TABLES = {
    "a station twice": (LEVELS + "Z1,1,2,3\n", 3, 1, "stands here twice"),
    "a cell that is no number": ("station,warn,guard,bank\nZ1,12,x,15\n", 2, 7, "'guard' must be a number"),
    "a blank cell": ("station,warn,guard,bank\nZ1,12,,15\n", 2, 7, "'guard' must be a number"),
    "a number that is not finite": ("station,warn,guard,bank\nZ1,12,nan,15\n", 2, 7, "'guard' must be a number"),
    "a cell too many": (LEVELS + "Z2,1,2,3,4\n", 3, 1, "5 cells, the header 4"),
    "a column with the name of an input": ("station,warn,guard,z\nZ1,12,13,15\n", 1, 20, "column 'z' is taken"),
    "no header": ("", 1, 1, "the header must be station"),
}


@pytest.mark.parametrize("case", LEVEL_TABLES.values(), ids=LEVEL_TABLES.keys())
def test_each_mistake_in_a_table_is_refused_with_line_and_column(case: tuple[str, int, int, str]) -> None:
    table, line, column, message = case
    found = [e for e in errors_of(LEVEL, **{TABLE: table}) if message in e.message]
    assert [(e.file, e.line, e.column) for e in found] == [(TABLE, line, column)]


def test_every_place_needs_its_row_of_columns() -> None:
    rules = parse_rules({"rules.yaml": LEVEL, TABLE: LEVELS})
    with pytest.raises(RuleErrors, match="no row for 'Z2', a river_gauge"):
        compile_rules(rules, [Z1, Place("Z2", "river_gauge", ("level",), 300)])


def test_a_rule_for_no_place_and_a_place_without_the_variable_are_refused() -> None:
    rules = parse_rules({"rules.yaml": RAIN})
    with pytest.raises(RuleErrors, match="types there are: river_gauge"):
        compile_rules(rules, [Z1])
    with pytest.raises(RuleErrors, match="does not measure rain; it measures snow"):
        compile_rules(rules, [Place("S1", "rain_gauge", ("snow",), 300)])


OVERRIDES = "\ufeffstation,input,blue,yellow,orange,red\nS1,r1h,10,,,\n"


def test_an_override_changes_the_cells_it_fills_at_its_station_only() -> None:
    text = RAIN.replace("  raise:", "  override: t/rain.csv\n  raise:")
    engine = rain_engine(text, (S1, Place("S2", "rain_gauge", ("rain",), 300)), {"t/rain.csv": OVERRIDES})
    readings = [reading(11, 5, s) for s in ("S1", "S2")]
    changes = engine.observe(readings, at(5)).changes
    assert [(c.place, c.after.word, list(c.because[0].thresholds)) for c in changes] == [("S1", "blue", [10, 45, 60, 80])]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("S9,r1h,1,2,3,4", "'S9' is no rain_gauge"),
        ("S1,r1h,50,,,", "do not rise from blue to red"),
        ("S1,r9h,1,2,3,4", "'r9h' has no table row in the ladder; allowed: r1h"),
        ("S1,r1h,a,,,", "'blue' must be a number"),
    ],
)
def test_an_override_that_cannot_be_is_refused_with_its_line(row: str, message: str) -> None:
    text = RAIN.replace("  raise:", "  override: t/rain.csv\n  raise:")
    with pytest.raises(RuleErrors) as caught:
        rain_engine(text, tables={"t/rain.csv": f"station,input,blue,yellow,orange,red\n{row}\n"})
    assert [(e.file, e.line) for e in caught.value.errors] == [("t/rain.csv", 2)]
    assert message in caught.value.errors[0].message


def test_the_digest_names_rules_and_tables_together() -> None:
    digests = {
        compile_rules(parse_rules({"rules.yaml": text, TABLE: table}), [Z1]).digest
        for text in (LEVEL, LEVEL.replace("0.8", "0.9"))
        for table in (LEVELS, LEVELS.replace("15", "16"))
    }
    assert len(digests) == 4


def test_a_threshold_may_be_left_out() -> None:
    engine = rain_engine(RAIN.replace("[ 35,  45,  60,  80]", "[null, 45, null, null]"))
    assert engine.plan.ladders[0].thresholds[0] == (450_000, 450_000)
