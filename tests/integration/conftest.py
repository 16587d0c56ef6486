"""Programs that run as long as their test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.programs import Programs


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    """Start the real program: ``programs.run("check")``."""
    started = Programs(tmp_path)
    yield started
    started.end()
