"""Messages read at once give what each gives by itself, whatever stands beside them."""

from datetime import UTC, datetime
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.intake.catalogue import CatalogueEntry, catalogue
from dispatcher.intake.codecs.choose import Decoding
from dispatcher.intake.decode import Limits
from dispatcher.intake.decode_together import decode_together
from dispatcher.model.reject import Decoded
from dispatcher.ports import Item, Kind

NOW = datetime(2026, 7, 20, 8, 0, tzinfo=UTC)
KNOWN = catalogue([CatalogueEntry(station="G1", variable="rain", kind="increment", interval_s=300)])
DECODING = Decoding(KNOWN, Limits(body_bytes=4_000))
TIME = '"time":"2026-07-20T08:00:00Z"'
GOOD = f'{{"station":"G1","variable":"rain","value":1.5,"unit":"mm",{TIME}}}'.encode()
MARKED = f'{{"station":"G1","variable":"rain","value":2,"unit":"cm","quality":"suspect","id":"x}}\\n{{",{TIME}}}'.encode()

ODD = [
    GOOD.replace(b"G1", b"G9"),  # unknown
    GOOD[:-1],  # cut off
    GOOD[:40],
    GOOD[40:],  # the other half
    GOOD[1:],
    b"{" + GOOD + b"}",
    b'{"a":{}',
    b'{"a":[{}',
    b"}\n{",
    b"{}",
    b"{",
    b"}",
    b"",
    b"\xff",
    GOOD + b"\n" + GOOD,  # two in one
    GOOD.replace(b"{", b"{\n", 1),
    b"[" + GOOD + b"]",
    b"\xef\xbb\xbf" + GOOD,
    GOOD.replace(b'"unit":"mm"', b'"unit":"mm","unit":"cm"'),
    GOOD.replace(b'"unit":"mm"', b'"unit":"mm","Unit":"cm"'),
    GOOD.replace(b"}", b'}  ,"b":1}'),
    GOOD + b" " * 3_990,
    b" " + GOOD,
    GOOD + b"\r",
    b"station,variable,value,unit,time\nG1,rain,1,mm,2026-07-20T08:00:00Z",
]
bodies = st.one_of(st.just(GOOD), st.just(GOOD), st.just(MARKED), st.sampled_from(ODD))
items = st.builds(
    lambda body, kind, form: Item(body, "t", kind, form),
    bodies,
    st.sampled_from([Kind.READINGS] * 9 + [Kind.FORECASTS]),
    st.sampled_from([""] * 9 + ["json", "senml", "nobody's"]),
)


def flat(parts: list[Decoded]) -> object:
    before = accumulate((p.items for p in parts), initial=0)
    return [r for p in parts for r in p.readings], [(n, r) for n, p in zip(before, parts, strict=False) for r in p.rejects]


@given(st.lists(items, max_size=40))
def test_read_at_once_or_one_by_one_readings_and_rejects_are_the_same(given_items: list[Item]) -> None:
    alone = [DECODING.decode(item, NOW) for item in given_items]
    together = decode_together(DECODING, given_items, NOW)
    assert sum(part.items for part in together) == len(given_items)
    assert flat(together) == flat(alone)


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_one_odd_message_among_many_changes_nothing_for_the_others(odd: bytes) -> None:
    row = [Item(GOOD, "t")] * 9 + [Item(odd, "t")] + [Item(MARKED, "t")] * 9
    assert flat(decode_together(DECODING, row, NOW)) == flat([DECODING.decode(item, NOW) for item in row])
