"""Texts are checked when they are loaded, so that any of them can be rendered."""

from pathlib import Path

import pytest

from dispatcher.errors import Problem
from dispatcher.templates.load import load_templates, read_templates
from dispatcher.templates.model import Templates

WORDS = (Path(__file__).resolve().parents[2] / "config/sample/templates/words.zh.yaml").read_text(encoding="utf-8")
GRADE = """\
    action: "去{shelter}"
    sms: "{village}{action}。{reason}。回复“1 {code}”已收到"
    loudspeaker: "{village}的村民{action}"
"""
GOOD = (
    "hazard: flash-flood\nlanguage: zh\nversion: 3\ntexts:\n"
    + "".join(f"  {grade}:\n{GRADE}" for grade in ("blue", "yellow", "orange", "red"))
    + '  lower:\n    sms: "{village}降为{grade}"\n  lift:\n    sms: "{village}解除"\n'
)


def read(text: str, words: str = WORDS) -> tuple[Templates, list[str]]:
    problems: list[Problem] = []
    return read_templates({"words.zh.yaml": words, "t.yaml": text}, problems), [str(problem) for problem in problems]


def test_a_text_knows_its_fields_and_its_name() -> None:
    templates, problems = read(GOOD)
    assert problems == []
    found = templates.find("flash-flood", "red", "sms", "zh")
    assert found.id == "flash-flood/red/sms/zh@3"
    assert found.fields == {"village", "action", "reason", "code"}


def test_a_language_that_has_no_text_falls_back_to_the_default() -> None:
    assert read(GOOD)[0].find("flash-flood", "red", "sms", "mn").language == "zh"


def test_a_text_that_is_nowhere_is_named() -> None:
    with pytest.raises(KeyError, match="landslide/red/sms in en or zh"):
        read(GOOD)[0].find("landslide", "red", "sms", "en")


MISTAKES = [
    ("“1 {code}”已收到", "“1 {kode}”", "t.yaml:7:10: unknown field {kode} here; allowed: {action}, {code}"),
    ("“1 {code}”已收到", "“1 {code!r}”", "unknown field {code} here"),
    ("“1 {code}”已收到", "“1 {code:>9}”", "unknown field {code} here"),
    ("“1 {code}”已收到", "“1 {code.real}”", "unknown field {code.real} here"),
    ("“1 {code}”已收到", "“1 {}”", "unknown field {} here"),
    ("“1 {code}”已收到", "“1 {code”", "braces do not match"),
    ("的村民{action}", "的村民{code}", "t.yaml:8:18: unknown field {code} here; allowed: {action}, {grade}"),
    ("去{shelter}", "去{link}", "unknown field {link} here; allowed: {route}, {shelter}, {transfer_person}, {travel_time}, {village}"),
    ("降为{grade}", "降为{grade}，回复{code}", "unknown field {code} here"),
    ("解除", "解除{link}", "unknown field {link} here"),
    ("解除", "解除{action}", "the text uses {action}, but lift has no 'action'"),
    ("    loudspeaker:", "    pigeon:", "unknown key 'pigeon'; allowed: action, sms, voice, chat, loudspeaker, duty_room"),
    ("  lift:\n", "  end:\n", "'lift' is missing; needed: blue, yellow, orange, red, lower, lift"),
    ('"{village}解除"', '""', "expected a text"),
]


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES, ids=[m[1].strip() for m in MISTAKES])
def test_a_mistake_is_named_with_line_column_and_what_is_allowed(old: str, new: str, said: str) -> None:
    assert old in GOOD
    _, problems = read(GOOD.replace(old, new))
    assert any(said in problem for problem in problems), problems


def test_words_miss_nothing() -> None:
    _, problems = read(GOOD, WORDS.replace("minutes: ", "minuten: "))
    assert any("words.zh.yaml" in problem and "'minutes' is missing" in problem for problem in problems)


def test_a_text_given_in_two_files_is_refused() -> None:
    problems: list[Problem] = []
    read_templates({"a.yaml": GOOD, "b.yaml": GOOD}, problems)
    assert "is given in two files" in problems[0].message


@pytest.mark.parametrize("county", ["sample", "valencia"])
def test_the_texts_of_the_examples_are_right(county: str) -> None:
    assert load_templates(Path(__file__).resolve().parents[2] / "config" / county / "templates").words.keys() == {"zh", "en"}


@pytest.mark.parametrize(("field", "word"), [("route", "no_route"), ("transfer_person", "no_transfer_person")])
def test_a_text_that_names_what_a_village_may_lack_needs_the_word_for_then(field: str, word: str) -> None:
    line = next(line for line in WORDS.splitlines() if line.startswith(word))
    bare = WORDS.replace(f"{line}\n", "")
    assert read(GOOD, bare)[1] == []
    for text in (GOOD.replace("去{shelter}", f"去{{{field}}}"), GOOD.replace("{village}降为", f"{{{field}}}降为")):
        assert read(text)[1] == []
        problems = read(text, bare)[1]
        assert problems
        assert all(f"words.zh.yaml needs '{word}'" in problem for problem in problems)
