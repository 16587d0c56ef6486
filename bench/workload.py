"""The made-up storm that the benchmarks of the rules read: deterministic, nothing drawn at random.

Storm cells cross a square of gauges. About a third of the gauges get rain in any step, some of them enough for red; the
others report zero, as gauges do. A line is 150 bytes of JSON, as gauges of several makers send.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

START = datetime(2026, 7, 20, tzinfo=UTC)
STEP_S = 300
LINE_BYTES = 150
_CELLS = ((0.1, 0.2, 0.030, 0.012, 0.17, 9.0), (0.8, 0.1, -0.020, 0.025, 0.13, 7.0), (0.3, 0.9, 0.022, -0.018, 0.21, 5.0))
"""Start x and y, speed per step, radius (all in sides of the square) and mm per step at the centre."""
_OF_THE_DAY, _WIDER = 0.36, 6.0
"""How strong, and how much wider by area, they are when they come again and again: about a quarter of all readings has rain."""
RainAt = Callable[[int, int, int], float]
"""(number of a gauge, gauges on a side, step) → mm."""

RULES = """
rules:
- rule: flash-flood-rain
  version: 1
  hazard: flash-flood
  for_each: rain_gauge
  inputs:
    r1h: sum(rain, 1h)
    r3h: sum(rain, 3h)
    r6h: sum(rain, 6h)
    r24h: sum(rain, 24h)
  ladder:
    r1h: [35, 45, 60, 80]
    r3h: [55, 75, 100, 120]
    r6h: [70, 95, 120, 150]
    r24h: [100, 130, 160, 200]
  lower: {when: r3h < 30, for: 1h, to: computed}
  no_data: {after: 20m, grade: hold, tell: duty-room}
  quality: {range: [0, 30]}
"""


WINDOWS_5 = """
rules:
- rule: five-windows
  version: 1
  hazard: flash-flood
  for_each: rain_gauge
  inputs: {{r1h: "sum(rain, 1h)", r3h: "sum(rain, 3h)", r6h: "sum(rain, 6h)", r12h: "sum(rain, 12h)", r24h: "sum(rain, 24h)"}}
  ladder:
    r1h: [35, 45, 60, 80]
    r3h: [55, 75, 100, 120]
    r6h: [70, 95, 120, 150]
    r12h: [85, 110, 140, 175]
    r24h: [100, 130, 160, 200]
  lower: {{when: r3h < 30, for: 1h, to: computed}}
  no_data: {{after: 20m, grade: hold, tell: duty-room}}
  quality: {{range: [0, 30]}}
"""


def stations(count: int) -> list[str]:
    """Names of gauges, eight digits each."""
    return [f"{43_000_000 + n:08d}" for n in range(count)]


def rain(number: int, side: int, step: int) -> float:
    """Rain of one gauge in one step, in mm, in tenths."""
    x, y = (number % side) / side, (number // side) / side
    total = 0.0
    for x0, y0, dx, dy, radius, peak in _CELLS:
        away = ((x - x0 - dx * step) ** 2 + (y - y0 - dy * step) ** 2) / (radius * radius)
        total += peak * max(0.0, 1.0 - away)
    return round(total, 1)


def rain_of_a_day(number: int, side: int, step: int) -> float:
    """The same for 24 hours: the cells come back from the other side, weaker, and every gauge lies in the way of one."""
    x, y = (number % side) / side, (number // side) / side
    total = 0.0
    for x0, y0, dx, dy, radius, peak in _CELLS:
        dx_s, dy_s = (x - x0 - dx * step) % 2.2 - 1.1, (y - y0 - dy * step) % 2.2 - 1.1
        away = (dx_s * dx_s + dy_s * dy_s) / (radius * radius * _WIDER)
        if away < 1.0:
            total += peak * (1.0 - away) * _OF_THE_DAY
    return round(total, 1)


def steps(count: int, length: int, rain_at: RainAt = rain) -> Iterator[tuple[datetime, list[tuple[str, float]]]]:
    """Each step's time and the readings of all gauges at it."""
    names = stations(count)
    side = max(1, int(count**0.5))
    for step in range(length):
        at = START + timedelta(seconds=STEP_S * (step + 1))
        yield at, [(name, rain_at(n, side, step)) for n, name in enumerate(names)]


def line(station: str, value: float, at: datetime) -> bytes:
    """One reading as JSON, 150 bytes with its line end."""
    text = f'{{"station":"{station}","variable":"rain","value":{value},"unit":"mm","time":"{at.isoformat()}"'
    plain = f'{text},"id":"{station}-{at.timestamp():.0f}"'
    return f"{plain}{' ' * (LINE_BYTES - len(plain) - 2)}}}\n".encode()


def batches(count: int, length: int, size: int, rain_at: RainAt = rain) -> list[tuple[datetime, bytes]]:
    """JSON lines, ``size`` to a batch, each with the time it arrives at."""
    found: list[tuple[datetime, bytes]] = []
    for at, readings in steps(count, length, rain_at):
        lines = [line(station, value, at) for station, value in readings]
        found.extend((at, b"".join(lines[n : n + size])) for n in range(0, len(lines), size))
    return found
