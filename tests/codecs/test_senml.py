"""SenML packs as RFC 8428 resolves them."""

import json
from typing import Any

import pytest

from dispatcher.intake.codecs.senml import Record, SenmlCodec, SenmlSettings, resolve
from dispatcher.intake.decode import Limits
from dispatcher.model.reject import RejectCode
from rules.reading import Reading
from tests.codecs.making import AT_S, read
from tests.shared_data import shared_data

RFC_NOW_S = 1498780179.0
"""When the examples of the RFC were resolved."""

SENML = SenmlCodec(SenmlSettings())


def floats(pack: Any) -> Any:  # noqa: ANN401 - JSON
    return json.loads(json.dumps(pack), parse_int=float)


def plain(record: Record) -> dict[str, object]:
    return {"n": record.name, "u": record.unit, "t": pytest.approx(record.at_s, abs=1e-6), "v": record.value}


@pytest.mark.parametrize("name", [f"ex{n}{form}" for n in range(1, 6) for form in ("", ".gen")])
def test_an_example_of_the_rfc_resolves_as_the_rfc_says(name: str) -> None:
    pack = json.loads(shared_data(f"payloads/senml/{name}.json").read_text(), parse_int=float)
    resolved = json.loads(shared_data(f"payloads/senml/{name.partition('.')[0]}.gen.resolved.json").read_text(), parse_int=float)
    records, faults = resolve(pack, RFC_NOW_S)
    assert faults == []
    assert [plain(record) for record in records] == resolved


def test_base_fields_hold_for_the_records_after_them_until_they_change() -> None:
    pack = [
        {"bn": "a:", "bt": 1e9, "bu": "mm", "bv": 10, "n": "rain", "v": 1},
        {"n": "rain", "t": 300, "v": 2},
        {"bn": "b:", "bv": 0},
        {"n": "level", "u": "m", "t": -5, "v": 3},
    ]
    records, faults = resolve(floats(pack), 0)
    assert faults == []
    assert [(r.index, r.name, r.unit, r.at_s, r.value) for r in records] == [
        (1, "a:rain", "mm", 1e9, 11),
        (2, "a:rain", "mm", 1e9 + 300, 12),
        (4, "b:level", "m", 1e9 - 5, 3),
    ]


def test_a_sum_is_added_to_its_base_and_needs_no_value() -> None:
    records, faults = resolve(floats([{"bn": "a", "bs": 5, "s": 2}, {"s": 3, "v": 1}]), 0)
    assert faults == []
    assert [(r.sum, r.value) for r in records] == [(7, None), (8, 1)]


@pytest.mark.parametrize(("time", "at_s"), [(0, 1000), (-60, 940), (60, 1060), (2**28 - 1, 1000 + 2**28 - 1), (2**28, 2**28)])
def test_a_time_below_two_to_the_28th_counts_from_now(time: int, at_s: int) -> None:
    records, _ = resolve(floats([{"n": "a", "t": time, "v": 1}]), 1000)
    assert [r.at_s for r in records] == [at_s]


@pytest.mark.parametrize(
    ("record", "code", "says"),
    [
        pytest.param(7, RejectCode.BAD_FIELD, "allowed: a JSON object", id="no object"),
        pytest.param({"n": "a", "v": "1"}, RejectCode.BAD_FIELD, "\"v\": '1'; allowed: a finite number", id="value in quotes"),
        pytest.param({"n": "a", "v": True}, RejectCode.BAD_FIELD, '"v": True', id="value a truth"),
        pytest.param({"n": "a", "v": {"x": [1]}}, RejectCode.BAD_FIELD, "an object", id="value an object"),
        pytest.param({"n": "a", "v": 1, "vs": "x"}, RejectCode.BAD_FIELD, "v and vs in one record", id="two values"),
        pytest.param({"n": "a", "u": "mm"}, RejectCode.MISSING_FIELD, "needed: one of v, vs, vb, vd", id="no value"),
        pytest.param({"n": "_a", "v": 1}, RejectCode.BAD_FIELD, "'_a'; allowed: 1 to 256 of", id="name of a wrong beginning"),
        pytest.param({"v": 1}, RejectCode.BAD_FIELD, "name ''", id="no name"),
        pytest.param({"n": "a", "v": 1, "unheard_": 1}, RejectCode.BAD_FIELD, "'unheard_' must be understood", id="must be understood"),
        pytest.param({"n": "a", "v": 1, "bver": 11}, RejectCode.UNKNOWN_FORMAT, "allowed: at most 10", id="a later version"),
    ],
)
def test_a_record_that_is_none_is_refused_with_its_number(record: object, code: RejectCode, says: str) -> None:
    good = {"n": "43112901:rain", "u": "mm", "t": AT_S, "v": 1.2}
    decoded = read(SENML, json.dumps([good, record]).encode())
    assert decoded.readings == [Reading("43112901", "rain", 1.2, AT_S)]
    [reject] = decoded.rejects
    assert (reject.code, reject.index) == (code, 2)
    assert says in reject.message
    assert "record 2" in reject.message


def test_names_become_stations_and_variables_by_a_template() -> None:
    codec = SenmlCodec(
        SenmlSettings(
            names="urn:dev:{station}:{variable}", stations={"ow:10e2": "43112901"}, variables={"wl": "level"}, units={"centimetre": "cm"}
        )
    )
    pack = [{"bn": "urn:dev:ow:10e2:", "bt": AT_S, "n": "rain", "u": "mm", "v": 0.5}, {"n": "wl", "u": "centimetre", "v": 21435}]
    decoded = read(codec, json.dumps(pack).encode())
    assert decoded.rejects == []
    assert decoded.readings == [Reading("43112901", "rain", 0.5, AT_S), Reading("43112901", "level", 214.35, AT_S)]


def test_a_variable_can_be_given_where_names_have_none() -> None:
    codec = SenmlCodec(SenmlSettings(names="dev-{station}", variable="rain"))
    assert read(codec, json.dumps([{"n": "dev-43112901", "u": "mm", "t": AT_S, "v": 1}]).encode()).readings


def test_a_name_that_does_not_fit_the_template_says_what_would() -> None:
    [reject] = read(SENML, b'[{"n":"rain","u":"mm","v":1}]').rejects
    assert reject.code is RejectCode.UNKNOWN_STATION
    assert "'rain'; allowed: names like {station}:{variable}" in reject.message


def test_what_the_registry_does_not_know_is_refused_as_in_our_own_format() -> None:
    decoded = read(
        SENML,
        json.dumps(
            [{"bn": "9:", "n": "rain", "u": "mm", "t": AT_S, "v": 1}, {"bn": "43112901:", "n": "rain", "u": "lon", "v": 1}]
        ).encode(),
    )
    assert [r.code for r in decoded.rejects] == [RejectCode.UNKNOWN_STATION, RejectCode.UNKNOWN_UNIT]


def test_a_pack_of_too_many_records_is_read_up_to_the_limit() -> None:
    pack = [{"n": "43112901:rain", "u": "mm", "t": AT_S + 300 * n, "v": 1} for n in range(5)]
    decoded = read(SENML, json.dumps(pack).encode(), limits=Limits(items=3))
    assert len(decoded.readings) == 3
    assert [(r.code, r.count) for r in decoded.rejects] == [(RejectCode.TOO_MANY, 2)]


@pytest.mark.parametrize("names", ["{variable}", "{station}{station}", "x"])
def test_a_template_without_one_station_is_a_mistake(names: str) -> None:
    with pytest.raises(ValueError, match=r"allowed: a text with \{station\} once"):
        SenmlSettings(names=names)
