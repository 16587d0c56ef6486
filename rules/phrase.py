"""What an input is called in words, from the call as written: ``sum(rain, 3h, near=10km)`` → ``3 h rain within 10 km``."""

import re
from collections.abc import Mapping
from typing import Literal

from rules.call_text import Call, call, compared
from rules.duration import seconds
from rules.variables import Variable, variable

Language = Literal["zh", "en"]
_PHRASES: Mapping[str, tuple[str, str]] = {
    "sum": ("{w}{v}", "{w} {v}"), "max": ("{w}最高{v}", "highest {v} in {w}"), "min": ("{w}最低{v}", "lowest {v} in {w}"),
    "mean": ("{w}平均{v}", "mean {v} over {w}"), "median": ("{w}中位{v}", "median {v} over {w}"),
    "change": ("{w}{v}变化", "change of {v} in {w}"), "slope": ("{w}{v}速率", "rate of {v} over {w}"),
    "count": ("{w}{v}数据条数", "readings of {v} in {w}"), "latest": ("{v}", "{v}"),
    "fc_value": ("预报{w}{v}", "forecast {w} {v}"), "fc_prob": ("预报{w}{v}达到{a}的概率", "forecast probability of {a} {v} in {w}"),
    "fc_runs": ("连续预报{w}{v}达到{a}的次数", "forecasts in a row of {a} {v} in {w}"),
    "fc_lead": ("距预报{w}{v}达到{a}的时间", "time until forecast {w} {v} of {a}"),
}  # fmt: skip
_TAKES: Mapping[str, tuple[str, str]] = {
    "nearest": ("最近站", "nearest"), "highest": ("最高站", "highest"), "second_highest": ("第二高站", "second highest"),
    "mean": ("各站平均", "mean"), "lowest": ("最低站", "lowest"),
}  # fmt: skip
_UNITS: Mapping[str, tuple[str, str]] = {"h": ("小时", "h"), "m": ("分钟", "min"), "s": ("秒", "s")}
_NO_UNIT = ("count", "fc_prob", "fc_runs", "days")
_DISTANCE = re.compile(r"([\d.]+)(km|m)")


def phrase(name: str, written: str, value: float, language: Language) -> str:
    """An input with its value, such as ``3 h rain 101.4 mm``. Arithmetic goes by its ``name``."""
    found = _call(written)
    zh = language == "zh"
    if found is None:
        return f"{name} {value:.4g}"
    each = compared(found.args[0]) if found.args else None
    if each and found.op in ("count", "days"):
        return _counted(found, each, value, language)
    what = _words(found, language)
    if found.op == "fc_prob":
        return f"{what}{value:.0%}" if zh else f"{what} {value:.0%}"
    unit = _unit(found, language)
    number = f"{value:.10g}" if found.op != "slope" else f"{value:.4g}"
    return f"{what}{number}{unit}" if zh else f"{what} {number} {unit}".rstrip()


def quantity(value: float, unit: str) -> str:
    """A number with its unit."""
    return f"{value:.10g} {unit}".rstrip()


def _call(written: str) -> Call | None:
    try:
        found = call(written)
    except ValueError:
        return None
    return found if found and (found.op in _PHRASES or found.op == "days") else None


def _counted(found: Call, each: tuple[str, str, str], value: float, language: Language) -> str:
    inner = _call(each[0])
    what = _words(inner, language) if inner else each[0]
    if found.op == "days":
        return (
            f"{what}{each[1]}{each[2]}连续{value:.0f}天" if language == "zh" else f"{what} {each[1]} {each[2]} on {value:.0f} days in a row"
        )
    return f"{what}{each[1]}{each[2]}的站数{value:.0f}" if language == "zh" else f"{value:.0f} stations with {what} {each[1]} {each[2]}"


def _words(found: Call, language: Language) -> str:
    zh = language == "zh"
    known = variable(found.args[0])
    window = found.options.get("window") or next(iter(found.args[1:]), "")
    amount = f"{found.options.get('at_least', '')}{'' if zh else ' '}{known.unit}".rstrip()
    text = _PHRASES[found.op][0 if zh else 1].format(w=_window(window, language), v=known.zh if zh else known.en, a=amount)
    text = text.replace("  ", " ").removesuffix(" in ").removesuffix(" over ").strip()
    if "plus" in found.options:
        text = f"{text}（含预报）" if zh else f"{text} with forecast"
    if "take" in found.options and found.op == "fc_value":
        return text
    if "take" in found.options:
        text = f"{_TAKES[found.options['take']][0]}{text}" if zh else f"{_TAKES[found.options['take']][1]} {text}"
    return _around(found.options.get("near", ""), text, language)


def _around(near: str, text: str, language: Language) -> str:
    if near == "catchment":
        return f"流域内{text}" if language == "zh" else f"{text} in the catchment"
    distance = _DISTANCE.fullmatch(near)
    if not distance:
        return text
    length, unit = distance.groups()
    return f"{length}{'公里' if unit == 'km' else '米'}内{text}" if language == "zh" else f"{text} within {length} {unit}"


def _unit(found: Call, language: Language) -> str:
    known: Variable = variable(found.args[0])
    if found.op in _NO_UNIT:
        return ""
    if found.op == "fc_lead":
        return "小时" if language == "zh" else "h"
    if found.op == "slope":
        return f"{known.unit}/{'天' if language == 'zh' else 'd'}"
    return known.unit


def _window(text: str, language: Language) -> str:
    if not text:
        return ""
    n = 0 if language == "zh" else 1
    if text == "day":
        return ("当日", "today")[n]
    length_s = seconds(text)
    letter, size = next((u, s) for u, s in (("h", 3600), ("m", 60), ("s", 1)) if length_s % s == 0)
    return f"{length_s // size}{'' if language == 'zh' else ' '}{_UNITS[letter][n]}"
