"""What the rules see of a registry: stations, villages and sites as places with their stations around them."""

from pathlib import Path

import pytest

from dispatcher.errors import ConfigurationError
from dispatcher.registry.load import load_registry
from dispatcher.registry.places import places_of
from rules.place import Place
from tests.registry.tables import write

STATIONS = """id,name,name_en,type,variables,lat,lon,catchment,place
R1,河口雨量站,Hekou rain gauge,rain_gauge,rain:counter:5m soil_moisture:instant:1h,26.1,111.1,upper,990121101201
D1,北坡一号,North slope 1,gnss,displacement:instant:1h,26.2,111.2,,SL1
D2,北坡二号,North slope 2,gnss,displacement:instant:1h,26.2,111.2,,SL1
Z1,河口水位站,Hekou gauge,river_gauge,level:instant:5m,26.1,111.1,upper,
"""
SITES = "id,name,name_en,type,lat,lon,catchment\nSL1,北坡,North slope,slope,26.2,111.2,upper\n"
LINKS = "station,village,travel_time_min\nSL1,990121101202,5\nR1,990121101201,10\n"


def places(folder: Path, **more: str) -> dict[str, Place]:
    write(folder, stations=STATIONS, links=LINKS, **more)
    (folder / "places.csv").write_text(SITES, encoding="utf-8")
    return {p.id: p for p in places_of(load_registry(folder))}


def test_a_station_has_an_interval_for_each_variable_and_says_which_are_running_totals(tmp_path: Path) -> None:
    gauge = places(tmp_path)["R1"]
    assert (gauge.variables, gauge.intervals, gauge.interval_s) == (("rain", "soil_moisture"), (300, 3600), 300)
    assert gauge.counters == ("rain",)
    assert (gauge.catchment, gauge.lat, gauge.lon) == ("upper", 26.1, 111.1)
    assert gauge.areas == ("990121101201", "990121101000", "990121000000")


def test_a_slope_has_the_stations_that_stand_on_it_and_concerns_the_villages_linked_to_it(tmp_path: Path) -> None:
    slope = places(tmp_path)["SL1"]
    assert (slope.type, slope.members, slope.variables) == ("slope", ("D1", "D2"), ())
    registry = load_registry(tmp_path)
    assert [n.village for n in registry.villages_of_station("SL1")] == ["990121101202"]
    assert registry.name_of("SL1", "en") == "North slope"


def test_a_village_is_a_place_that_concerns_itself(tmp_path: Path) -> None:
    village = places(tmp_path)["990121101201"]
    assert (village.type, village.members, village.areas) == ("village", ("R1",), ("990121101000", "990121000000"))
    assert [n.village for n in load_registry(tmp_path).villages_of_station("990121101201")] == ["990121101201"]


def test_the_new_columns_and_the_table_of_places_may_be_left_out(tmp_path: Path) -> None:
    write(tmp_path)
    registry = load_registry(tmp_path)
    assert registry.sites == {}
    assert {s.catchment + s.place for s in registry.stations.values()} == {""}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",,SL1\nD2", ",,SL9\nD2", "stations.csv:3:64: place: 'SL9' is not in places.csv or villages.csv"),
        ("SL1,990121101202", "SL9,990121101202", "links.csv:2:1: station: 'SL9' is not in stations.csv or places.csv"),
        ("SL1,北坡", "R1,北坡", "places.csv:2:1: id: 'R1' is a station or village already"),
        ("slope,26", "Slope,26", "places.csv:2:20: type: bad type 'Slope'"),
    ],
)
def test_a_place_that_does_not_fit_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    write(tmp_path, stations=STATIONS.replace(old, new), links=LINKS.replace(old, new))
    (tmp_path / "places.csv").write_text(SITES.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_registry(tmp_path)
    assert any(said in str(p) for p in caught.value.problems), [str(p) for p in caught.value.problems]
