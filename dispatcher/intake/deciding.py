"""What the rules make of what has been read: readings first, then forecasts, both in their order."""

from collections.abc import Sequence
from datetime import datetime

from dispatcher.model.reject import Decoded
from rules.change import Decisions
from rules.engine import Engine
from rules.reading import joined


def decide(engine: Engine, parts: Sequence[Decoded], now: datetime) -> Decisions:
    """Decide one batch; deciding it again after a crash gives the same."""
    found = engine.observe(joined(part.readings for part in parts), now)
    forecasts = [f for part in parts for f in part.forecasts]
    if not forecasts:
        return found
    more = engine.observe_forecasts(forecasts, now)
    return Decisions(changes=found.changes + more.changes, remarks=found.remarks + more.remarks)
