"""The storm that every run of the harness feeds: two hours of recording that take each place through its grades and rivers back."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

START = datetime(2026, 7, 20, 6, 0, tzinfo=UTC)
STEP = timedelta(minutes=5)
STEPS = 24

#: mm in five minutes, from the moment the storm reaches a gauge: blue to red within half an hour, then a drizzle.
RAIN_MM = (2.0, 7.0, 12.0, 14.0, 18.0, 22.0, 11.0, 6.0, 2.0)
DRIZZLE_MM = 0.5
#: m in relation to the guard level (between warn and bank), from the moment the flood reaches a river gauge; then low water.
LEVEL_M = (-1.0, -0.6, 0.1, 1.6, 1.9, 0.4, -0.8, -1.9, -2.6)
LOW_WATER_M = -3.0
GUARD_M = {"990121Z11": 217.00, "990121Z21": 209.60, "990121Z31": 201.50, "990121Z01": 186.00}


class Route(StrEnum):
    """The way a station's readings take to the engine; all stations of one water take the same."""

    MQTT = "mqtt"
    KAFKA = "kafka"
    HTTP = "http"


ROUTE_OF_WATER = {"1": Route.MQTT, "2": Route.KAFKA, "3": Route.HTTP, "0": Route.MQTT}


@dataclass(frozen=True, slots=True)
class Sent:
    """One reading as its sensor sends it; ``id`` stands in the body and is found again in the engine's journal."""

    id: str
    route: Route
    station: str
    at: datetime
    body: bytes


def storm(steps: int = STEPS) -> list[Sent]:
    """All readings of the first so many steps in order of time."""
    rain = [f"990121R{water}{number}" for water in "123" for number in "1234"]
    sent = [_reading(station, "rain", _rain(row, step), step) for step in range(steps) for row, station in enumerate(rain)]
    sent += [_reading(station, "level", _level(row, step), step) for step in range(steps) for row, station in enumerate(GUARD_M)]
    return sorted(sent, key=lambda one: (one.at, one.station))


def _rain(row: int, step: int) -> float:
    since = step - 2 - row * 5 % 7
    if since < 0:
        return 0.0
    return RAIN_MM[since] if since < len(RAIN_MM) else DRIZZLE_MM


def _level(row: int, step: int) -> float:
    since = step - 3 - 2 * row
    offset = LEVEL_M[since] if 0 <= since < len(LEVEL_M) else LOW_WATER_M
    return round(list(GUARD_M.values())[row] + offset, 2)


def _reading(station: str, variable: str, value: float, step: int) -> Sent:
    at = START + step * STEP
    name = f"{station}-{step}"
    unit = "mm" if variable == "rain" else "m"
    body = {"station": station, "variable": variable, "value": value, "unit": unit, "time": at.isoformat(), "id": name}
    return Sent(name, ROUTE_OF_WATER[station[7]], station, at, json.dumps(body).encode())
