"""The moments at which a sudden death would hurt most, by name: before and after each commit.

``DISPATCHER_DIE_AT=batch.written:3`` lets the process be killed (SIGKILL, as a power cut would) the third time it passes that
point. It is how the fault harness (tests/faults) gets there; without the variable a point costs one comparison.
"""

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from dispatcher.errors import ConfigurationError, Problem

VARIABLE = "DISPATCHER_DIE_AT"


class Point(StrEnum):
    """``….written``: in the transaction, all of it, not yet committed. ``….kept``: committed, and nobody outside knows yet.

    ``handed_over``: the far side has the message, or has refused it, and nothing of that is written down.
    """

    BATCH_WRITTEN = "batch.written"
    BATCH_KEPT = "batch.kept"
    BATCH_ACKNOWLEDGED = "batch.acknowledged"
    ACT_WRITTEN = "act.written"
    ACT_KEPT = "act.kept"
    SNAPSHOT_WRITTEN = "snapshot.written"
    SNAPSHOT_KEPT = "snapshot.kept"
    TIMERS_WRITTEN = "timers.written"
    TIMERS_KEPT = "timers.kept"
    LEASE_WRITTEN = "lease.written"
    LEASE_KEPT = "lease.kept"
    HANDED_OVER = "handed_over"
    OUTCOME_WRITTEN = "outcome.written"
    OUTCOME_KEPT = "outcome.kept"
    HEARD_WRITTEN = "heard.written"
    HEARD_KEPT = "heard.kept"
    RECOVERY_WRITTEN = "recovery.written"
    RECOVERY_KEPT = "recovery.kept"


@dataclass(slots=True)
class _Armed:
    point: Point
    left: int


_armed: _Armed | None = None


def arm(environment: Mapping[str, str] = os.environ) -> str:
    """Heed the variable from now on; gives what it says, empty when it is not set. ConfigurationError says what is allowed."""
    global _armed  # noqa: PLW0603 - the process dies as a whole: there is one of it
    said = environment.get(VARIABLE, "")
    name, _, times = said.partition(":")
    if said and (name not in set(Point) or not (times or "1").isdigit() or int(times or 1) < 1):
        allowed = f"POINT or POINT:TIMES with POINT one of {', '.join(Point)}"
        raise ConfigurationError([Problem("environment", f"{VARIABLE}={said}: allowed: {allowed}")])
    _armed = _Armed(Point(name), int(times or 1)) if said else None
    return said


def passing(point: Point) -> None:
    """The work is at this point now."""
    if _armed is not None and _armed.point is point:
        _armed.left -= 1
        if not _armed.left:
            os.kill(os.getpid(), signal.SIGKILL)
