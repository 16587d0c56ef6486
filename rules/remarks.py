"""The remarks of the engine, in words for the duty room. None of them is a reason to clear anything."""

from dataclasses import replace
from datetime import datetime

from rules.change import Remark, RemarkKind
from rules.forecast import Forecast
from rules.grade import Grade
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


WHY = {
    "range": ("超出可信范围", "lies outside what can be"),
    "step": ("变化过快", "has changed too fast"),
    "spike": ("突跳", "is a jump that nothing has confirmed yet"),
    "stuck": ("长时间不变", "has not changed for too long"),
    "neighbours": ("与邻近站不一致", "does not fit to the stations around"),
    "maintenance": ("为设备维护期间所测", "was taken during maintenance"),
    "fell": ("累计值回落", "is a running total that has fallen"),
    "suspect": ("被发送方标记为可疑", "is marked suspect by its sender"),
    "bad": ("被发送方标记为错误", "is marked bad by its sender"),
}
"""Why a value is not used, in words."""
_GRADES_ZH = {Grade.NONE: "无预警", Grade.BLUE: "蓝色", Grade.YELLOW: "黄色", Grade.ORANGE: "橙色", Grade.RED: "红色"}


def suspect(series: Series, value: float, why: str, reach: Grade, now: datetime) -> Remark:
    """A value is not used because it cannot be trusted; if it were true, it would ``reach`` this grade."""
    name = variable(series.variable)
    zh, en = WHY[why]
    if why == "range":
        zh, en = f"{zh} {series.checks.low:g} – {series.checks.high:g}", f"{en}, {series.checks.low:g} – {series.checks.high:g}"
    would_zh = f"若属实将达到{_GRADES_ZH[reach]}，请立即核实" if reach else "请核实"
    would_en = f"If it is true, it reaches {reach.word}: please check at once." if reach else "Please check."
    found = _of_series(
        series, RemarkKind.SUSPECT, now, f"{series.station} 的{name.zh} {value:g}{name.unit} {zh}，未采用，{would_zh}。",
        f"{name.en} {value:g} {name.unit}".rstrip() + f" of {series.station} {en}; it is not used. {would_en}",
    )  # fmt: skip
    # Another key than a doubt that would change nothing: this one must not hide behind a task that is open already.
    return replace(found, key=f"{found.key}/{reach.word}", grade=reach) if reach else found


def ask(ladder: Ladder, now: datetime) -> Remark:
    """The rule would lower the place, and a person must say so."""
    to = ladder.state.asked or Grade.NONE
    rule, place = ladder.rule.name, ladder.place
    return Remark(
        key=f"ask/{rule}/{place}/{ladder.episode}/{ladder.state.asks}", kind=RemarkKind.ASK, rule=rule, place=place, at=now, grade=to,
        text_zh=f"{place} 已满足下调条件，建议由{_GRADES_ZH[ladder.state.grade]}降为{_GRADES_ZH[to]}，请值班人员确认。",
        text_en=f"{place} meets the condition for lowering from {ladder.state.grade.word} to {to.word}. Please confirm.",
    )  # fmt: skip


def clock(series: Series, ahead_s: int, now: datetime) -> Remark:
    """A station's clock runs ahead; its readings are set aside."""
    minutes = ahead_s // 60
    return _of_series(
        series, RemarkKind.CLOCK, now, f"{series.station} 的时钟快 {minutes} 分钟，其数据未采用，请校时。",
        f"the clock of {series.station} is {minutes} minutes ahead; its readings are not used. Please set it.",
    )  # fmt: skip


def ahead(one: Forecast, rule: str, ahead_s: int, now: datetime) -> Remark:
    """A forecast that is issued in the future is set aside."""
    minutes = ahead_s // 60
    return Remark(
        key=f"clock/{rule}/{one.place}/{one.source}", kind=RemarkKind.CLOCK, rule=rule, place=one.place, at=now,
        text_zh=f"{one.source} 的预报发布时间快 {minutes} 分钟，未采用。",
        text_en=f"a forecast of {one.source} says it was issued {minutes} minutes from now; it is not used.",
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
