"""One plain sentence per change for officials, in Chinese or English, from the same record."""

from rules.change import Change, Evidence
from rules.grade import Grade
from rules.phrase import Language, phrase, quantity
from rules.remarks import WHY

_ZH = {Grade.NONE: "无预警", Grade.BLUE: "蓝色（Ⅳ级）", Grade.YELLOW: "黄色（Ⅲ级）", Grade.ORANGE: "橙色（Ⅱ级）", Grade.RED: "红色（Ⅰ级）"}
HAZARDS_ZH = {
    "flash-flood": "山洪", "river-flood": "河道洪水", "rainstorm": "暴雨", "landslide": "滑坡", "debris-flow": "泥石流",
    "waterlogging": "城市内涝", "forest-fire": "森林火险", "gale": "大风", "dam-break": "溃坝",
    "reservoir-flood": "水库洪水", "gas-leak": "气体泄漏", "typhoon": "台风", "snowstorm": "暴雪", "cold-wave": "寒潮",
    "sand-dust": "沙尘暴", "heat": "高温", "drought": "干旱", "lightning": "雷电", "hail": "冰雹", "frost": "霜冻",
    "fog": "大雾", "haze": "霾", "road-ice": "道路结冰", "thunder-gale": "雷雨大风",
}  # fmt: skip


def sentence(change: Change, language: Language, place_name: str) -> str:
    """What happened to a place and why; for example ``Upper Ford: 3 h rain 101.4 mm (orange from 100 mm): …``."""
    return _zh(change, place_name) if language == "zh" else _en(change, place_name)


def _zh(change: Change, place: str) -> str:
    hazard = HAZARDS_ZH.get(change.hazard, change.hazard)
    first = change.because[0].row if change.because else ""
    move = f"{hazard}预警由{_ZH[change.before]}{_verb_zh(change)}{_ZH[change.after]}"
    if change.before is change.after:
        move = f"{hazard}预警维持{_ZH[change.after]}，比原先预计来得早"
    if first == "lift":
        return f"{place}：值班人员解除，{move}。"
    if first == "no_data":
        return f"{place}：已{change.because[0].value:.0f}分钟没有数据，按规则{move}，请核实现场情况。"
    why = "，".join(_row(e, "zh") for e in change.because)
    return f"{place}：{why}，{move}{_notes(change, 'zh')}。"


def _en(change: Change, place: str) -> str:
    hazard = change.hazard.replace("-", " ")
    first = change.because[0].row if change.because else ""
    verb = "raised" if change.after > change.before else "lowered"
    move = f"{hazard} warning {verb} from {change.before.word} to {change.after.word}"
    if change.before is change.after:
        move = f"{hazard} warning stays {change.after.word}, it is expected sooner"
    if first == "lift":
        return f"{place}: {move} by a duty officer."
    if first == "no_data":
        return f"{place}: no data for {change.because[0].value:.0f} minutes, {move} as the rule says; please check the site."
    why = ", ".join(_row(e, "en") for e in change.because)
    return f"{place}: {why}: {move}{_notes(change, 'en')}."


def lead(change: Change, language: Language) -> str:
    """How long it is until what a change warns of is expected, such as ``2 h 30 min``."""
    minutes = max(0, round(((change.onset or change.at) - change.at).total_seconds() / 60))
    parts = ((minutes // 60, "小时", " h"), (minutes % 60, "分钟", " min"))
    words = [f"{n}{zh if language == 'zh' else en}" for n, zh, en in parts if n]
    return ("" if language == "zh" else " ").join(words) or ("1分钟" if language == "zh" else "1 min")


def _verb_zh(change: Change) -> str:
    return "升为" if change.after > change.before else "降为"


def _row(e: Evidence, language: Language) -> str:
    """One row in words: what was measured and what it was held against."""
    written = dict(e.inputs)
    if e.row == "confirm":
        return "值班人员已确认" if language == "zh" else "confirmed by a duty officer"
    if e.thresholds:
        limit = e.thresholds[min(e.met, len(e.thresholds)) - 1]
        grade = _ZH[e.met] if language == "zh" else e.met.word
        held = f"达到{grade}阈值{limit:g}{e.unit}" if language == "zh" else f"({grade} from {quantity(limit, e.unit)})"
        value = phrase(e.row, written.get(e.row, e.row), e.value, language)
        return f"{value}，{held}" if language == "zh" else f"{value} {held}"
    seen = [phrase(n, written[n], v, language) for n, v in e.values if n in written]
    lowering = e.row == "lower"
    if language == "zh":
        return "，".join([*seen, "已满足下调条件" if lowering else f"达到{_ZH[e.met]}条件"])
    return ", ".join(seen) + (" (condition for lowering holds)" if lowering else f" ({e.met.word} condition)")


def _notes(change: Change, language: Language) -> str:
    """What else one must know: when it is expected; scaled numbers, late, missing and doubtful values, thin windows."""
    zh, found = language == "zh", []
    if change.onset:
        found.append(f"预计{lead(change, 'zh')}后达到" if zh else f"expected in {lead(change, 'en')}")
    if change.scale:
        seen = ", ".join(f"{n} {v:g}" for n, v in change.scale.values)
        found.append(f"阈值按{seen}乘以{change.scale.by:g}" if zh else f"thresholds times {change.scale.by:g} because of {seen}")
    if change.late_by:
        minutes = change.late_by.total_seconds() / 60
        found.append(f"依据迟到{minutes:.0f}分钟的数据" if zh else f"from data {minutes:.0f} minutes late")
    if change.incomplete:
        found.append("部分数据缺失" if zh else "some data missing")
    suspect = max((e.suspect for e in change.because), default=0)
    if suspect:
        words = dict.fromkeys(WHY[d][0 if zh else 1] for e in change.because for d in e.doubts if d in WHY)
        listed = ("、" if zh else "; ").join(words)
        found.append(f"{suspect}条可疑数据未采用：{listed}" if zh else f"{suspect} doubtful values not used: {listed}")
    return "".join(f"（{f}）" for f in found) if zh else "".join(f" ({f})" for f in found)
