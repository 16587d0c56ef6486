"""One plain sentence per change for officials, in Chinese or English, from the same record."""

import re
from typing import Literal

from rules.change import Change, Evidence
from rules.duration import seconds
from rules.grade import Grade
from rules.variables import variable

Language = Literal["zh", "en"]
_ZH = {Grade.NONE: "无预警", Grade.BLUE: "蓝色（Ⅳ级）", Grade.YELLOW: "黄色（Ⅲ级）", Grade.ORANGE: "橙色（Ⅱ级）", Grade.RED: "红色（Ⅰ级）"}
_HAZARDS_ZH = {
    "flash-flood": "山洪", "river-flood": "河道洪水", "rainstorm": "暴雨", "landslide": "滑坡", "debris-flow": "泥石流",
    "waterlogging": "城市内涝", "forest-fire": "森林火险", "gale": "大风", "dam-break": "溃坝",
}  # fmt: skip
_PHRASES: dict[str, tuple[str, str]] = {
    "sum": ("{w}{zh}", "{w} {en}"), "max": ("{w}最高{zh}", "highest {en} in {w}"), "min": ("{w}最低{zh}", "lowest {en} in {w}"),
    "mean": ("{w}平均{zh}", "mean {en} over {w}"), "change": ("{w}{zh}变化", "change of {en} in {w}"),
    "count": ("{w}{zh}数据条数", "readings of {en} in {w}"), "latest": ("{zh}", "{en}"),
}  # fmt: skip
_CALL = re.compile(r"(\w+)\s*\(\s*(\w+)\s*(?:,\s*(\w+)\s*)?")
_UNITS = {"d": ("天", "d"), "h": ("小时", "h"), "m": ("分钟", "min"), "s": ("秒", "s")}


def sentence(change: Change, language: Language, place_name: str) -> str:
    """What happened to a place and why; for example ``Upper Ford: 3 h rain 101.4 mm (orange from 100 mm): …``."""
    return _zh(change, place_name) if language == "zh" else _en(change, place_name)


def _zh(change: Change, place: str) -> str:
    hazard = _HAZARDS_ZH.get(change.hazard, change.hazard)
    first = change.because[0].row if change.because else ""
    move = f"{hazard}预警由{_ZH[change.before]}{_verb_zh(change)}{_ZH[change.after]}"
    if first == "lift":
        return f"{place}：值班人员解除，{move}。"
    if first == "no_data":
        return f"{place}：已{change.because[0].value:.0f}分钟没有数据，按规则{move}，请核实现场情况。"
    why = "，".join(_row(e, "zh") for e in change.because)
    late = f"（依据迟到{change.late_by.total_seconds() / 60:.0f}分钟的数据）" if change.late_by else ""
    missing = "（部分数据缺失）" if change.incomplete else ""
    return f"{place}：{why}，{move}{late}{missing}。"


def _en(change: Change, place: str) -> str:
    hazard = change.hazard.replace("-", " ")
    first = change.because[0].row if change.because else ""
    verb = "raised" if change.after > change.before else "lowered"
    move = f"{hazard} warning {verb} from {change.before.word} to {change.after.word}"
    if first == "lift":
        return f"{place}: {move} by a duty officer."
    if first == "no_data":
        return f"{place}: no data for {change.because[0].value:.0f} minutes, {move} as the rule says; please check the site."
    why = ", ".join(_row(e, "en") for e in change.because)
    late = f" (from data {change.late_by.total_seconds() / 60:.0f} minutes late)" if change.late_by else ""
    missing = " (some data missing)" if change.incomplete else ""
    return f"{place}: {why}: {move}{late}{missing}."


def _verb_zh(change: Change) -> str:
    return "升为" if change.after > change.before else "降为"


def _row(e: Evidence, language: Language) -> str:
    """One row in words: what was measured and what it was held against."""
    written = dict(e.inputs)
    if e.thresholds:
        limit = e.thresholds[min(e.met, len(e.thresholds)) - 1]
        grade = _ZH[e.met] if language == "zh" else e.met.word
        held = f"达到{grade}阈值{limit:g}{e.unit}" if language == "zh" else f"({grade} from {_quantity(limit, e.unit)})"
        value = _value(written.get(e.row, e.row), e.value, language)
        return f"{value}，{held}" if language == "zh" else f"{value} {held}"
    seen = [_value(written[n], v, language) for n, v in e.values if n in written]
    lowering = e.row == "lower"
    if language == "zh":
        return "，".join(seen) + ("，已满足下调条件" if lowering else f"，达到{_ZH[e.met]}条件")
    return ", ".join(seen) + (" (condition for lowering holds)" if lowering else f" ({e.met.word} condition)")


def _value(written: str, value: float, language: Language) -> str:
    call = _CALL.match(written)
    if call is None:
        return f"{written} {value:g}"
    op, name, window = call.groups()
    known = variable(name)
    zh, en = _PHRASES.get(op, ("{zh}", "{en}"))
    unit = "" if op == "count" else known.unit
    if language == "zh":
        return zh.format(w=_window(window, 0), zh=known.zh) + f"{value:.10g}{unit}"
    return en.format(w=_window(window, 1), en=known.en) + f" {_quantity(value, unit)}"


def _quantity(value: float, unit: str) -> str:
    return f"{value:.10g} {unit}".rstrip()


def _window(text: str | None, language: int) -> str:
    if not text:
        return ""
    length_s = seconds(text)
    letter, size = next((u, s) for u, s in (("h", 3600), ("m", 60), ("s", 1)) if length_s % s == 0)
    return f"{length_s // size}{'' if language == 0 else ' '}{_UNITS[letter][language]}"
