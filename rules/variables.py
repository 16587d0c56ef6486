"""What the known variables are called and measured in, for people. An unknown variable goes by its own name, without a unit."""

from typing import NamedTuple

from rules.inputs import Input, Op


class Variable(NamedTuple):
    """Names of a variable in both languages and its canonical unit; ``adds`` when its values add up over time."""

    zh: str
    en: str
    unit: str
    adds: bool = False


_KNOWN = {
    "rain": Variable("雨量", "rain", "mm", adds=True),
    "snow": Variable("降雪量（水当量）", "snow (water equivalent)", "mm", adds=True),
    "level": Variable("水位", "water level", "m"),
    "discharge": Variable("流量", "discharge", "m³/s"),
    "inflow": Variable("入库流量", "inflow", "m³/s"),
    "ponding": Variable("积水深度", "ponding depth", "m"),
    "soil_moisture": Variable("土壤饱和度", "soil saturation", ""),
    "displacement": Variable("位移", "displacement", "mm"),
    "wind_speed": Variable("平均风速", "wind speed", "m/s"),
    "wind_gust": Variable("阵风", "gust", "m/s"),
    "temperature": Variable("气温", "temperature", "°C"),
    "ground_temperature": Variable("地面温度", "ground temperature", "°C"),
    "road_temperature": Variable("路面温度", "road temperature", "°C"),
    "humidity": Variable("相对湿度", "relative humidity", "%"),
    "visibility": Variable("能见度", "visibility", "m"),
    "pm25": Variable("PM2.5浓度", "PM2.5", "µg/m³"),
    "fire_danger": Variable("森林火险等级", "forest fire danger class", ""),
    "lightning": Variable("闪电次数", "lightning strokes", "", adds=True),
    "hail": Variable("冰雹直径", "hail", "mm"),
    "drought_index": Variable("干旱指数", "drought index", ""),
    "gas_lel": Variable("可燃气体浓度", "combustible gas", "%LEL"),
    "h2s": Variable("硫化氢浓度", "hydrogen sulphide", "ppm"),
}


def variable(name: str) -> Variable:
    """What to call a variable."""
    return _KNOWN.get(name) or Variable(name, name.replace("_", " "), "")


def unit_of(one: Input) -> str:
    """The unit of an input; counts, probabilities and derived values have none."""
    if one.each or one.op in (Op.COUNT, Op.FC_PROB, Op.FC_RUNS, Op.DERIVED):
        return ""
    if one.op is Op.FC_LEAD:
        return "h"
    known = variable(one.variable).unit
    return f"{known}/d" if one.op is Op.SLOPE else known
