"""The fast path and the careful path are two ways to the same readings."""

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dispatcher.intake.catalogue import CatalogueEntry, catalogue
from dispatcher.intake.decode import DEFAULT_LIMITS, decode, read_fast
from dispatcher.intake.elements import elements
from dispatcher.intake.examine import Bounds, Examiner
from dispatcher.model.reject import Decoded, Fault
from dispatcher.ports import Item
from rules.reading import Reading

COUNTY = catalogue(
    [
        CatalogueEntry(station="1", variable="rain", kind="increment", interval_s=300),
        CatalogueEntry(station="1", variable="level", kind="instant", interval_s=300),
        CatalogueEntry(station="站", variable="discharge", kind="instant", interval_s=300),
    ]
)
OVERFLOWING = {"station": "1", "variable": "rain", "value": 1e308, "unit": "cm", "time": "2026-07-20T08:05Z"}
EXAMINER = Examiner(COUNTY, Bounds())

rubbish = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=2))
times = st.one_of(
    st.sampled_from(["2026-07-20T08:05:00+08:00", "2026-07-20T08:05:00Z", "2026-07-20", "1970-01-01T00:00Z", "2026-W30-1T00Z"]),
    st.datetimes(timezones=st.timezones()).map(lambda time: time.isoformat()),
    rubbish,
)
required: dict[str, st.SearchStrategy[Any]] = {
    "station": st.sampled_from(["1", "站", "2"]) | rubbish,
    "variable": st.sampled_from(["rain", "level", "discharge"]) | rubbish,
    "value": st.floats(0, 3000) | st.integers(0, 5000) | rubbish,
    "unit": st.sampled_from(["mm", "m", "cm", "m3/s", "cfs"]) | rubbish,
    "time": times,
}
optional: dict[str, st.SearchStrategy[Any]] = {
    "kind": st.sampled_from(["increment", "instant", "level", "counter", None]) | rubbish,
    "interval": st.sampled_from([300, 0, None]) | rubbish,
    "quality": st.sampled_from(["good", "suspect", "bad", None]) | rubbish,
    "id": st.text(max_size=3) | st.just("x" * 200) | rubbish,
    "more": rubbish,
}
mostly_good = st.fixed_dictionaries(
    {
        "station": st.just("1"),
        "variable": st.sampled_from(["rain", "level"]),
        "value": st.floats(allow_nan=False) | st.floats(0, 2000) | st.integers(0, 2**70),
        "unit": st.sampled_from(["mm", "cm"]),
        "time": times,
    },
    optional=optional,
)
objects = mostly_good | st.fixed_dictionaries(required, optional=optional) | st.fixed_dictionaries({}, optional=required | optional)


def carefully(text: str) -> list[Reading] | None:
    """What the careful path alone makes of a body: all its readings, or nothing when one item has a fault."""
    results = [element.fault or EXAMINER.examine(element) for element in elements(text)]
    return None if any(isinstance(result, Fault) for result in results) else [r for r in results if isinstance(r, Reading)]


@settings(max_examples=400, deadline=None)
@given(items=st.lists(objects, min_size=1, max_size=3), ascii_only=st.booleans(), lines=st.booleans())
@example(items=[OVERFLOWING], ascii_only=True, lines=False)
def test_what_theread_fast_path_takes_the_careful_path_takes_alike(items: list[dict[str, Any]], ascii_only: bool, lines: bool) -> None:  # noqa: FBT001
    texts = [json.dumps(item, ensure_ascii=ascii_only) for item in items]
    text = "\n".join(texts) if lines else f"[{', '.join(texts)}]"
    quick = read_fast(text.encode("utf-8", "surrogatepass"), COUNTY, DEFAULT_LIMITS)
    slow = carefully(text)
    if quick is not None:
        assert quick == slow
    if slow is not None and not any("more" in item for item in items):
        assert quick == slow, "the careful path takes what the fast path refuses"


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=200) | st.text(alphabet='{}[]",:\\\n \té1ae-.', max_size=80).map(lambda text: text.encode()))
@example(data=b'{"a":1}{"b":2}')
@example(data=b'["')
@example(data=b'{"a":"\\')
def test_any_bytes_are_decoded_without_an_error(data: bytes) -> None:
    decoded = decode(Item(data, "readings/x"), COUNTY)
    assert isinstance(decoded, Decoded)
    for reject in decoded.rejects:
        assert reject.message.encode()
        assert len(reject.excerpt) <= DEFAULT_LIMITS.excerpt_bytes


@settings(max_examples=200, deadline=None)
@given(data=st.data(), items=st.lists(objects, min_size=1, max_size=4))
def test_damage_at_one_place_is_never_silent(data: st.DataObject, items: list[dict[str, Any]]) -> None:
    whole = json.dumps(items).encode()
    before = decode(Item(whole, "readings/x"), COUNTY)
    assert len(before.readings) + sum(reject.count for reject in before.rejects) == len(items)
    cut = data.draw(st.integers(1, len(whole) - 1))
    after = decode(Item(whole[:cut], "readings/x"), COUNTY)
    assert after.rejects


def test_several_objects_on_one_line_are_refused_alike() -> None:
    one = '{"station":"1","variable":"rain","value":1,"unit":"mm","time":"2026-07-20T08:05:00Z"}'
    for text in (one + one, f"{one} {one}", f"\n{one}{one}", f"{one}\n{one}{one}\n\n{one}"):
        assert read_fast(text.encode(), COUNTY, DEFAULT_LIMITS) is None
        assert carefully(text) is None
