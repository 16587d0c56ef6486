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
            units={"m": _SAME, "米": _SAME, "cm": Conversion(1.0, 100.0), "mm": Conversion(1.0, 1000.0), "ft": Conversion(0.3048)},
        ),
        Variable(
            name="discharge",
            unit="m3/s",
            low=-900.0,
            high=400_000.0,
            units={
                "m3/s": _SAME,
                "m³/s": _SAME,
                "立方米/秒": _SAME,
                "l/s": Conversion(1.0, 1000.0),
                "L/s": Conversion(1.0, 1000.0),
                "cfs": Conversion(0.028316846592),
                "ft3/s": Conversion(0.028316846592),
            },
        ),
        Variable(
            name="temperature",
            unit="degC",
            low=-90.0,
            high=65.0,
            units={
                "degC": _SAME,
                "°C": _SAME,
                "Cel": _SAME,
                "K": Conversion(plus=-273.15),
                "degF": Conversion(5.0, 9.0, -160.0 / 9.0),
            },
        ),
        Variable(
            name="soil_moisture",
            unit="%",
            low=0.0,
            high=100.0,
            units={"%": _SAME, "m3/m3": Conversion(100.0)},
        ),
        Variable(
            name="wind_speed",
            unit="m/s",
            low=0.0,
            high=150.0,
            units={"m/s": _SAME, "km/h": Conversion(1.0, 3.6), "kn": Conversion(1852.0, 3600.0)},
        ),
    )
}
