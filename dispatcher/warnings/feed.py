"""The lines of the live stream, in both languages."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from dispatcher.house import House
from dispatcher.model.answer import Answer, Said
from dispatcher.model.cap import CapAlert
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import Notice
from dispatcher.model.proposal import Entry, Proposal
from dispatcher.model.task import FeedKind, FeedLine, Task
from dispatcher.model.warning import Alert, MessageType, Warning
from dispatcher.warnings.upstream import Outcome, Understood
from rules.apart import Apart
from rules.change import Change
from rules.grade import Grade
from rules.sentence import sentence

_ZH = {Grade.NONE: "无", Grade.BLUE: "蓝色", Grade.YELLOW: "黄色", Grade.ORANGE: "橙色", Grade.RED: "红色"}
_SAID = {
    Said.RECEIVED: ("收到", "received"),
    Said.EVACUATING: ("正在转移", "moving"),
    Said.EVACUATED: ("已转移", "moved"),
    Said.HELP: ("求助", "asks for help"),
    Said.REFUSED: ("不能转移", "refuses"),
}
_MESSAGE = {MessageType.ALERT: ("发布", "issued"), MessageType.UPDATE: ("更新", "updated"), MessageType.CANCEL: ("解除", "lifted")}
_LANGUAGES: Final = ("zh", "en")


def change_line(house: House, change: Change) -> FeedLine:
    """A place changed grade."""
    zh, en = (sentence(change, lang, house.registry.name_of(change.place, lang)) for lang in _LANGUAGES)
    return _line(house, change.decided_at, FeedKind.CHANGE, change.after, change.place, zh, en)


def alert_line(house: House, alert: Alert, warning: Warning) -> FeedLine:
    """An alert left the house."""
    verb_zh, verb_en = _MESSAGE[alert.message_type]
    grades = sorted(Counter(Grade(now) for _, _, now in alert.places).items(), reverse=True)
    counts_zh = "，".join(f"{_ZH[g]}{n}村" if g else f"解除{n}村" for g, n in grades)
    counts_en = ", ".join(f"{n} {g.word}" if g else f"{n} lifted" for g, n in grades)
    words_zh, words_en = (_hazard(house, warning.hazard, lang) for lang in _LANGUAGES)
    area_zh, area_en = _names(house, warning.area)
    zh = f"{area_zh}{verb_zh}{words_zh}预警：{counts_zh}"
    en = f"{area_en}: {words_en} warning {verb_en}: {counts_en} (villages)"
    return _line(house, alert.sent_at, FeedKind.ALERT, grades[0][0], warning.id, zh, en)


_UPSTREAM = {
    Outcome.HEARD: ("已接收，涉及本县{n}村", "taken in, concerns {n} villages"),
    Outcome.CANCELLED: ("已解除，涉及本县{n}村", "cancelled, concerns {n} villages"),
    Outcome.NOT_PUBLIC: ("非公开信息，请人工处理", "not public: a person must look"),
    Outcome.OLDER: ("晚到的旧信息，未采用", "came after a newer one, not used"),
    Outcome.EXPIRED: ("收到时已过期，未采用", "had expired when it came, not used"),
    Outcome.UNKNOWN_HAZARD: ("灾种无法识别，请人工处理", "of an unknown kind: a person must look"),
    Outcome.UNKNOWN_GRADE: ("级别无法识别，请人工处理", "of an unknown grade: a person must look"),
}


def upstream_line(house: House, alert: CapAlert, understood: Understood, now: datetime) -> FeedLine:
    """An upper level or a neighbour has said something."""
    villages = {s.village for s in understood.sayings}
    grade = max((s.grade for s in understood.sayings), default=Grade.NONE)
    info = alert.infos[0] if alert.infos else None
    what = (info.headline or info.event if info else "") or alert.identifier
    who = (info.sender_name if info else "") or alert.sender
    zh, en = (text.format(n=len(villages)) for text in _UPSTREAM[understood.outcome])
    return _line(house, now, FeedKind.WARNING, grade, alert.identifier, f"{who}：{what}（{zh}）", f"{who}: {what} ({en})")


def renewal_line(house: House, alert: Alert, warning: Warning) -> FeedLine:
    """What is in force holds on."""
    words_zh, words_en = (_hazard(house, warning.hazard, lang) for lang in _LANGUAGES)
    area_zh, area_en = _names(house, warning.area)
    zh, en = (
        f"{area_zh}继续发布{words_zh}预警：{len(alert.places)}村",
        f"{area_en}: {words_en} warning renewed for {len(alert.places)} villages",
    )
    return _line(house, alert.sent_at, FeedKind.ALERT, warning.grade, warning.id, zh, en)


_PROPOSED = {
    "proposed": ("待签发", "awaits release"),
    "amended": ("待签发内容已更新", "awaiting release, amended"),
    "paged": ("逾时未签发，请立即处理", "still awaits release, decide now"),
    "approved": ("已同意，待复核", "agreed to, a second person must"),
    "released": ("已签发", "released"),
    "refused": ("不予签发", "refused"),
    "dropped": ("逾时未签发，已撤下", "not released in time, dropped"),
    "stale": ("签发前已过期，未发出", "expired before release, not said"),
}


def proposal_line(house: House, proposal: Proposal, act: str, now: datetime, by: str = "", entries: Sequence[Entry] = ()) -> FeedLine:
    """Something waits for release, or what became of it; ``entries`` are those it is about, default all."""
    about = entries or proposal.entries
    grades = sorted(Counter(e.saying.grade for e in about).items(), reverse=True)
    counts_zh = "，".join(f"{_ZH[g]}{n}村" if g else f"解除{n}村" for g, n in grades)
    counts_en = ", ".join(f"{n} {g.word}" if g else f"{n} lifted" for g, n in grades)
    (area_zh, area_en), (said_zh, said_en) = _names(house, proposal.area), _PROPOSED[act]
    words_zh, words_en = (_hazard(house, proposal.hazard, lang) for lang in _LANGUAGES)
    zh = f"{area_zh}{words_zh}预警{said_zh}" + (f"（{by}）" if by else "") + (f"：{counts_zh}" if about else "")
    en = f"{area_en}: {words_en} warning {said_en}" + (f" by {by}" if by else "") + (f": {counts_en} (villages)" if about else "")
    return _line(house, now, FeedKind.PROPOSAL, grades[0][0] if grades else Grade.NONE, proposal.id, zh, en)


def answer_line(house: House, answer: Answer, notice: Notice) -> FeedLine:
    """A village answered."""
    said_zh, said_en = _SAID[answer.action]
    zh, en = _names(house, answer.village)
    who = house.registry.contacts.get(answer.person)
    person_zh = who.name if who else answer.on_behalf_by
    person_en = (who.name_en or who.name) if who else answer.on_behalf_by
    people_zh = f" {answer.people} 人" if answer.people is not None else ""
    people_en = f" {answer.people} people" if answer.people is not None else ""
    text_zh, text_en = f"{zh} {person_zh}：{said_zh}{people_zh}", f"{en}, {person_en}: {said_en}{people_en}"
    return _line(house, answer.at, FeedKind.ANSWER, notice.grade, answer.village, text_zh, text_en)


def escalation_line(house: House, notice: Notice, roles: tuple[str, ...], now: datetime) -> FeedLine:
    """A village has not answered in time and the next people are called."""
    zh, en = _names(house, notice.village)
    listed = ", ".join(roles)
    text_zh, text_en = f"{zh} 未应答，升级叫应：{listed}", f"{en} has not answered, now calling: {listed}"
    return _line(house, now, FeedKind.ESCALATION, notice.grade, notice.village, text_zh, text_en)


def failure_line(house: House, delivery: Delivery) -> FeedLine:
    """A delivery will not reach its address."""
    zh, en = _names(house, delivery.village)
    text_zh = f"{zh} {delivery.channel} 未送达（{delivery.code}）"
    text_en = f"{en}: {delivery.channel} did not arrive ({delivery.code})"
    return _line(house, delivery.updated_at, FeedKind.FAILURE, delivery.grade, delivery.village, text_zh, text_en)


def task_line(house: House, task: Task) -> FeedLine:
    """The duty room has something to do."""
    return _line(house, task.opened_at, FeedKind.TASK, Grade.NONE, task.village, task.text_zh, task.text_en)


def rules_line(house: House, actor: str, differences: Sequence[Apart], now: datetime) -> FeedLine:
    """Another version of the rules decides."""
    up, places = sum(a.new > a.old for a in differences), len({a.place for a in differences})
    count = len(differences)
    zh = f"启用新规则（{actor}）：与过去一天相比，{places} 处共 {count} 次不同（{up} 次更高）"
    en = f"new rules are in force ({actor}): over the last day {count} differences at {places} places, {up} of them higher"
    return _line(house, now, FeedKind.RULES, Grade.NONE, "", zh, en)


def _line(house: House, at: datetime, kind: FeedKind, grade: Grade, subject: str, zh: str, en: str) -> FeedLine:
    return FeedLine(county=house.county, status=house.status, at=at, kind=kind, grade=grade, subject=subject, text_zh=zh, text_en=en)


def _names(house: House, code: str) -> tuple[str, str]:
    return house.registry.name_of(code, "zh"), house.registry.name_of(code, "en")


def _hazard(house: House, hazard: str, language: str) -> str:
    """The word for a hazard; its code where the county has no texts in that language."""
    words = house.templates.words.get(language)
    return words.hazards.get(hazard, hazard) if words else hazard
