"""docs/rules.md is true: its rules load, its example prints what it says, its error is the real one."""

import re
from pathlib import Path

import pytest

from rules.errors import RuleErrors
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import compile_rules

PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
FILES = {
    found.group(1): text[found.end() :] if kind == "csv" else text
    for kind, text in BLOCKS
    if kind in ("yaml", "csv") and (found := re.match(r"# file: (\S+)\n", text))
}
PRINTED = [text for kind, text in BLOCKS if kind == "text"]


def test_the_rules_of_the_page_load() -> None:
    places = [
        Place("S1", "rain_gauge", ("rain",), 300, lat=26.0, lon=111.0),
        Place("S2", "rain_gauge", ("rain",), 300, lat=26.01, lon=111.0),
        Place("Z1", "river_gauge", ("level",), 300),
        Place("V1", "village", (), 300, lat=26.0, lon=111.0),
    ]
    assert len(compile_rules(parse_rules(FILES), places).ladders) == 4


def test_every_input_the_page_names_is_one() -> None:
    rule = FILES["rules/forecast-rain.yaml"]
    written = re.findall(r"`((?:sum|latest|change|slope|count|days|fc_\w+)\([^`]*\))`", PAGE)
    assert len(written) > 10
    for text in written:
        parse_rules({"r.yaml": rule.replace("  ladder:", f"    more: '{text}'\n  ladder:")})


def test_the_checks_of_the_page_are_understood() -> None:
    line = next(text for kind, text in BLOCKS if kind == "yaml" and text.startswith("# part of a rule"))
    name = "rules/flash-flood-rain.yaml"
    parse_rules({**FILES, name: re.sub(r"  quality:.*\n", f"  {line.splitlines()[1]}\n", FILES[name])})


def test_the_example_prints_what_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    code = next(text for kind, text in BLOCKS if kind == "python")
    files = {name: text for name, text in FILES.items() if "river" not in name and "forecast" not in name}
    exec(compile(code, "docs/rules.md", "exec"), {"files": files})  # noqa: S102 - our own page
    assert capsys.readouterr().out == PRINTED[0]


def test_the_error_of_the_page_is_the_real_one() -> None:
    name = "rules/flash-flood-rain.yaml"
    with pytest.raises(RuleErrors) as caught:
        parse_rules({**FILES, name: FILES[name].replace("mode: live", "mode: off")})
    assert f"{caught.value}\n" == PRINTED[1]
