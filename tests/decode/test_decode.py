"""Whatever arrives becomes readings and rejects, and nothing is raised."""

import json

import pytest

from dispatcher.intake.catalogue import Catalogue, CatalogueEntry, catalogue
from dispatcher.intake.decode import Limits, decode
from dispatcher.model.reject import Decoded, RejectCode, digest
from dispatcher.ports import Item
from rules.reading import Reading

TIME = "2026-07-20T08:05:00+08:00"
AT_S = 1784505900
GOOD = Reading("43112901", "rain", 1.2, AT_S)


@pytest.fixture
def county() -> Catalogue:
    """One gauge that measures rain and level, one that measures discharge."""
    return catalogue(
        [
            CatalogueEntry(station="43112901", variable="rain", kind="increment", interval_s=300),
            CatalogueEntry(station="43112901", variable="level", kind="instant", interval_s=300),
            CatalogueEntry(station="R2", variable="discharge", kind="instant", interval_s=300),
        ]
    )


def fields(**changes: object) -> dict[str, object]:
    """A good reading with some fields changed; ``None`` takes a field out."""
    whole = {"station": "43112901", "variable": "rain", "value": 1.2, "unit": "mm", "time": TIME} | changes
    return {name: value for name, value in whole.items() if value is not None}


def body(**changes: object) -> bytes:
    return json.dumps(fields(**changes), ensure_ascii=False).encode()


def read(county: Catalogue, data: bytes, limits: Limits | None = None) -> Decoded:
    return decode(Item(data, "readings/43112901"), county, limits or Limits())


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(body(), id="object"),
        pytest.param(b"[" + body() + b"]", id="array"),
        pytest.param(body() + b"\n", id="line"),
        pytest.param(b"\xef\xbb\xbf" + body(), id="byte order mark"),
        pytest.param(json.dumps(fields(), indent=2).encode(), id="object over several lines"),
        pytest.param(body(kind="increment", interval=300, quality="good", id="a-1"), id="optional fields"),
        pytest.param(body(battery={"volt": [3.6]}), id="a vendor's own field"),
        pytest.param(b"time,station,unit,variable,value\r\n" + f"{TIME},43112901,mm,rain,1.2\r\n".encode(), id="CSV"),
        pytest.param(b"station,variable,value,unit,time,quality\n" + f"43112901,rain,1.2,mm,{TIME},\n".encode(), id="CSV, empty cell"),
        pytest.param(body(time="2026-07-20T00:05:00Z"), id="UTC"),
        pytest.param(body(time="2026-07-20T00:05:00.999+00:00"), id="fraction of a second"),
        pytest.param(body(time="2026-07-20T08:05+0800"), id="without seconds"),
    ],
)
def test_one_reading_in_any_accepted_form_is_the_same_reading(county: Catalogue, data: bytes) -> None:
    assert read(county, data) == Decoded([GOOD], [])


@pytest.mark.parametrize(
    ("station", "variable", "value", "unit", "canonical"),
    [
        ("43112901", "rain", 1.2, "cm", 12.0),
        ("43112901", "rain", 1, "in", 25.4),
        ("43112901", "rain", 3, "毫米", 3.0),
        ("43112901", "level", 231, "cm", 2.31),
        ("43112901", "level", 2310, "mm", 2.31),
        ("43112901", "level", 10, "ft", 3.048),
        ("R2", "discharge", 150, "m³/s", 150.0),
        ("R2", "discharge", 1500, "l/s", 1.5),
        ("R2", "discharge", 1000, "cfs", 28.316846592),
    ],
)
def test_units_become_canonical(county: Catalogue, station: str, variable: str, value: float, unit: str, canonical: float) -> None:
    decoded = read(county, body(station=station, variable=variable, value=value, unit=unit))
    assert decoded == Decoded([Reading(station, variable, canonical, AT_S)], [])


def test_the_senders_word_on_quality_is_kept(county: Catalogue) -> None:
    assert read(county, body(quality="suspect")).readings == [GOOD._replace(quality="suspect")]


#: What is wrong, its code, and words that the message must hold.
FAULTS = [
    pytest.param(body(station="999"), RejectCode.UNKNOWN_STATION, ["'999'", "registry"], id="unknown station"),
    pytest.param(body(variable="snow"), RejectCode.UNKNOWN_VARIABLE, ["'snow'", "rain, level"], id="unknown variable"),
    pytest.param(body(unit="furlong"), RejectCode.UNKNOWN_UNIT, ["'furlong'", "mm, 毫米, cm, in"], id="unknown unit"),
    pytest.param(body(unit="MM"), RejectCode.UNKNOWN_UNIT, ["'MM'"], id="unit in capitals"),
    pytest.param(body(time="2026-07-20T08:05:00"), RejectCode.BAD_TIME, ["no time zone", "+08:00"], id="no time zone"),
    pytest.param(body(time="20/07/2026 08:05"), RejectCode.BAD_TIME, ["ISO 8601"], id="another way to write a time"),
    pytest.param(body(time="1970-01-01T00:00:00Z"), RejectCode.BAD_TIME, ["1990-01-01 to 2100-01-01"], id="1970"),
    pytest.param(body(time="2126-07-20T08:05:00Z"), RejectCode.BAD_TIME, ["2100"], id="in a hundred years"),
    pytest.param(body(time="0001-01-01T00:00:00+14:00"), RejectCode.BAD_TIME, [], id="the first day there is"),
    pytest.param(body(time=1784505900), RejectCode.BAD_TIME, ["2026-07-20T08:05:00+08:00"], id="time as a number"),
    pytest.param(body(time="2026-07-20T08:05:00Z" + "0" * 999), RejectCode.BAD_TIME, ["too long"], id="endless time"),
    pytest.param(body(value="1.2"), RejectCode.BAD_FIELD, ['"value"', "'1.2'", "finite number"], id="text for a number"),
    pytest.param(body(value=True), RejectCode.BAD_FIELD, ['"value"', "True"], id="truth for a number"),
    pytest.param(body(value=float("nan")), RejectCode.BAD_FIELD, ["NaN"], id="NaN"),
    pytest.param(body(value=float("-inf")), RejectCode.BAD_FIELD, ["-Infinity"], id="infinity"),
    pytest.param(body().replace(b"1.2", b"1e400"), RejectCode.BAD_FIELD, ["inf"], id="a number beyond all floats"),
    pytest.param(body().replace(b"1.2", b"9" * 5000), RejectCode.BAD_FIELD, ["inf"], id="a number of 5,000 digits"),
    pytest.param(body(value=-0.2), RejectCode.OUT_OF_RANGE, ["-0.2", "0 to 2000 mm"], id="negative rain"),
    pytest.param(body(value=-9999, variable="level", unit="m"), RejectCode.OUT_OF_RANGE, ["-9999", "m"], id="mark for no value"),
    pytest.param(body(unit=None), RejectCode.MISSING_FIELD, ['"unit"', "station, variable"], id="missing field"),
    pytest.param(body(kind="counter"), RejectCode.BAD_KIND, ["'counter'", "increment"], id="a kind not accepted"),
    pytest.param(body(kind="instant"), RejectCode.BAD_KIND, ["registered"], id="another kind than registered"),
    pytest.param(body(quality="fine"), RejectCode.BAD_FIELD, ["good, suspect, bad"], id="unknown quality"),
    pytest.param(body(interval=0), RejectCode.BAD_FIELD, ["above 0"], id="an interval of nothing"),
    pytest.param(body(qualty="bad"), RejectCode.BAD_FIELD, ["'qualty'", '"quality"'], id="misspelt optional field"),
    pytest.param(body().replace(b"1.2", b'1.2, "value": 3'), RejectCode.DUPLICATE_KEY, ["'value'", "once"], id="duplicate key"),
    pytest.param(body().replace(b"1.2", b'1.2, "v\\u0061lue": 3'), RejectCode.DUPLICATE_KEY, ["'value'"], id="duplicate key in disguise"),
    pytest.param(body(x=[[[[[[[[[1]]]]]]]]]), RejectCode.TOO_DEEP, ["nested 10 deep", "8"], id="nested deep"),
    pytest.param(body().replace(b"43112901", b"4311\xff2901"), RejectCode.NOT_UTF8, ["UTF-8"], id="invalid UTF-8"),
    pytest.param(body(note="雨").replace("雨".encode(), "雨".encode("gbk")), RejectCode.NOT_UTF8, ["UTF-8"], id="GBK"),
    pytest.param(body().replace(b"43112901", b"\\ud800"), RejectCode.BAD_FIELD, ["station"], id="half a surrogate pair"),
    pytest.param(b'{"station"="43112901"}', RejectCode.NOT_READABLE, ["character"], id="not JSON"),
]


@pytest.mark.parametrize(("data", "code", "words"), FAULTS)
def test_what_is_wrong_is_refused_with_what_where_and_what_is_allowed(
    county: Catalogue, data: bytes, code: RejectCode, words: list[str]
) -> None:
    decoded = read(county, data)
    assert not decoded.readings
    [reject] = decoded.rejects
    assert reject.code is code
    assert all(word in reject.message for word in ["readings/43112901, item 1 (line 1)", *words]), reject.message
    assert (reject.subject, reject.index, reject.line, reject.count) == ("readings/43112901", 1, 1, 1)
    assert data.startswith(reject.excerpt)
    assert (reject.sha256, reject.size_bytes) == (digest(data), len(data))
    reject.message.encode()


@pytest.mark.parametrize("join", [pytest.param((b"[\n", b",\n", b"]"), id="array"), pytest.param((b"\n", b"\n", b"\n"), id="lines")])
@pytest.mark.parametrize(("data", "code", "words"), FAULTS)
def test_one_bad_item_never_stops_the_good_ones_beside_it(
    county: Catalogue, join: tuple[bytes, bytes, bytes], data: bytes, code: RejectCode, words: list[str]
) -> None:
    begin, between, end = join
    decoded = read(county, begin + between.join([body(), data, body()]) + end)
    assert decoded.readings == [GOOD, GOOD]
    assert [(r.code, r.index, r.line) for r in decoded.rejects] == [(code, 2, 3)]


@pytest.mark.parametrize("cut", range(1, len(body())))
def test_an_array_cut_anywhere_keeps_the_items_before_the_cut(county: Catalogue, cut: int) -> None:
    whole = b"[" + body() + b"," + body()
    decoded = read(county, whole[: len(whole) - cut])
    assert decoded.readings == [GOOD]
    assert [r.code for r in decoded.rejects] == [RejectCode.TRUNCATED]


@pytest.mark.parametrize("cut", range(1, len(body())))
def test_lines_cut_anywhere_keep_the_lines_before_the_cut(county: Catalogue, cut: int) -> None:
    whole = body() + b"\n" + body()
    decoded = read(county, whole[: len(whole) - cut])
    assert decoded.readings == [GOOD]
    assert [(r.code, r.index, r.line) for r in decoded.rejects] == [(RejectCode.TRUNCATED, 2, 2)]


def test_a_cut_line_between_good_ones_takes_only_itself(county: Catalogue) -> None:
    decoded = read(county, body() + b"\n" + body()[:40] + b"\n" + body())
    assert decoded.readings == [GOOD, GOOD]
    assert [(r.code, r.index) for r in decoded.rejects] == [(RejectCode.TRUNCATED, 2)]


def test_a_body_of_10_mb_is_refused_whole_without_being_read(county: Catalogue) -> None:
    data = b"[" + b",".join([body()] * 110_000) + b"]"
    assert len(data) > 10_000_000
    decoded = read(county, data)
    [reject] = decoded.rejects
    assert not decoded.readings
    assert reject.code is RejectCode.TOO_LARGE
    assert f"{len(data):,}" in reject.message
    assert "1,048,576" in reject.message
    assert (len(reject.excerpt), reject.size_bytes, reject.sha256) == (256, len(data), digest(data))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"", RejectCode.EMPTY, id="nothing"),
        pytest.param(b" \n\xef\xbb\xbf"[:2], RejectCode.EMPTY, id="blanks"),
        pytest.param(b"\x7e\x7e\x01\x00\x12", RejectCode.NOT_READABLE, id="binary"),
        pytest.param(b"<alert/>", RejectCode.NOT_READABLE, id="XML"),
        pytest.param(b"station,value,time\n1,2,3\n", RejectCode.MISSING_FIELD, id="CSV without a column"),
        pytest.param(b"station,station,variable,value,unit,time\n", RejectCode.MISSING_FIELD, id="CSV with a column twice"),
    ],
)
def test_a_body_without_items_is_one_reject(county: Catalogue, data: bytes, code: RejectCode) -> None:
    [reject] = read(county, data).rejects
    assert (reject.code, reject.index) == (code, 0)


def test_a_bad_csv_row_is_named_by_its_line(county: Catalogue) -> None:
    rows = [f"43112901,rain,{value},mm,{TIME}" for value in ("1.2", "nan", "1_0", "0x1p3", "")]
    decoded = read(county, "\n".join(["station,variable,value,unit,time", *rows, "1,2", ""]).encode())
    assert decoded.readings == [GOOD]
    assert [(r.code, r.line) for r in decoded.rejects] == [
        (RejectCode.BAD_FIELD, 3),
        (RejectCode.BAD_FIELD, 4),
        (RejectCode.BAD_FIELD, 5),
        (RejectCode.MISSING_FIELD, 6),
        (RejectCode.NOT_READABLE, 7),
    ]


def test_more_rejects_than_the_limit_become_one_that_counts_them(county: Catalogue) -> None:
    data = b"[" + b",".join([body(unit="furlong")] * 10 + [body()]) + b"]"
    decoded = read(county, data, Limits(rejects=3))
    assert decoded.readings == [GOOD]
    assert [(r.code, r.count) for r in decoded.rejects] == [(RejectCode.UNKNOWN_UNIT, 1)] * 3 + [(RejectCode.TOO_MANY, 7)]


def test_items_beyond_the_limit_are_refused_in_one(county: Catalogue) -> None:
    decoded = read(county, b"[" + b",".join([body()] * 10) + b"]", Limits(items=4))
    assert decoded.readings == [GOOD] * 4
    assert [(r.code, r.index) for r in decoded.rejects] == [(RejectCode.TOO_MANY, 5)]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"[" * 1_000_000, id="brackets"),
        pytest.param(b'{"a":' * 200_000, id="braces"),
        pytest.param(b'[{"a":"' + b'\\"' * 500_000, id="escaped quotes"),
        pytest.param(b"[" + b'"' * 1_000_000, id="quotes"),
        pytest.param(b"[" + b"," * 1_000_000, id="commas"),
        pytest.param(b"{\n" * 500_000, id="lines"),
        pytest.param(b"[" + b"\n" * 1_000_000, id="empty lines"),
    ],
)
@pytest.mark.timeout(30)
def test_hostile_bodies_end_in_few_rejects(county: Catalogue, data: bytes) -> None:
    decoded = read(county, data)
    assert not decoded.readings
    assert 0 < len(decoded.rejects) <= 1_002
