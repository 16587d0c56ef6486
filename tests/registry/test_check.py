"""Registry, policies, templates and rules must fit together; the sample county does, and a broken copy says why not."""

import shutil
from pathlib import Path

import pytest

from dispatcher.errors import ConfigurationError
from dispatcher.files.countyfiles import load_county_files
from dispatcher.registry.check import gaps
from rules.grade import Grade

CONFIG = Path(__file__).resolve().parents[2] / "config"


@pytest.fixture
def county(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CONFIG / "sample", tmp_path / "county"))


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def problems(directory: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_county_files(directory)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("name", ["sample", "valencia"])
def test_the_examples_have_no_mistake(name: str) -> None:
    assert load_county_files(CONFIG / name).plan.ladders


def test_a_role_that_nobody_holds_is_named_with_those_held(county: Path) -> None:
    change(county / "contacts.csv", "county.leader_on_duty", "county.deputy")
    (county / "rosters.yaml").unlink()
    assert any(
        "nobody holds the role 'county.leader_on_duty' that policy 'flash-flood' calls; roles held: county.deputy" in p
        for p in problems(county)
    )


def test_a_role_that_a_roster_gives_to_somebody_is_held(county: Path) -> None:
    change(county / "contacts.csv", "county.leader_on_duty", "county.deputy")
    assert load_county_files(county).registry.duty.rosters["county-leader"].people == ("c001", "c002")


def test_a_missing_text_is_named_by_hazard_grade_channel_and_language(county: Path) -> None:
    change(county / "templates/flash-flood.en.yaml", "hazard: flash-flood", "hazard: landslide")
    assert "templates: no text for flash-flood/red/sms/en; policy 'flash-flood' needs it" in problems(county)


def test_a_county_that_tells_people_ahead_needs_a_text_for_it(county: Path) -> None:
    for language in ("zh", "en"):
        change(county / f"templates/flash-flood.{language}.yaml", "  early:", "  # early:\n  early_texts:")
    assert any("early_texts" in p for p in problems(county))
    for file in county.glob("templates/flash-flood.*"):
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        start = next(n for n, line in enumerate(lines) if "early_texts" in line)
        file.write_text("".join(lines[:start] + lines[start + 6 :]), encoding="utf-8")
    assert "templates: no text for flash-flood/early/sms/zh; policy 'flash-flood' needs it" in problems(county)
    assert not any("early/loudspeaker" in p for p in problems(county)), "no village is told early"
    (county / "stages.yaml").unlink()
    assert load_county_files(county).plan.ladders


def test_a_language_without_words_is_named(county: Path) -> None:
    change(county / "county.yaml", "[zh, en]", "[zh, en, mn]")
    assert "templates/words.mn.yaml: the file is missing; county.yaml names the language 'mn'" in problems(county)


def test_a_text_that_must_be_answered_says_how(county: Path) -> None:
    change(county / "templates/flash-flood.zh.yaml", "回复“1 {code}”已收到。", "")
    assert any(
        "flash-flood/blue/sms/zh@2: policy 'flash-flood' asks for an answer, but the text has no {code}" in p for p in problems(county)
    )


def test_place_and_action_must_stand_in_the_first_part_of_a_message(county: Path) -> None:
    change(county / "templates/flash-flood.zh.yaml", '"{village}{action}！', '"' + "各位村民" * 15 + "{village}{action}！")
    assert any("place and action end at unit" in p and "first 67" in p for p in problems(county))


def test_a_hazard_without_a_policy_is_named_where_its_rule_stands(county: Path) -> None:
    change(county / "rules/flash-flood-rain.yaml", "hazard: flash-flood", "hazard: landslide")
    assert any(p.startswith("rules/flash-flood-rain.yaml:") and "no policy for hazard 'landslide'" in p for p in problems(county))


def test_mistakes_in_rules_policies_and_tables_come_together(county: Path) -> None:
    change(county / "rules/flash-flood-rain.yaml", "raise: at_once", "raise: slowly")
    change(county / "policies/flash-flood.yaml", "by: [loudspeaker]", "by: [chat]")
    change(county / "links.csv", "990121R11,", "990121R99,")
    files = {problem.partition(":")[0] for problem in problems(county)}
    assert files == {"rules/flash-flood-rain.yaml", "policies/flash-flood.yaml", "links.csv"}


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "no such directory; needed: one with county.yaml" in problems(tmp_path / "nowhere")[0]


def test_gaps_are_shown_and_do_not_stop_the_county() -> None:
    files = load_county_files(CONFIG / "sample")
    found = [
        (gap.role, files.registry.name_of(gap.village, "zh")) for gap in gaps(files.registry, files.policies) if gap.grade is Grade.RED
    ]
    assert ("village.speakers", "老屋场村") in found
    assert ("village.deputy", "长滩村") in found
    assert {role for role, _ in found} == {"village.speakers", "village.deputy"}
