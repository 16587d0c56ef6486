"""Shelters, ways and those who bring people there; tables as YAML; and what is worth a look though it may stay so."""

from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from dispatcher.errors import ConfigurationError, Problem
from dispatcher.registry.guidance import guidance_of
from dispatcher.registry.load import load_registry, read_registry
from dispatcher.templates.model import Guidance
from tests.registry.tables import GOOD, edited, write

REFUGE = {
    "shelters.csv": (
        "id,village,name,name_en,lat,lon,capacity,keeper\nsh1,990121101202,长滩小学,Changtan School,26.3,111.4,300,c2\n"
        "sh2,990121101202,祠堂,Ancestral hall,26.3,111.4,80,\n"
    ),
    "routes.csv": "village,group,shelter,way,way_en,walk_min\n990121101202,,sh1,沿村道上行,up the village road,12\n",
    "transfers.csv": "village,group,contact,shelter,people\n990121101202,一组,c2,sh1,46\n",
}


def with_refuge(folder: Path, **changed: str) -> Path:
    for name, text in (REFUGE | {f"{k}.csv": v for k, v in changed.items()}).items():
        (folder / name).write_text(text, encoding="utf-8")
    return write(folder)


def said(directory: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_registry(directory)
    return str(caught.value)


def test_a_village_has_shelters_ways_and_people_who_bring_others(tmp_path: Path) -> None:
    registry = load_registry(with_refuge(tmp_path))
    refuge = registry.refuge
    assert [s.id for s in refuge.shelters_of("990121101202")] == ["sh1", "sh2"]
    assert refuge.routes_of("990121101202")[0].walk == timedelta(minutes=12)
    assert [(t.contact, t.people) for t in refuge.transfers_of("990121101202")] == [("c2", 46)]
    assert not any((refuge.shelters_of("990121101201"), refuge.routes_of("990121101201"), refuge.transfers_of("990121101201")))


def test_the_first_shelter_of_the_table_is_named_where_the_village_names_none(tmp_path: Path) -> None:
    registry = load_registry(with_refuge(tmp_path))
    assert registry.shelter_of("990121101202", "zh") == "长滩小学"
    assert registry.shelter_of("990121101202", "en") == "Changtan School"
    assert registry.shelter_of("990121101201", "zh") == "河口小学"


def test_a_text_names_the_way_of_the_whole_village_to_its_shelter_and_who_brings_people_there(tmp_path: Path) -> None:
    registry = load_registry(with_refuge(tmp_path))
    found = guidance_of(registry, "990121101202", "en", timedelta(minutes=5))
    assert (found.shelter, found.route) == ("Changtan School", "up the village road")
    assert found.transfer_people == (registry.contacts["c2"].name_en or registry.contacts["c2"].name,)
    assert guidance_of(registry, "990121101201", "zh", None) == Guidance(village="河口村", shelter="河口小学")
    assert guidance_of(registry, "no such village", "zh", None) == Guidance(village="no such village")


@pytest.mark.parametrize(("old", "new"), [(",,sh1,", ",一组,sh1,"), (",,sh1,", ",,sh2,")], ids=["of one group", "to another shelter"])
def test_a_way_that_does_not_hold_for_everybody_is_not_told(tmp_path: Path, old: str, new: str) -> None:
    registry = load_registry(with_refuge(tmp_path, routes=REFUGE["routes.csv"].replace(old, new)))
    assert guidance_of(registry, "990121101202", "zh", None).route == ""


@pytest.mark.parametrize(
    ("table", "old", "new", "found"),
    [
        ("shelters", "300,c2", "300,c9", "shelters.csv:2:54: keeper: 'c9' is not in contacts.csv; there are 4: c1, c2, c3, …"),
        ("shelters", "sh2", "sh1", "shelters.csv:3:1: id: 'sh1' is given twice; first in line 2"),
        ("routes", "sh1", "sh7", "shelter: 'sh7' is not in shelters.csv; there are 2: sh1, sh2"),
        ("routes", "12", "-1", "walk_min: bad number '-1'; allowed: a number from 0 to 1440"),
        ("transfers", "990121101202", "990121101299", "transfers.csv:2:1: village: '990121101299' is not in villages.csv"),
    ],
)
def test_a_refuge_that_does_not_fit_is_refused_with_its_place(tmp_path: Path, table: str, old: str, new: str, found: str) -> None:
    text = REFUGE[f"{table}.csv"]
    assert old in text
    assert found in said(with_refuge(tmp_path, **{table: text.replace(old, new)}))


def test_a_table_may_be_a_yaml_list_and_says_the_same(tmp_path: Path) -> None:
    plain = load_registry(write(tmp_path))
    head, *rows = [line.split(",") for line in GOOD["speakers.csv"].splitlines()]
    (tmp_path / "speakers.csv").unlink()
    (tmp_path / "speakers.yaml").write_text(yaml.safe_dump([dict(zip(head, row, strict=True)) for row in rows]), encoding="utf-8")
    assert load_registry(tmp_path).speakers == plain.speakers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("- {id: spk-1, village: 990121101299, name: 村部}\n", "speakers.yaml:1:24: village: '990121101299' is not in villages.csv"),
        ("- id: spk-1\n  village: 990121101201\n", "speakers.yaml:1:3: 'name' is missing; needed: id, village, name"),
        ("- {id: spk-1, village: 990121101201, name: 村部, power: 3}\n", "unknown key 'power'; allowed: id, village, name, owner"),
        ("id: spk-1\n", "speakers.yaml:1:1: expected a list"),
    ],
)
def test_a_mistake_in_a_yaml_table_is_named_where_it_stands(tmp_path: Path, text: str, found: str) -> None:
    write(tmp_path)
    (tmp_path / "speakers.csv").unlink()
    (tmp_path / "speakers.yaml").write_text(text, encoding="utf-8")
    assert found in said(tmp_path)


def test_a_table_in_two_files_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "speakers.yaml").write_text("[]\n", encoding="utf-8")
    assert "speakers.yaml: speakers.csv is there too; allowed: one of them" in said(tmp_path)


def test_an_owner_of_a_speaker_must_be_a_contact(tmp_path: Path) -> None:
    speakers = "id,village,name,owner\nspk-1,990121101201,村部,c77\n"
    assert "speakers.csv:2:23: owner: 'c77' is not in contacts.csv" in said(write(tmp_path, speakers=speakers))


def findings(directory: Path) -> list[str]:
    problems: list[Problem] = []
    found: list[Problem] = []
    read_registry(directory, problems, found)
    assert problems == []
    return [str(one) for one in found]


def test_a_speaker_nobody_owns_and_a_station_that_warns_nobody_are_found_and_may_stay(tmp_path: Path) -> None:
    write(tmp_path, links="station,village,travel_time_min\nR1,990121101202,30\n")
    assert findings(tmp_path) == [
        "villages.csv:2:1: code: village '990121101201' has no station in links.csv: no gauge warns it",
        "stations.csv:3:1: id: station 'Z1' is linked to no village in links.csv: what it measures tells nobody",
        "speakers.csv:2:1: id: nobody owns any of the 1 speakers; add a column 'owner' with the contact who looks after each",
    ]


def test_a_single_speaker_without_owner_is_found_at_its_row(tmp_path: Path) -> None:
    speakers = "id,village,name,owner\nspk-1,990121101201,村部,c1\nspk-2,990121101202,村口,\n"
    assert findings(write(tmp_path, speakers=speakers)) == [
        "speakers.csv:3:23: owner: nobody owns speaker 'spk-2'; give the contact who looks after it"
    ]


def test_a_village_whose_contacts_all_failed_when_tried_is_found(tmp_path: Path) -> None:
    head, *rows = edited("contacts.csv", "", "").splitlines()
    contacts = "\n".join([head + ",verified,verified_on", rows[0] + ",failed,2026-04-01", *(row + ",," for row in rows[1:])]) + "\n"
    found = findings(write(tmp_path, contacts=contacts, speakers="id,village,name,owner\nspk-1,990121101201,村部,c1\n"))
    assert found == [
        "villages.csv:2:1: code: village '990121101201': every contact has failed when it was tried; nobody there may be reachable",
        "contacts.csv:2:70: verified: contact 'c1' did not answer when it was tried; check the number",
    ]
