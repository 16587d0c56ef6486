"""Structured logs: one JSON line per fact with a stable ``action``; nothing when all is normal; no numbers, no message texts."""

import logging
import sys
from typing import Any, Protocol

import structlog


class Log(Protocol):
    """What the engine needs of a logger."""

    def info(self, event: str, **facts: Any) -> Any:
        """A fact worth a line."""
        ...

    def warning(self, event: str, **facts: Any) -> Any:
        """Something an operator should see."""
        ...

    def error(self, event: str, **facts: Any) -> Any:
        """Something an operator must see."""
        ...


def make_log(*, as_json: bool, level: int = logging.INFO) -> Log:
    """A logger to standard error; JSON lines for machines, short coloured lines for people."""
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else structlog.dev.ConsoleRenderer(pad_event_to=16)
    log: Log = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.EventRenamer("action") if as_json else structlog.processors.UnicodeDecoder(),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    return log
