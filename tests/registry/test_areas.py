"""Codes that contain each other, codes that were renamed, trees of other countries, and villages found by where they lie."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.errors import ConfigurationError
from dispatcher.registry.areas import ancestors, current_code, existed, significant, villages_within
from dispatcher.registry.geometry import inside, villages_in_circle, villages_in_ring
from dispatcher.registry.load import load_registry
from dispatcher.registry.model import Registry, Verification
from tests.registry.tables import GOOD, edited, write

UNHURRIED = settings(deadline=None)
ALIASES = (
    "code,name,name_en,now,since\n"
    "990121103201,旧滩村,Jiutan Village,990121103202,2019-01-01\n"
    "990121103202,下滩村,Xiatan Village,990121101202,2024-06-01\n"
)
LINKED = {
    "county.yaml": "code: es46\nname: Valencia\nname_en: Valencia\ntimezone: Europe/Madrid\nlanguages: [en]\ncodes: links\n",
    "areas.csv": (
        "code,parent,level,name,name_en\nes,,country,España,Spain\nes46,es,county,València,Valencia\n"
        "horta,es46,comarca,Horta Sud,Horta Sud\nES-46250,horta,municipality,Torrent,Torrent\n"
    ),
    "villages.csv": (
        "code,name,name_en,township,lat,lon,population,shelter,shelter_en\ntorrent-1,Centre,Centre,ES-46250,39.44,-0.47,10,,\n"
        "alaquas,Alaquàs,Alaquas,horta,39.46,-0.46,20,,\n"
    ),
    "contacts.csv": (
        "id,name,name_en,role,area,phone,language,channels,verified,verified_on\n"
        "c1,Anna,Anna,municipality.mayor,ES-46250,+447700900001,en,sms,,\n"
        "c2,Blai,Blai,village.head,torrent-1,+447700900002,en,sms,verified,2026-03-31\n"
        "c3,Carme,Carme,village.head,alaquas,+447700900003,en,sms,,\n"
    ),
    "links.csv": "station,village,travel_time_min\nR1,torrent-1,30\n",
    "speakers.csv": "id,village,name\n",
}


def county(folder: Path, **more: str) -> Registry:
    for name, text in more.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return load_registry(write(folder))


def linked(folder: Path, **changed: str) -> Registry:
    for name, text in (GOOD | LINKED | {f"{k}.csv": v for k, v in changed.items()}).items():
        (folder / name).write_text(text, encoding="utf-8")
    return load_registry(folder)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("990000000000", ["990121101201", "990121101202"]),
        ("99", ["990121101201", "990121101202"]),
        ("990121", ["990121101201", "990121101202"]),
        ("990121000000", ["990121101201", "990121101202"]),
        ("990121101000", ["990121101201", "990121101202"]),
        ("990121101202", ["990121101202"]),
        ("99012110120203", ["990121101202"]),
        ("990121102000", []),
        ("990122000000", []),
        ("431129000000", []),
        ("", []),
        ("000000000000", []),
        ("Wuhan", []),
    ],
)
def test_an_area_contains_the_villages_whose_codes_begin_with_its_own(tmp_path: Path, code: str, found: list[str]) -> None:
    assert [v.code for v in villages_within(county(tmp_path), code)] == found


@UNHURRIED
@given(st.integers(min_value=0, max_value=10**12 - 1), st.sampled_from([2, 4, 6, 9, 12]))
def test_the_digits_that_say_where_are_a_prefix_up_to_a_level(number: int, digits: int) -> None:
    code = f"{number:012d}"[:digits].ljust(12, "0")
    found = significant(code)
    assert code.startswith(found)
    assert not code[len(found) :].strip("0")
    assert len(found) in {0, 2, 4, 6, 9, 12}
    assert significant(found) == found


def test_a_renamed_code_still_finds_its_village_and_keeps_its_old_name(tmp_path: Path) -> None:
    registry = county(tmp_path, aliases=ALIASES)
    assert current_code(registry, "990121103201") == "990121101202"
    assert [v.code for v in villages_within(registry, "990121103201")] == ["990121101202"]
    assert (found := registry.village_of("990121103202")) is not None
    assert found.name == "长滩村"
    assert registry.name_of("990121103201", "zh") == "旧滩村"
    assert registry.name_of("990121103201", "en") == "Jiutan Village"


def test_a_code_is_renamed_from_its_day_on(tmp_path: Path) -> None:
    registry = county(tmp_path, aliases=ALIASES)
    assert current_code(registry, "990121103201", date(2018, 12, 31)) == "990121103201"
    assert current_code(registry, "990121103201", date(2024, 5, 31)) == "990121103202"
    assert current_code(registry, "990121103201", date(2024, 6, 1)) == "990121101202"


def test_a_village_that_did_not_exist_on_a_day_is_left_out(tmp_path: Path) -> None:
    lines = GOOD["villages.csv"].splitlines()
    villages = "\n".join([lines[0] + ",valid_from,valid_to", lines[1] + ",,2025-12-31", lines[2] + ",2026-01-01,"]) + "\n"
    registry = load_registry(write(tmp_path, villages=villages))
    assert [v.code for v in villages_within(registry, "990121", date(2025, 12, 31))] == ["990121101201"]
    assert [v.code for v in villages_within(registry, "990121", date(2026, 1, 1))] == ["990121101202"]
    assert len(villages_within(registry, "990121")) == 2


@UNHURRIED
@given(st.dates(), st.none() | st.dates(), st.none() | st.dates())
def test_both_ends_of_a_validity_belong_to_it(day: date, first: date | None, last: date | None) -> None:
    assert existed(first, last, day) == ((first or date.min) <= day <= (last or date.max))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("990121101201,旧,Old,990121101202,", "aliases.csv:2:1: code: '990121101201' is in use"),
        ("990121103201,旧,Old,990121103209,", "now: '990121103209' is not in areas.csv or villages.csv; there are"),
        ("990121103201,旧,Old,990121103201,", "now: '990121103201' leads back to itself"),
        ("990121103201,旧,Old,990121101202,June", "since: bad day 'June'; allowed: a date such as 2026-04-01"),
    ],
)
def test_a_renamed_code_that_leads_nowhere_is_refused(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        county(tmp_path, aliases=f"code,name,name_en,now,since\n{row}\n")
    assert said in str(caught.value)


def test_a_tree_of_another_country_hangs_on_its_parents_alone(tmp_path: Path) -> None:
    registry = linked(tmp_path)
    assert [a.code for a in ancestors(registry, "torrent-1")] == ["ES-46250", "horta", "es46", "es"]
    assert [v.code for v in villages_within(registry, "horta")] == ["torrent-1", "alaquas"]
    assert [v.code for v in villages_within(registry, "ES-46250")] == ["torrent-1"]
    assert [v.code for v in villages_within(registry, "es")] == ["torrent-1", "alaquas"]
    assert villages_within(registry, "fr") == ()


def test_a_role_is_sought_at_its_level_however_deep_the_tree_is(tmp_path: Path) -> None:
    registry = linked(tmp_path)
    assert [c.id for c in registry.resolve("municipality.mayor", "torrent-1")] == ["c1"]
    assert registry.resolve("municipality.mayor", "alaquas") == ()  # right below the comarca
    assert registry.area_of_role("township.leader_on_duty", "torrent-1") == ""
    assert registry.contacts["c2"].verification is Verification.VERIFIED
    assert registry.contacts["c2"].verified_on == date(2026, 3, 31)


@pytest.mark.parametrize(
    ("table", "old", "new", "said"),
    [
        ("areas", "horta,es46", "horta,ES-46250", "areas.csv:4:7: parent: 'horta' lies in itself by way of its parents"),
        (
            "contacts",
            "municipality.mayor",
            "region.desk",
            "role: no area has the level 'region'; levels of areas.csv: comarca, country, county",
        ),
        ("villages", "horta,39", "horta2,39", "township: 'horta2' is not in areas.csv"),
        ("contacts", "verified,2026", "perhaps,2026", "verified: unknown word 'perhaps'; allowed: unverified, verified, failed"),
    ],
)
def test_a_tree_that_does_not_hold_is_refused(tmp_path: Path, table: str, old: str, new: str, said: str) -> None:
    texts = {name: LINKED[f"{name}.csv"] for name in ("areas", "contacts", "villages")}
    assert old in texts[table]
    with pytest.raises(ConfigurationError) as caught:
        linked(tmp_path, **(texts | {table: texts[table].replace(old, new)}))
    assert said in str(caught.value)


def test_somebody_may_hold_several_roles_of_one_area_in_one_row(tmp_path: Path) -> None:
    registry = load_registry(
        write(tmp_path, contacts=edited("contacts.csv", "village.head,990121101201", "village.head village.warden,990121101201"))
    )
    assert [c.id for c in registry.resolve("village.warden", "990121101201")] == ["c1"]
    assert [c.id for c in registry.resolve("village.head", "990121101201")] == ["c1"]


OUTLINED = (
    "code,name,name_en,township,lat,lon,population,shelter,shelter_en,outline\n"
    '990121101201,河口村,Hekou Village,990121101000,26.2,111.4,500,,,"26.15,111.35 26.15,111.45 26.25,111.45 26.25,111.35 26.15,111.35"\n'
    "990121101202,长滩村,Changtan Village,990121101000,26.3,111.4,600,,,\n"
)


def test_villages_are_found_by_a_polygon_that_holds_their_point_or_touches_their_outline(tmp_path: Path) -> None:
    registry = load_registry(write(tmp_path, villages=OUTLINED))
    assert len(registry.villages["990121101201"].outline) == 4
    corner = [(26.24, 111.44), (26.24, 111.6), (26.4, 111.6)]  # touches only a corner of the first
    assert [v.code for v in villages_in_ring(registry, corner)] == ["990121101201"]
    band = [(26.19, 111.0), (26.19, 112.0), (26.21, 112.0), (26.21, 111.0)]  # crosses it without a corner inside
    assert [v.code for v in villages_in_ring(registry, band)] == ["990121101201"]
    assert [v.code for v in villages_in_ring(registry, [(26.0, 111.0), (26.0, 112.0), (27.0, 112.0), (27.0, 111.0)])] == [
        "990121101201",
        "990121101202",
    ]
    assert villages_in_ring(registry, [(10.0, 10.0), (10.0, 11.0), (11.0, 11.0)]) == ()


def test_villages_are_found_by_a_circle_around_their_point_or_over_their_outline(tmp_path: Path) -> None:
    registry = load_registry(write(tmp_path, villages=OUTLINED))
    assert [v.code for v in villages_in_circle(registry, (26.3, 111.41), 1.5)] == ["990121101202"]
    assert [v.code for v in villages_in_circle(registry, (26.14, 111.4), 1.5)] == ["990121101201"]  # 1.1 km from its southern side
    assert villages_in_circle(registry, (26.14, 111.4), 0.9) == ()
    assert [v.code for v in villages_in_circle(registry, (26.22, 111.44), 0.1)] == ["990121101201"]  # inside it, far from its point


@UNHURRIED
@given(st.floats(-1, 2), st.floats(-1, 2))
def test_a_point_is_in_a_square_when_its_coordinates_are(lat: float, lon: float) -> None:
    square = [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0)]
    if lat in {0.0, 1.0} or lon in {0.0, 1.0}:
        return  # a side itself belongs to either
    assert inside((lat, lon), square) == (0 < lat < 1 and 0 < lon < 1)


@pytest.mark.parametrize(
    ("outline", "said"),
    [
        ("26.1,111.4 26.2", "outline: bad corner '26.2'; allowed: latitude,longitude"),
        ("26.1,111.4 26.2,111.4", "outline: an outline of 2 corners; at least 3"),
        ("126.1,111.4 26.2,111.4", "outline: bad corner '126.1,111.4'"),
    ],
)
def test_an_outline_that_is_none_is_refused(tmp_path: Path, outline: str, said: str) -> None:
    lines = OUTLINED.splitlines()
    with pytest.raises(ConfigurationError) as caught:
        load_registry(write(tmp_path, villages="\n".join([lines[0], lines[1].split('"')[0] + f'"{outline}"', lines[2]]) + "\n"))
    assert said in str(caught.value)
