"""The remarks of the engine, in words for the duty room. None of them is a reason to clear anything."""

from datetime import datetime

from rules.change import Remark, RemarkKind
from rules.ladder import Ladder
from rules.model import Silence
from rules.series import Series
from rules.variables import variable

_SILENCE = {
    Silence.HOLD: ("级别保持不变", "the grade is kept"),
    Silence.EXPIRE: ("该站级别按规则撤销", "its grade is withdrawn as the rule says"),
    Silence.RAISE: ("级别按规则上调一级", "its grade goes up by one as the rule says"),
}


def no_data(ladder: Ladder, silent_s: int, now: datetime) -> Remark:
    """A place has gone silent."""
    zh, en = _SILENCE[ladder.rule.no_data.grade]
    minutes = silent_s // 60
    return Remark(
        key=f"no_data/{ladder.rule.name}/{ladder.place}/{ladder.silences}", kind=RemarkKind.NO_DATA, rule=ladder.rule.name,
        place=ladder.place, at=now, text_zh=f"{ladder.place} 已 {minutes} 分钟没有数据；{zh}，请核实现场情况。",
        text_en=f"{ladder.place} has sent nothing for {minutes} minutes; {en}. Please check the site.",
    )  # fmt: skip


def data_back(ladder: Ladder, now: datetime) -> Remark:
    """A silent place reports again."""
    return Remark(
        key=f"data_back/{ladder.rule.name}/{ladder.place}/{ladder.silences}", kind=RemarkKind.DATA_BACK, rule=ladder.rule.name,
        place=ladder.place, at=now, text_zh=f"{ladder.place} 数据已恢复。", text_en=f"{ladder.place} reports again.",
    )  # fmt: skip


def suspect(series: Series, value: float, quality: str, now: datetime) -> Remark:
    """A value is not used because it cannot be trusted."""
    name = variable(series.variable)
    bounds = f"{series.low:g} – {series.high:g}"
    zh = f"超出可信范围 {bounds}" if quality == "good" else f"被标记为“{quality}”"
    en = f"lies outside {bounds}" if quality == "good" else f"is marked {quality!r}"
    return _of_series(
        series, RemarkKind.SUSPECT, now, f"{series.station} 的{name.zh} {value:g}{name.unit} {zh}，未采用，请核实。",
        f"{name.en} {value:g} {name.unit} of {series.station} {en}; it is not used. Please check.",
    )  # fmt: skip


def clock(series: Series, ahead_s: int, now: datetime) -> Remark:
    """A station's clock runs ahead; its readings are set aside."""
    minutes = ahead_s // 60
    return _of_series(
        series, RemarkKind.CLOCK, now, f"{series.station} 的时钟快 {minutes} 分钟，其数据未采用，请校时。",
        f"the clock of {series.station} is {minutes} minutes ahead; its readings are not used. Please set it.",
    )  # fmt: skip


def late(series: Series, late_s: int, now: datetime) -> Remark:
    """A reading came too late to matter to any window."""
    minutes = late_s // 60
    return _of_series(
        series, RemarkKind.LATE, now, f"{series.station} 的一条数据迟到 {minutes} 分钟，超出时限，未采用。",
        f"a reading of {series.station} came {minutes} minutes late, beyond every window; it is not used.",
    )  # fmt: skip


def _of_series(series: Series, kind: RemarkKind, now: datetime, text_zh: str, text_en: str) -> Remark:
    rule = series.ladders[0].rule.name
    key = f"{kind.value}/{rule}/{series.station}/{series.variable}/{series.spell}"
    return Remark(key=key, kind=kind, rule=rule, place=series.station, at=now, text_zh=text_zh, text_en=text_en)
