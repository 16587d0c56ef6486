"""Replies that answer nothing become work for the duty room, in words that say what to do. Decisions only."""

import hashlib
from datetime import datetime

from dispatcher.answers.understanding import Understood
from dispatcher.house import House
from dispatcher.model.answer import Said
from dispatcher.model.notice import Notice, NoticeState
from dispatcher.model.task import Task, TaskKind
from dispatcher.ports import Reply

_URGENT = {
    Said.HELP: (TaskKind.HELP, "求助", "asks for help"),
    Said.REFUSED: (TaskKind.REFUSED, "表示不能转移", "refuses to move"),
}
_SHOWN = 200


def reply_task(house: House, reply: Reply, understood: Understood | None, old: Notice | None, now: datetime) -> Task:
    """Somebody we know wrote what answers no open notice: unclear, urgent all the same, or too late.

    ``old`` is the notice whose code he gave, when there was one.
    """
    if understood is not None and understood.said in _URGENT:
        kind, zh, en = _URGENT[understood.said]
    elif old is not None and old.state is NoticeState.SUPERSEDED:
        kind, zh, en = (
            TaskKind.UNCLEAR_REPLY,
            "回复的是旧通知，新通知未应答，请联系",
            "answered an older notice, not the newer one; please call",
        )
    elif understood is not None:
        kind, zh, en = TaskKind.UNCLEAR_REPLY, "的回复没有对应的通知", "answered, but no open notice asked him"
    else:
        kind, zh, en = TaskKind.UNCLEAR_REPLY, "回复未能识别", "wrote something unclear"
    return _task(house, reply, kind, f"reply/{_person(house, reply)}/{now.isoformat()}/{_digest(reply)}", (zh, en), now)


def opted_out_task(house: House, reply: Reply, now: datetime) -> Task:
    """Somebody wrote the word by which carriers block a number."""
    words = ("已退订短信，该村失去短信通道，请联系", "opted out, the village lost this SMS path, please call")
    return _task(house, reply, TaskKind.OPTED_OUT, f"opted_out/{_person(house, reply)}", words, now)


def _task(house: House, reply: Reply, kind: TaskKind, key: str, words: tuple[str, str], now: datetime) -> Task:
    who, registry, text = house.registry.contacts_with_phone(reply.address)[0], house.registry, reply.text[:_SHOWN]
    zh, en = words
    return Task(
        key=key,
        county=house.county,
        status=house.status,
        kind=kind,
        village=who.area,
        text_zh=f"{registry.name_of(who.area, 'zh')} {who.name} {zh}：“{text}”",
        text_en=f"{registry.name_of(who.area, 'en')}: {who.name_en or who.name} {en}: “{text}”",
        opened_at=now,
    )


def _person(house: House, reply: Reply) -> str:
    return house.registry.contacts_with_phone(reply.address)[0].id


def _digest(reply: Reply) -> str:
    """Two replies of one person at the same moment are two matters."""
    return hashlib.sha256(f"{reply.reference}\n{reply.text}".encode("utf-8", "replace")).hexdigest()[:12]
