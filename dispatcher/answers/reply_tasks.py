"""Replies that answer nothing become work for the duty room, in words that say what to do. Decisions only."""

import hashlib
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Who:
    id: str
    area: str
    name: str
    name_en: str


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
    who = _who(house, reply, old)
    return _task(house, reply, kind, f"reply/{who.id}/{now.isoformat()}/{_digest(reply)}", (zh, en), who, now)


def opted_out_task(house: House, reply: Reply, now: datetime) -> Task:
    """Somebody wrote the word by which carriers block a number."""
    words = ("已退订短信，该村失去短信通道，请联系", "opted out, the village lost this SMS path, please call")
    who = _who(house, reply, None)
    return _task(house, reply, TaskKind.OPTED_OUT, f"opted_out/{who.id}", words, who, now)


def _task(house: House, reply: Reply, kind: TaskKind, key: str, words: tuple[str, str], who: _Who, now: datetime) -> Task:
    registry, text = house.registry, reply.text[:_SHOWN]
    zh, en = words
    return Task(
        key=key,
        county=house.county,
        status=house.status,
        kind=kind,
        village=who.area,
        text_zh=f"{registry.name_of(who.area, 'zh')} {who.name} {zh}：“{text}”",
        text_en=f"{registry.name_of(who.area, 'en')}: {who.name_en} {en}: “{text}”",
        opened_at=now,
    )


def _who(house: House, reply: Reply, about: Notice | None) -> _Who:
    """A person of the registry, a speaker at which a key was pressed, or whoever it was in the village that a notice is about."""
    contacts, speaker = house.registry.contacts_with_phone(reply.address), house.registry.speakers.get(reply.address)
    if contacts:
        return _Who(contacts[0].id, contacts[0].area, contacts[0].name, contacts[0].name_en or contacts[0].name)
    if speaker is not None:
        name = speaker.name or speaker.id
        return _Who(speaker.id, speaker.village, f"广播终端（{name}）", f"the terminal of the speaker {name}")
    return _Who(reply.address, about.village if about else house.county, "有人", "somebody")


def _digest(reply: Reply) -> str:
    """Two replies of one person at the same moment are two matters."""
    return hashlib.sha256(f"{reply.reference}\n{reply.text}".encode("utf-8", "replace")).hexdigest()[:12]
