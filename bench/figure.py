"""One figure, one JSON line."""

import json
import statistics
from collections.abc import Sequence


def figure(name: str, values: Sequence[float], unit: str, n: int, note: str) -> None:
    """Print the median of several runs, with their spread relative to it."""
    median = statistics.median(values)
    spread = (max(values) - min(values)) / median if median else 0.0
    line = {"bench": name, "value": round(median, 3), "unit": unit, "n": n, "spread": round(spread, 3), "note": note}
    print(json.dumps(line), flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
