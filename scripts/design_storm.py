"""The storm of the sample county: a design storm, synthetic. No such storm was ever observed.

Rain at the storm's core follows the Chicago hyetograph (C. J. Keifer and H. H. Chu, "Synthetic storm pattern for drainage
design", Journal of the Hydraulics Division, ASCE, 83(HY4), 1957): an intensity-duration curve i = a / (t + b)^c is laid out
so that every duration around the peak has exactly its design depth. The storm then moves over the county: a gauge gets the
same pattern later, by the distance along the track, and less, by the distance from the track. Rivers answer as a linear
reservoir (outflow = storage / K), turned into a level by Manning's equation for a wide rectangular bed.

Everything is a pure function of the tables below; there is no chance in it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from math import cos, exp, radians, sin

START = datetime(2026, 7, 20, 14, 0, tzinfo=timezone(timedelta(hours=8)))
STEP = timedelta(minutes=5)
STEPS = 78  # 6.5 h

# The storm at its core.
RAIN_MIN = 150  # minutes of rain
PEAK_AT = 0.10  # share of that time before the peak: a storm that breaks at once
IDF_A, IDF_B, IDF_C = 46.0, 18.0, 0.74  # mm/min and min: 110 mm in 1 h, 156 mm in 150 min

# Its track: where it enters, where it goes, how wide it is.
ENTRY = (26.385, 111.300)  # over the upper Shitan valley
SPEED_KM_PER_MIN = 0.55
TRACK_BEARING = 105.0
WIDTH_KM = 9.0  # at this distance from the track, 61 % of the rain (exp(-1/2))
MEMORY_KM = 34.0  # along the track the rain dies down to 37 % over this distance

RUNOFF = 0.62  # share of rain that runs off wet ground
BASE_MM_PER_H = 0.35  # flow before the storm, as runoff
ROUGHNESS = 0.045
SLOPE = 0.006
KM_PER_DEGREE = 111.2


@dataclass(frozen=True)
class Gauge:
    """A rain gauge."""

    id: str
    lat: float
    lon: float


@dataclass(frozen=True)
class River:
    """A level station below the mean rain of ``gauges`` on ``area_km2``; ``zero_m`` is the level of the bed."""

    id: str
    lat: float
    lon: float
    gauges: tuple[str, ...]
    area_km2: float
    storage_h: float
    delay_min: int
    zero_m: float
    width_m: float


def chicago_depth(minute: float) -> float:
    """Millimetres that have fallen at the core, ``minute`` minutes after the rain began (Keifer and Chu, in closed form)."""
    peak = PEAK_AT * RAIN_MIN
    minute = min(max(minute, 0.0), float(RAIN_MIN))
    if minute <= peak:
        return PEAK_AT * (idf_depth(RAIN_MIN) - idf_depth((peak - minute) / PEAK_AT))
    return PEAK_AT * idf_depth(RAIN_MIN) + (1 - PEAK_AT) * idf_depth((minute - peak) / (1 - PEAK_AT))


def idf_depth(minutes: float) -> float:
    """The greatest rain of that many minutes, mm."""
    return float(IDF_A * minutes / (minutes + IDF_B) ** IDF_C)


def share_and_delay(lat: float, lon: float) -> tuple[float, float]:
    """How much of the core's rain falls at a place, and how many minutes later than at the entry."""
    north = (lat - ENTRY[0]) * KM_PER_DEGREE
    east = (lon - ENTRY[1]) * KM_PER_DEGREE * cos(radians(ENTRY[0]))
    turn = radians(90 - TRACK_BEARING)
    along = east * cos(turn) + north * sin(turn)
    aside = -east * sin(turn) + north * cos(turn)
    return exp(-0.5 * (aside / WIDTH_KM) ** 2 - max(along, 0.0) / MEMORY_KM), max(along, 0.0) / SPEED_KM_PER_MIN


def rain_of(gauge: Gauge) -> list[float]:
    """Rain of each step at a gauge, in tenths of a millimetre as a tipping bucket counts: what is left over tips later."""
    share, delay = share_and_delay(gauge.lat, gauge.lon)
    minutes = STEP / timedelta(minutes=1)
    tipped = [round(share * chicago_depth((n + 1) * minutes - delay) * 10) for n in range(-1, STEPS)]
    return [(after - before) / 10 for before, after in pairwise(tipped)]


def level_of(river: River, rain: dict[str, list[float]]) -> list[float]:
    """Level of each step, m: a linear reservoir fed by the runoff of the mean rain, read off as Manning's depth."""
    hours = STEP / timedelta(hours=1)
    keep = exp(-hours / river.storage_h)
    late = river.delay_min // int(STEP / timedelta(minutes=1))
    flow = BASE_MM_PER_H
    levels: list[float] = []
    for n in range(STEPS):
        fell = sum(rain[g][n - late] for g in river.gauges) / len(river.gauges) if n >= late else 0.0
        flow = flow * keep + (BASE_MM_PER_H + RUNOFF * fell / hours) * (1 - keep)
        discharge = flow * river.area_km2 / 3.6  # m3/s
        depth = (discharge * ROUGHNESS / (river.width_m * SLOPE**0.5)) ** 0.6
        levels.append(round(river.zero_m + depth, 2))
    return levels


def storm_rows(gauges: Sequence[Gauge], rivers: Sequence[River]) -> Iterator[tuple[str, str, str, str, str]]:
    """Rows station, variable, value, unit, time, in order of time."""
    rain = {gauge.id: rain_of(gauge) for gauge in gauges}
    level = {river.id: level_of(river, rain) for river in rivers}
    for n in range(STEPS):
        time = (START + (n + 1) * STEP).isoformat()
        for gauge in gauges:
            yield gauge.id, "rain", f"{rain[gauge.id][n]:.1f}", "mm", time
        for river in rivers:
            yield river.id, "level", f"{level[river.id][n]:.2f}", "m", time
