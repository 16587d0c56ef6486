"""What the known variables are called and measured in, for people. An unknown variable goes by its own name, without a unit."""

from typing import NamedTuple

from rules.model import Op


class Variable(NamedTuple):
    """Names of a variable in both languages and its canonical unit."""

    zh: str
    en: str
    unit: str


_KNOWN = {
    "rain": Variable("雨量", "rain", "mm"),
    "level": Variable("水位", "water level", "m"),
    "discharge": Variable("流量", "discharge", "m³/s"),
    "soil_moisture": Variable("土壤饱和度", "soil moisture", ""),
    "displacement": Variable("位移", "displacement", "mm"),
    "wind_speed": Variable("风速", "wind speed", "m/s"),
    "temperature": Variable("气温", "temperature", "°C"),
}


def variable(name: str) -> Variable:
    """What to call a variable."""
    return _KNOWN.get(name) or Variable(name, name.replace("_", " "), "")


def unit(op: Op, name: str) -> str:
    """The unit of an input; a count has none."""
    return "" if op is Op.COUNT else variable(name).unit
