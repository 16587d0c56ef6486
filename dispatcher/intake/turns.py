"""Work that is done between two batches, by the one who writes the rule state, for somebody who waits for it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be done, and who waits: ``done`` gets what it gives, or what it raises."""

    work: Callable[[], Awaitable[Any]]
    done: asyncio.Future[Any]


def settle(done: asyncio.Future[Any], result: object = None, error: Exception | None = None) -> None:
    """Tell whoever waits, if he still does."""
    if done.done():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)
