from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from dispatcher.testing.stores import FarSide
from tests.dispatch.running import Running, running
from tests.store.far_sides import PostgresDatabase, SqliteFile

Places = Callable[[], FarSide]


@pytest.fixture(params=["sqlite", "postgres"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Places:
    """Makes an empty place for a store to keep things in, at each call another."""
    if request.param == "sqlite":
        made = iter(range(1_000_000))
        return lambda: SqliteFile(tmp_path / f"{next(made)}.db")
    postgres = request.getfixturevalue("postgres")
    return lambda: PostgresDatabase(postgres.new_schema())


@pytest.fixture
def place(places: Places) -> FarSide:
    """An empty place for a store; what is opened on it again finds what was there."""
    return places()


@pytest.fixture
async def engine(place: FarSide) -> AsyncIterator[Running]:
    """An engine on an empty store, with the small county."""
    async with running(place) as made:
        yield made


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that failed is tried again at once."""
    for module in ("dispatcher.intake.pipeline", "dispatcher.deliveries.sender", "dispatcher.answers.desk"):
        monkeypatch.setattr(f"{module}._RETRY_S", 0.0)
