"""The lines of the live stream, in both languages."""

from collections import Counter
from datetime import datetime

from dispatcher.house import House
from dispatcher.model.answer import Answer, Said
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import Notice
from dispatcher.model.task import FeedKind, FeedLine, Task
from dispatcher.model.warning import Alert, MessageType, Warning
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


def change_line(house: House, change: Change) -> FeedLine:
    """A place changed grade."""
    return FeedLine(
        county=house.county,
        status=house.status,
        at=change.decided_at,
        kind=FeedKind.CHANGE,
        grade=change.after,
        subject=change.place,
        text_zh=sentence(change, "zh", house.registry.name_of(change.place, "zh")),
        text_en=sentence(change, "en", house.registry.name_of(change.place, "en")),
    )


def alert_line(house: House, alert: Alert, warning: Warning) -> FeedLine:
    """An alert left the house."""
    verb_zh, verb_en = _MESSAGE[alert.message_type]
    grades = sorted(Counter(Grade(now) for _, _, now in alert.places).items(), reverse=True)
    counts_zh = "，".join(f"{_ZH[g]}{n}村" if g else f"解除{n}村" for g, n in grades)
    counts_en = ", ".join(f"{n} {g.word}" if g else f"{n} lifted" for g, n in grades)
    words_zh, words_en = (house.templates.words[lang].hazards.get(warning.hazard, warning.hazard) for lang in ("zh", "en"))
    area_zh, area_en = house.registry.name_of(warning.area, "zh"), house.registry.name_of(warning.area, "en")
    return FeedLine(
        county=house.county,
        status=house.status,
        at=alert.sent_at,
        kind=FeedKind.ALERT,
        grade=max(Grade(now) for _, _, now in alert.places),
        subject=warning.id,
        text_zh=f"{area_zh}{verb_zh}{words_zh}预警：{counts_zh}",
        text_en=f"{area_en}: {words_en} warning {verb_en}: {counts_en} (villages)",
    )


def answer_line(house: House, answer: Answer, notice: Notice) -> FeedLine:
    """A village answered."""
    said_zh, said_en = _SAID[answer.action]
    zh, en = house.registry.name_of(answer.village, "zh"), house.registry.name_of(answer.village, "en")
    who = house.registry.contacts.get(answer.person)
    person_zh = who.name if who else answer.on_behalf_by
    person_en = (who.name_en or who.name) if who else answer.on_behalf_by
    people_zh = f" {answer.people} 人" if answer.people is not None else ""
    people_en = f" {answer.people} people" if answer.people is not None else ""
    return FeedLine(
        county=house.county,
        status=house.status,
        at=answer.at,
        kind=FeedKind.ANSWER,
        grade=notice.grade,
        subject=answer.village,
        text_zh=f"{zh} {person_zh}：{said_zh}{people_zh}",
        text_en=f"{en}, {person_en}: {said_en}{people_en}",
    )


def escalation_line(house: House, notice: Notice, roles: tuple[str, ...], now: datetime) -> FeedLine:
    """A village has not answered in time and the next people are called."""
    zh, en = house.registry.name_of(notice.village, "zh"), house.registry.name_of(notice.village, "en")
    listed = ", ".join(roles)
    return FeedLine(
        county=house.county,
        status=house.status,
        at=now,
        kind=FeedKind.ESCALATION,
        grade=notice.grade,
        subject=notice.village,
        text_zh=f"{zh} 未应答，升级叫应：{listed}",
        text_en=f"{en} has not answered, now calling: {listed}",
    )


def failure_line(house: House, delivery: Delivery) -> FeedLine:
    """A delivery will not reach its address."""
    zh, en = house.registry.name_of(delivery.village, "zh"), house.registry.name_of(delivery.village, "en")
    return FeedLine(
        county=house.county,
        status=house.status,
        at=delivery.updated_at,
        kind=FeedKind.FAILURE,
        grade=delivery.grade,
        subject=delivery.village,
        text_zh=f"{zh} {delivery.channel} 未送达（{delivery.code}）",
        text_en=f"{en}: {delivery.channel} did not arrive ({delivery.code})",
    )


def task_line(house: House, task: Task) -> FeedLine:
    """The duty room has something to do."""
    return FeedLine(
        county=house.county,
        status=house.status,
        at=task.opened_at,
        kind=FeedKind.TASK,
        grade=Grade.NONE,
        subject=task.village,
        text_zh=task.text_zh,
        text_en=task.text_en,
    )
