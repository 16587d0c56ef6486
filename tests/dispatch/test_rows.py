from datetime import UTC, datetime
from typing import get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.intake.journal import Damaged, JournalRow, RowKind, pack, read_row, unpack
from dispatcher.model.answer import Answer
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import Notice
from dispatcher.model.task import FeedLine, Task
from dispatcher.model.warning import Alert, Contribution, VillageGrade, Warning  # noqa: A004
from dispatcher.ports import Item, Kind
from dispatcher.rows import row_of, value_of
from dispatcher.timestamps import from_ms, to_ms

TIMES = st.integers(0, 4_102_444_800_000).map(from_ms)
TEXTS = st.text(max_size=20)
KINDS = (Alert, Answer, Contribution, Delivery, FeedLine, Notice, Task, VillageGrade, Warning)


def values(kind: type[object]) -> st.SearchStrategy[object]:
    """Any value of a dataclass whose times are whole milliseconds."""
    hints = get_type_hints(kind)
    times: dict[str, st.SearchStrategy[datetime | None]] = {n: TIMES for n, h in hints.items() if h is datetime}
    times |= {n: st.none() | TIMES for n, h in hints.items() if h == datetime | None}
    return st.builds(kind, **times)


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
@given(data=st.data())
def test_every_value_comes_back_from_its_row_as_it_was(kind: type[object], data: st.DataObject) -> None:
    value = data.draw(values(kind))
    row = row_of(value)
    assert value_of(kind, {**row, "another_column": 1}) == value
    assert all(v is None or isinstance(v, (str, int)) for v in row.values())


@given(TIMES)
def test_times_keep_their_milliseconds_and_are_aware(at: datetime) -> None:
    assert from_ms(to_ms(at)) == at
    assert from_ms(to_ms(at)).tzinfo is UTC


ITEMS = st.lists(st.builds(Item, body=st.binary(max_size=50), subject=TEXTS, kind=st.sampled_from(list(Kind))), max_size=5).map(tuple)


@given(ITEMS)
def test_the_journal_gives_back_the_very_bytes(items: tuple[Item, ...]) -> None:
    assert unpack(pack(items)) == items


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=20), TEXTS, st.sampled_from(list(Kind)), st.sampled_from(["", "senml"]))
def test_what_items_have_in_common_is_written_once(bodies: list[bytes], subject: str, kind: Kind, form: str) -> None:
    items = tuple(Item(body, subject, kind, form) for body in bodies)
    assert unpack(pack(items)) == items
    assert len(pack(items)) <= sum(map(len, bodies)) + 5 * len(bodies) + len(subject.encode()) + 30


def test_a_journal_of_an_earlier_version_is_read() -> None:
    four = [("readings", f"t/{n}", b"x") for n in range(4)]
    assert unpack(msgspec.msgpack.encode(four)) == tuple(Item(b"x", f"t/{n}") for n in range(4))


@given(items=ITEMS, at=TIMES, decided=st.booleans())
def test_a_journal_row_comes_back_as_it_was(*, items: tuple[Item, ...], at: datetime, decided: bool) -> None:
    row = JournalRow(seq=3, county="990121000000", kind=RowKind.BATCH, source="mqtt", now=at, items=items, decided=decided)
    assert read_row(row.stored(), "990121000000") == row


@given(items=ITEMS, position=st.integers(0), bit=st.integers(0, 7))
def test_a_journal_row_with_one_bit_changed_is_known_to_be_damaged(items: tuple[Item, ...], position: int, bit: int) -> None:
    stored = JournalRow(seq=3, county="c", kind=RowKind.BATCH, source="mqtt", now=from_ms(0), items=items).stored()
    payload = bytearray(pack(items))
    payload[position % len(payload)] ^= 1 << bit
    with pytest.raises(Damaged, match="row 3"):
        read_row({**stored, "payload": bytes(payload)}, "c")
