"""Forecasts as they arrive: what is accepted, and the reason for each that is not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.intake.catalogue import CatalogueEntry, catalogue
from dispatcher.intake.decode import decode
from dispatcher.model.reject import Decoded, RejectCode
from dispatcher.ports import Item, Kind

COUNTY = catalogue([CatalogueEntry(station="R1", variable="rain", kind="increment", interval_s=300)], ("431129101201", "R1"))
GOOD = {
    "source": "nwp", "issued_at": "2026-07-20T08:00:00+08:00", "place": "431129101201", "variable": "rain",
    "valid_from": "2026-07-20T12:00:00+08:00", "valid_to": "2026-07-20T18:00:00+08:00", "value": 65,
}  # fmt: skip


def read(body: str | bytes) -> Decoded:
    return decode(Item(body.encode() if isinstance(body, str) else body, "forecasts/x", Kind.FORECASTS), COUNTY)


def test_a_forecast_is_read_with_its_times_and_amount() -> None:
    [one] = read(json.dumps(GOOD)).forecasts
    assert (one.source, one.place, one.variable, one.value) == ("nwp", "431129101201", "rain", 65)
    assert (one.valid_from_s - one.issued_at_s, one.length_s) == (4 * 3600, 6 * 3600)


def test_units_are_converted_and_points_are_put_in_order() -> None:
    extras = {"unit": "cm", "value": 6.5, "quantiles": {"0.9": 11, "0.5": 6}, "exceedance": [
        {"threshold": 10, "probability": 0.2}, {"threshold": 5, "probability": 0.7}]}  # fmt: skip
    [one] = read(json.dumps([GOOD | extras])).forecasts
    assert (one.value, one.quantiles, one.exceedance) == (65, ((0.5, 60), (0.9, 110)), ((50, 0.7), (100, 0.2)))


def test_the_good_ones_beside_a_bad_one_are_read() -> None:
    decoded = read("\n".join(json.dumps(x) for x in (GOOD, GOOD | {"place": "nowhere"}, GOOD | {"value": 70})))
    assert [f.value for f in decoded.forecasts] == [65, 70]
    assert [(r.code, r.line) for r in decoded.rejects] == [(RejectCode.UNKNOWN_STATION, 2)]
    assert not decoded.readings


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"place": "nowhere"}, RejectCode.UNKNOWN_STATION, "unknown place 'nowhere'; allowed: the 2 stations and areas"),
        ({"variable": "sun"}, RejectCode.UNKNOWN_VARIABLE, "unknown variable 'sun'; allowed: rain"),
        ({"unit": "furlong"}, RejectCode.UNKNOWN_UNIT, "unknown unit 'furlong' for rain; allowed: mm"),
        ({"value": "65"}, RejectCode.BAD_FIELD, 'field "value" cannot be read; allowed: a finite number'),
        ({"value": -1}, RejectCode.OUT_OF_RANGE, "-1 mm of rain cannot be; allowed: 0 to 2000"),
        ({"issued_at": "yesterday"}, RejectCode.BAD_TIME, "field \"issued_at\": 'yesterday' is not an ISO 8601 time"),
        ({"issued_at": "1970-01-01T00:00:00Z"}, RejectCode.BAD_TIME, "cannot be; allowed: 1990 to 2100"),
        ({"valid_to": "2026-07-20T12:00:00+08:00"}, RejectCode.BAD_TIME, 'allowed: after "valid_from", by at most 31 days'),
        ({"value": None}, RejectCode.MISSING_FIELD, "needed: at least one"),
        ({"quantiles": {"0.5": 60, "0.9": 50}}, RejectCode.BAD_FIELD, "a larger share has a smaller value"),
        ({"quantiles": {"half": 60}}, RejectCode.BAD_FIELD, "'half'; allowed: shares between 0 and 1"),
        ({"exceedance": [{"threshold": 1, "probability": 1.5}]}, RejectCode.BAD_FIELD, 'field "exceedance" cannot be read'),
        (
            {"exceedance": [{"threshold": 1, "probability": 0.1}, {"threshold": 2, "probability": 0.2}]},
            RejectCode.BAD_FIELD,
            "more is said to be likelier than less",
        ),
    ],
)
def test_a_wrong_forecast_is_refused_with_what_is_allowed(change: dict[str, object], code: RejectCode, words: str) -> None:
    [reject] = read(json.dumps(GOOD | change)).rejects
    assert reject.code is code
    assert words in reject.message


@pytest.mark.parametrize("name", ["source", "issued_at", "place", "variable", "valid_from", "valid_to"])
def test_a_missing_field_is_named_with_all_that_are_needed(name: str) -> None:
    [reject] = read(json.dumps({k: v for k, v in GOOD.items() if k != name})).rejects
    assert reject.code is RejectCode.MISSING_FIELD
    assert f'field "{name}" is missing; needed: "source"' in reject.message


@pytest.mark.parametrize("body", ["", "[", "{", "[1]", "a,b\n1,2", '{"a":' * 99, "\x00", '{"value": NaN}'])
def test_what_is_no_forecast_at_all_is_refused_without_a_crash(body: str) -> None:
    decoded = read(body)
    assert decoded.rejects
    assert not decoded.forecasts


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reader(body: bytes) -> None:
    decoded = read(body)
    assert decoded.rejects or decoded.forecasts or body in (b"[]", b"")


@given(
    st.dictionaries(
        st.sampled_from([*GOOD, "quantiles", "exceedance", "unit"]), st.one_of(st.none(), st.integers(), st.text(), st.floats())
    )
)
def test_no_values_crash_the_reader(change: dict[str, object]) -> None:
    decoded = read(json.dumps(GOOD | change))
    assert len(decoded.rejects) + len(decoded.forecasts) == 1
