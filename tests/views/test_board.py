"""The board of 600 villages, and where a call stands."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.stores.sqlite import open_store
from dispatcher.model.notice import Notice, NoticeState, Purpose
from dispatcher.policy.model import Action
from dispatcher.ports import Reader, Row, Store
from dispatcher.views.board import CellState, Filter
from dispatcher.views.call_state import CallState, Tally, standing
from dispatcher.views.load import load_board
from dispatcher.views.masking import mask
from rules.grade import Grade
from tests.web.seed import CASES, HAZARD, NOW, Case, notice_of, policies, registry, seed

RED = policies().for_hazard(HAZARD).grades[Grade.RED]
VILLAGE = next(iter(registry().villages.values()))
DELIVERED: Tally = {("sms", "delivered"): 2}
FAILED: Tally = {("sms", "failed"): 3, ("loudspeaker", "delivered"): 1}


def red(**changed: Any) -> Notice:  # noqa: ANN401
    return replace(notice_of(1, VILLAGE, Case(grade=Grade.RED, ago_min=1), "w"), **changed)


@pytest.mark.parametrize(
    ("notice", "tally", "state", "action"),
    [
        pytest.param(red(), DELIVERED, CallState.CALLING, Action.RECEIVED, id="just told"),
        pytest.param(red(released_at=NOW - timedelta(minutes=6)), DELIVERED, CallState.OVERDUE, Action.RECEIVED, id="silent for too long"),
        pytest.param(red(state=NoticeState.ANSWERED), DELIVERED, CallState.ANSWERED, Action.EVACUATING, id="received"),
        pytest.param(
            red(state=NoticeState.ANSWERED, released_at=NOW - timedelta(minutes=16)),
            DELIVERED,
            CallState.OVERDUE,
            Action.EVACUATING,
            id="received, then nothing",
        ),
        pytest.param(red(state=NoticeState.ACTING), DELIVERED, CallState.ACTING, Action.EVACUATED, id="moving"),
        pytest.param(red(state=NoticeState.DONE), DELIVERED, CallState.DONE, None, id="moved"),
        pytest.param(red(next_due=None), FAILED, CallState.UNREACHABLE, Action.RECEIVED, id="a speaker is nobody's address"),
        pytest.param(red(), FAILED, CallState.CALLING, Action.RECEIVED, id="a step is still to come"),
        pytest.param(red(purpose=Purpose.LIFT, state=NoticeState.INFORMED), DELIVERED, CallState.INFORMED, None, id="lifted"),
        pytest.param(red(state=NoticeState.SUPERSEDED), DELIVERED, CallState.SUPERSEDED, None, id="superseded"),
    ],
)
def test_where_a_call_stands_is_read_off_plan_and_deliveries(notice: Notice, tally: Tally, state: CallState, action: Action) -> None:
    found = standing(notice, RED, tally, NOW)
    assert (found.state, found.action) == (state, action)


@pytest.mark.parametrize(
    ("address", "shown"), [("+447700900123", "+447•••••••23"), ("spk-990121101201-1", "spk-990121101201-1"), ("duty-room", "duty-room")]
)
def test_numbers_are_masked_and_other_addresses_are_not(address: str, shown: str) -> None:
    assert mask(address) == shown


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "board.db")
    yield opened
    await opened.close()


class Counting:
    """A reader that counts its queries."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.queries: list[str] = []

    async def fetch(self, query: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        self.queries.append(query)
        return await self.reader.fetch(query, params)


async def test_600_villages_take_as_many_queries_as_one(store: Store) -> None:
    first = list(registry().villages.values())
    villages = [replace(first[n % len(first)], code=f"{n:012d}") for n in range(600)]
    cases = tuple(Case(grade=Grade.RED, said=CASES[1].said) for _ in range(600))
    places = registry().links
    fake = replace(registry(), villages={v.code: v for v in villages})
    async with store.read() as reader:
        none = Counting(reader)
        assert (await load_board(none, fake, Filter(), NOW)).sections == ()
    await seed(store, cases, [replace(v, code=places[0].village if n == 0 else v.code) for n, v in enumerate(villages)])
    async with store.read() as reader:
        many = Counting(reader)
        board = await load_board(many, fake, Filter(), NOW)
    assert len(board.sections[0].lines) == 600
    assert len(many.queries) == 4


async def test_the_board_counts_each_village_once_and_puts_the_worst_first(store: Store) -> None:
    await seed(store)
    async with store.read() as reader:
        board = await load_board(reader, registry(), Filter(only_open=True), NOW)
    assert [s.grade for s in board.sections] == [Grade.RED, Grade.ORANGE]
    states = [line.standing.state for line in board.sections[0].lines]
    assert board.sections[0].lines[0].help_wanted
    assert states[1:] == [CallState.OVERDUE, CallState.CALLING, CallState.ANSWERED, CallState.ACTING, CallState.DONE, CallState.DONE]
    assert len(board.sections[0].shown) == 5
    assert (board.totals.asked, board.totals.answered, board.totals.people) == (13, 8, 558)


async def test_a_grade_not_yet_told_awaits_release(store: Store) -> None:
    await seed(store)
    async with store.write() as tx:
        rows = await tx.fetch("warnings.villages", {"warning": f"{HAZARD}/990121102000/20260720-1"})
        await tx.run("warnings.save_village", {**rows[0], "grade": 4})
    async with store.read() as reader:
        board = await load_board(reader, registry(), Filter(), NOW)
    waiting = [line for s in board.sections for line in s.lines if line.standing.state is CallState.WAITING]
    assert [(line.village, line.grade) for line in waiting] == [(rows[0]["village"], Grade.RED)]


async def test_cells_name_who_said_it_and_until_when_the_rest_is_asked(store: Store) -> None:
    await seed(store)
    async with store.read() as reader:
        board = await load_board(reader, registry(), Filter(), NOW)
    moving = next(line for line in board.sections[0].lines if line.standing.state is CallState.ACTING)
    assert [c.state for c in moving.cells] == [CellState.DONE, CellState.DONE, CellState.PENDING]
    assert moving.cells[0].person in registry().contacts
    assert moving.cells[2].at == NOW - timedelta(minutes=9) + RED.deadlines[Action.EVACUATED]
