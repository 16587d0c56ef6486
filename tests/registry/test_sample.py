"""The sample county: invented throughout, generated again to the same bytes, and its storm makes every grade."""

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import pytest

from dispatcher.errors import Problem
from dispatcher.files.countyfiles import CountyFiles, load_county_files
from dispatcher.registry.load import read_registry
from dispatcher.registry.model import Level
from rules.change import Change
from rules.engine import Engine
from rules.grade import Grade
from rules.reading import Reading
from scripts.design_storm import IDF_A, RAIN_MIN, START, chicago_depth, idf_depth
from scripts.make_sample_county import main

SAMPLE = Path(__file__).resolve().parents[2] / "config" / "sample"


@pytest.fixture(scope="module")
def files() -> CountyFiles:
    return load_county_files(SAMPLE)


@pytest.fixture(scope="module")
def changes(files: CountyFiles) -> list[Change]:
    return list(replay(files))


def replay(files: CountyFiles) -> Iterator[Change]:
    engine = Engine(files.plan)
    with (SAMPLE / "storm.csv").open(encoding="utf-8") as file:
        rows = [(int(datetime.fromisoformat(r["time"]).timestamp()), r) for r in csv.DictReader(file)]
    for at, group in groupby(rows, key=lambda row: row[0]):
        readings = [Reading(r["station"], r["variable"], float(r["value"]), at) for _, r in group]
        yield from engine.observe(readings, datetime.fromtimestamp(at, UTC)).changes


def reached(changes: list[Change], grade: Grade) -> timedelta:
    return min(change.at for change in changes if change.after is grade) - START


def test_the_tables_are_what_the_script_writes(tmp_path: Path) -> None:
    main(tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert {name: (SAMPLE / name).read_bytes() for name in written} == written


def test_the_county_has_three_townships_and_forty_villages(files: CountyFiles) -> None:
    levels = [area.level for area in files.registry.areas.values()]
    assert (levels.count(Level.TOWNSHIP), len(files.registry.villages)) == (3, 40)
    assert all(re.fullmatch(r"990121[12]\d\d2\d\d", code) for code in files.registry.villages)


def test_every_number_is_reserved_for_fiction_and_used_once(files: CountyFiles) -> None:
    phones = [contact.phone for contact in files.registry.contacts.values() if contact.phone]
    assert len(phones) == len(set(phones))
    assert all(re.fullmatch(r"\+447700900\d{3}", phone) for phone in phones)


def test_every_village_has_a_shelter_a_way_there_and_people_who_bring_others(files: CountyFiles) -> None:
    refuge = files.registry.refuge
    for village in files.registry.villages.values():
        (shelter,) = refuge.shelters_of(village.code)
        assert shelter.name == village.shelter
        assert [route.shelter for route in refuge.routes_of(village.code)] == [shelter.id]
        assert len(refuge.transfers_of(village.code)) == 2


def test_nothing_in_the_tables_of_the_county_needs_a_look() -> None:
    found: list[Problem] = []
    read_registry(SAMPLE, [], found)
    assert found == []


def test_every_village_hangs_on_a_gauge(files: CountyFiles) -> None:
    assert {link.village for link in files.registry.links} == set(files.registry.villages)


def test_the_hyetograph_has_the_design_depth_of_every_duration_around_its_peak() -> None:
    assert chicago_depth(RAIN_MIN) == pytest.approx(idf_depth(RAIN_MIN))
    depths = [chicago_depth(minute) for minute in range(RAIN_MIN + 1)]
    assert depths == sorted(depths)
    for minutes in (10, 30, 60):
        most = max(after - before for before, after in zip(depths, depths[minutes:], strict=False))
        assert most == pytest.approx(idf_depth(minutes), rel=0.02)
    assert IDF_A > 0


def test_blue_comes_within_a_quarter_of_an_hour_and_red_within_seventy_minutes(changes: list[Change]) -> None:
    assert reached(changes, Grade.BLUE) <= timedelta(minutes=15)
    assert reached(changes, Grade.RED) <= timedelta(minutes=70)


def test_villages_reach_every_grade_by_rain_and_river(files: CountyFiles, changes: list[Change]) -> None:
    highest: dict[str, Grade] = {}
    for change in changes:
        for link in files.registry.villages_of_station(change.place):
            highest[link.village] = max(highest.get(link.village, Grade.NONE), change.after)
    counts = {grade: list(highest.values()).count(grade) for grade in Grade}
    assert all(counts[grade] >= 3 for grade in Grade if grade), counts
    assert {change.hazard for change in changes if change.after is Grade.RED} == {"flash-flood", "river-flood"}


def test_the_storm_ends_dry_rivers_and_edges_lifted_the_core_still_lowered_to_yellow(files: CountyFiles, changes: list[Change]) -> None:
    last = {(change.hazard, change.place): change.after for change in changes}
    assert {grade for (hazard, _), grade in last.items() if hazard == "river-flood"} == {Grade.NONE}
    rain = [grade for (hazard, _), grade in last.items() if hazard == "flash-flood"]
    assert min(rain) is Grade.NONE
    # The 24 h row of the published ladder holds the core for a day after the rain.
    assert max(rain) is Grade.YELLOW
