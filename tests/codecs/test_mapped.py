"""Vendors' JSON by mapping profiles, and the paths in them."""

import json
from typing import Any

import pytest

from dispatcher.intake.codecs.jsonpath import read_path
from dispatcher.intake.codecs.mapped import MappedCodec, MappedSettings
from dispatcher.intake.decode import Limits
from dispatcher.model.reject import RejectCode
from rules.reading import Reading
from tests.codecs.making import AT_S, read

TREE = {"a": {"b": [{"c": 1}, {"c": 2}, {"d": 3}]}, "@iot.id": 7, "中文": "x"}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("$", [TREE]),
        ("$.a.b[*].c", [1, 2]),
        ("$.a.b[1].c", [2]),
        ("$.a.b[9].c", []),
        ("$['@iot.id']", [7]),
        ('$["a"].b[2].d', [3]),
        ("$.中文", ["x"]),
        ("$.a[*]", []),
        ("$.a[0]", []),
        ("@.c", ["item"]),
    ],
)
def test_a_path_leads_to_its_values(path: str, values: list[object]) -> None:
    assert read_path(path).find(TREE, {"c": "item"}, 10) == values


@pytest.mark.parametrize("path", ["", "a.b", "$..a", "$.a[?(@.x)]", "$.a[-1]", "$.a[1:2]", "$.", "$[*", "$.a.*", "$['a]", "$[ 0 ]"])
def test_what_is_not_in_the_small_part_of_jsonpath_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="allowed: "):
        read_path(path)


def profile(**changes: object) -> MappedCodec:
    body: dict[str, Any] = {
        "station": "$.device",
        "time": {"path": "$.ts", "form": "epoch_ms"},
        "readings": [
            {"variable": "rain", "value": "$.data.rain", "unit": "mm", "kind": "increment"},
            {"variable": "level", "value": "$.data.level", "unit": "cm"},
        ],
    }
    return MappedCodec(MappedSettings.model_validate(body | changes))


def message(**changes: object) -> bytes:
    return json.dumps({"device": "43112901", "ts": AT_S * 1000 + 7, "data": {"rain": 1.2, "level": 21435}} | changes).encode()


def test_one_message_gives_several_readings() -> None:
    decoded = read(profile(), message())
    assert decoded.rejects == []
    assert decoded.readings == [Reading("43112901", "rain", 1.2, AT_S), Reading("43112901", "level", 214.35, AT_S)]


def test_a_value_that_is_not_there_is_no_reading_and_no_mistake() -> None:
    decoded = read(profile(), message(data={"rain": 1.2, "level": None, "battery": 12}))
    assert [r.variable for r in decoded.readings] == ["rain"]
    assert decoded.rejects == []


def test_values_that_stand_for_none_are_no_reading_and_no_mistake() -> None:
    decoded = read(profile(missing=[-9999, "NA"]), message(data={"rain": "-9999.0", "level": "NA"}))
    assert (decoded.readings, decoded.rejects) == ([], [])


def test_a_list_of_items_with_words_of_the_vendors_own() -> None:
    codec = profile(
        each="$.list[*]",
        station="@.id",
        time={"path": "@.time", "zone": "Asia/Shanghai"},
        readings=[{"variable": "@.type", "value": "@.val", "unit": "@.unit", "quality": "@.q"}],
        stations={"7": "43112901"},
        variables={"水位": "level"},
        units={"公分": "cm"},
        qualities={"0": "good", "1": "bad"},
    )
    items = [
        {"id": 7, "time": "2026-07-20 08:05:00", "type": "水位", "val": "21435", "unit": "公分", "q": 1},
        {"id": "43112901", "time": "2026-07-20T00:05:00Z", "type": "rain", "val": 0.5, "unit": "mm", "q": 0},
    ]
    decoded = read(codec, json.dumps({"list": items}, ensure_ascii=False).encode())
    assert decoded.rejects == []
    assert decoded.readings == [Reading("43112901", "level", 214.35, AT_S, "bad"), Reading("43112901", "rain", 0.5, AT_S)]


def test_the_station_may_stand_in_the_topic_only() -> None:
    assert read(profile(station="topic[1]"), message(device=None)).readings
    [reject] = read(profile(station="topic[9]"), message()).rejects
    assert "no station at topic[9]" in reject.message


def test_an_observation_of_sensorthings_can_be_mapped() -> None:
    codec = profile(
        station="$.Datastream['@iot.id']",
        time={"path": "$.phenomenonTime"},
        readings=[{"variable": "level", "value": "$.result", "unit": "m"}],
        stations={"7": "43112901"},
    )
    body = {"phenomenonTime": "2026-07-20T00:05:00Z", "result": 12.3, "Datastream": {"@iot.id": 7}}
    assert read(codec, json.dumps(body).encode()).readings == [Reading("43112901", "level", 12.3, AT_S)]


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        pytest.param(message(data={}), RejectCode.MISSING_FIELD, "needed: one of $.data.rain, $.data.level", id="no value at all"),
        pytest.param(message(device=None), RejectCode.MISSING_FIELD, "no station at $.device", id="no station"),
        pytest.param(message(device="9"), RejectCode.UNKNOWN_STATION, "unknown station '9'", id="unknown station"),
        pytest.param(message(ts="later"), RejectCode.BAD_TIME, "'later' at $.ts; allowed: a number, as epoch_ms says", id="time no number"),
        pytest.param(message(ts=1e300), RejectCode.BAD_TIME, '"time"', id="time beyond all calendars"),
        pytest.param(message(ts=AT_S), RejectCode.BAD_TIME, "allowed: 1990-01-01", id="seconds where milliseconds should be"),
        pytest.param(message(data={"rain": "much"}), RejectCode.BAD_FIELD, "'much'; allowed: a finite number", id="value a word"),
        pytest.param(message(data={"rain": [1]}), RejectCode.BAD_FIELD, "an array", id="value an array"),
        pytest.param(message(data={"rain": True}), RejectCode.BAD_FIELD, "True", id="value a truth"),
        pytest.param(message(data={"rain": 1e9}), RejectCode.OUT_OF_RANGE, "allowed: 0 to 2000 mm", id="value that cannot be"),
        pytest.param(b"{", RejectCode.NOT_READABLE, "not JSON at line 1, column 2", id="no JSON"),
        pytest.param(b"", RejectCode.EMPTY, "empty", id="nothing"),
        pytest.param(b"\xff\xfe", RejectCode.NOT_UTF8, "at byte 1", id="not UTF-8"),
        pytest.param(b'{"device":1,"device":2}', RejectCode.DUPLICATE_KEY, "'device'", id="key twice"),
        pytest.param(b'{"ts":NaN}', RejectCode.BAD_FIELD, "NaN", id="NaN"),
        pytest.param(b"[" * 100_000, RejectCode.TOO_DEEP, "too deep", id="too deep"),
    ],
)
def test_what_is_no_reading_is_refused_with_what_is_allowed(body: bytes, code: RejectCode, says: str) -> None:
    decoded = read(profile(), body)
    assert decoded.readings == []
    assert decoded.rejects[0].code is code
    assert says in decoded.rejects[0].message


def test_items_beyond_the_limit_are_not_read() -> None:
    codec = profile(each="$[*]", station="43112901", time={"path": "@.t"}, readings=[{"variable": "rain", "value": "@.v", "unit": "mm"}])
    items = [{"t": f"2026-07-20T00:{n:02d}:00Z", "v": 1} for n in range(9)]
    decoded = read(codec, json.dumps(items).encode(), limits=Limits(items=4))
    assert len(decoded.readings) == 4
    assert [r.code for r in decoded.rejects] == [RejectCode.TOO_MANY]


def test_rejects_beyond_the_limit_are_counted_in_one() -> None:
    codec = profile(each="$[*]")
    decoded = read(codec, json.dumps([{}] * 50).encode(), limits=Limits(rejects=3))
    assert [r.count for r in decoded.rejects] == [1, 1, 1, 47]


@pytest.mark.parametrize(
    "changes",
    [
        {"readings": []},
        {"station": "$..x"},
        {"time": {"path": "$.t", "zone": "Mars/Olympus"}},
        {"time": {"path": "$.t", "form": "epoch_days"}},
        {"qualities": {"1": "fine"}},
        {"unheard": 1},
    ],
)
def test_a_profile_with_a_mistake_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        profile(**changes)
