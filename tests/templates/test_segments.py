"""Segments are counted as gateways count them."""

import pytest

from dispatcher.templates.segments import Encoding, Segments, segments


@pytest.mark.parametrize(
    ("text", "encoding", "units", "count"),
    [
        ("", Encoding.GSM7, 0, 1),
        ("a" * 160, Encoding.GSM7, 160, 1),
        ("a" * 161, Encoding.GSM7, 161, 2),
        ("a" * 307, Encoding.GSM7, 307, 3),
        ("€" * 80, Encoding.GSM7, 160, 1),
        ("€" * 81, Encoding.GSM7, 162, 2),
        ("a" * 152 + "€" + "a" * 153, Encoding.GSM7, 307, 3),
        ("水" * 70, Encoding.UCS2, 70, 1),
        ("水" * 71, Encoding.UCS2, 71, 2),
        ("a" * 159 + "水", Encoding.UCS2, 160, 3),
        ("😜" * 35, Encoding.UCS2, 70, 1),
        ("水" * 66 + "😜" + "水" * 67, Encoding.UCS2, 135, 3),
    ],
    ids=["empty", "160", "161", "307", "80 euro", "81 euro", "escape not cut", "70", "71", "one hanzi turns all", "emoji", "pair not cut"],
)
def test_a_text_costs_what_the_standard_says(text: str, encoding: Encoding, units: int, count: int) -> None:
    assert segments(text) == Segments(encoding=encoding, units=units, count=count)
