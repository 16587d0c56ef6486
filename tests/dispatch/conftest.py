from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.dispatch.running import Running, running


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Running]:
    """An engine on an empty file, with the small county."""
    async with running(tmp_path / "dispatcher.db") as made:
        yield made


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that failed is tried again at once."""
    for module in ("dispatcher.intake.pipeline", "dispatcher.deliveries.sender", "dispatcher.answers.desk"):
        monkeypatch.setattr(f"{module}._RETRY_S", 0.0)
