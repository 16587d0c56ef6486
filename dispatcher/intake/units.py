"""The variables the engine knows, their canonical units, and how other units become them.

A unit that is not listed is refused, never guessed. 变量、标准单位与换算。
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Conversion(NamedTuple):
    """``canonical = value × times ÷ over + plus``. Two whole numbers, because ÷ 100 is exact where × 0.01 is not."""

    times: float = 1.0
    over: float = 1.0
    plus: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One measurable quantity.

    ``low`` and ``high`` bound what can be real, in the canonical unit: outside lie the marks loggers write for
    "no value" (-999, 32767, …), which must never be added to a sum.
    """

    name: str
    unit: str
    low: float
    high: float
    units: Mapping[str, Conversion]


_SAME = Conversion()
_DEPTH = {"m": _SAME, "米": _SAME, "cm": Conversion(1.0, 100.0), "mm": Conversion(1.0, 1000.0), "ft": Conversion(0.3048)}
_FLOW = {
    "m3/s": _SAME,
    "m³/s": _SAME,
    "立方米/秒": _SAME,
    "l/s": Conversion(1.0, 1000.0),
    "L/s": Conversion(1.0, 1000.0),
    "cfs": Conversion(0.028316846592),
    "ft3/s": Conversion(0.028316846592),
}
_HEAT = {"degC": _SAME, "°C": _SAME, "Cel": _SAME, "K": Conversion(plus=-273.15), "degF": Conversion(5.0, 9.0, -160.0 / 9.0)}
_WIND = {"m/s": _SAME, "km/h": Conversion(1.0, 3.6), "kn": Conversion(1852.0, 3600.0)}

VARIABLES: Mapping[str, Variable] = {
    v.name: v
    for v in (
        Variable(
            name="rain",
            unit="mm",
            low=0.0,
            high=2000.0,
            units={"mm": _SAME, "毫米": _SAME, "cm": Conversion(10.0), "in": Conversion(25.4)},
        ),
        Variable(
            name="level",
            unit="m",
            low=-450.0,
            high=9000.0,
            units=_DEPTH,
        ),
        Variable(
            name="discharge",
            unit="m3/s",
            low=-900.0,
            high=400_000.0,
            units=_FLOW,
        ),
        Variable(name="inflow", unit="m3/s", low=-900.0, high=400_000.0, units=_FLOW),
        Variable(name="ponding", unit="m", low=0.0, high=50.0, units=_DEPTH),
        Variable(name="snow", unit="mm", low=0.0, high=2000.0, units={"mm": _SAME, "毫米": _SAME}),
        Variable(name="temperature", unit="degC", low=-90.0, high=65.0, units=_HEAT),
        Variable(name="ground_temperature", unit="degC", low=-90.0, high=90.0, units=_HEAT),
        Variable(name="road_temperature", unit="degC", low=-90.0, high=90.0, units=_HEAT),
        Variable(name="humidity", unit="%", low=0.0, high=110.0, units={"%": _SAME}),
        # How full the ground is: 1 is saturated.
        Variable(name="soil_moisture", unit="1", low=0.0, high=1.0, units={"1": _SAME, "%": Conversion(1.0, 100.0), "m3/m3": _SAME}),
        Variable(name="wind_speed", unit="m/s", low=0.0, high=150.0, units=_WIND),
        Variable(name="wind_gust", unit="m/s", low=0.0, high=200.0, units=_WIND),
        Variable(name="visibility", unit="m", low=0.0, high=200_000.0, units={"m": _SAME, "米": _SAME, "km": Conversion(1000.0)}),
        Variable(name="pm25", unit="ug/m3", low=0.0, high=10_000.0, units={"ug/m3": _SAME, "µg/m3": _SAME, "µg/m³": _SAME}),
        Variable(name="lightning", unit="1", low=0.0, high=1_000_000.0, units={"1": _SAME}),
        # The greatest diameter of the stones.
        Variable(name="hail", unit="mm", low=0.0, high=300.0, units={"mm": _SAME, "毫米": _SAME, "cm": Conversion(10.0)}),
        # MCI of GB/T 20481 or another standardized index: 0 is normal, below it is dry.
        Variable(name="drought_index", unit="1", low=-10.0, high=10.0, units={"1": _SAME}),
        Variable(name="fire_danger", unit="1", low=0.0, high=5.0, units={"1": _SAME}),
        Variable(
            name="displacement",
            unit="mm",
            low=-1_000_000.0,
            high=1_000_000.0,
            units={"mm": _SAME, "毫米": _SAME, "cm": Conversion(10.0), "m": Conversion(1000.0)},
        ),
        Variable(name="gas_lel", unit="%LEL", low=-5.0, high=110.0, units={"%LEL": _SAME}),
        Variable(name="h2s", unit="ppm", low=-5.0, high=10_000.0, units={"ppm": _SAME}),
    )
}
