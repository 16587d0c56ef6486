"""How an adapter is configured and made."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from dispatcher.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What every adapter may need from the engine. ``worker`` is the name of this process among several, empty when it is alone.

    ``name`` is what the deployment calls this adapter; the hooks of a channel are ``/hooks/<name>/``.
    """

    clock: Clock
    county: str
    public_url: str
    worker: str = ""
    name: str = ""


S = TypeVar("S", bound=BaseModel)
P_co = TypeVar("P_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Copies(Generic[S]):
    """How a store in a file is copied; one without has means of its own. Each raises Unreachable in words.

    ``backup`` writes a checked copy beside a running engine. ``restore`` puts one back while no engine runs, and gives the name under
    which it kept what was there. ``at`` is the same settings for a copy.
    """

    backup: Callable[[S, Path], None]
    restore: Callable[[S, Path], Path | None]
    at: Callable[[S, Path], S]


@dataclass(frozen=True, slots=True)
class Adapter(Generic[S, P_co]):
    """What an entry point names: how an adapter is configured and how it is made. ``build`` opens nothing."""

    settings: type[S]
    build: Callable[[S, World], P_co]
    copies: Copies[S] | None = None
