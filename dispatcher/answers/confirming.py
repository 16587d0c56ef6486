"""Somebody who answers for several villages reads what was recorded and what is still open. Decisions only."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from dispatcher.calls.calling import Target, deliver_text
from dispatcher.house import House
from dispatcher.model.answer import Said
from dispatcher.model.delivery import Delivery, delivery_id
from dispatcher.model.notice import Notice, NoticeState
from dispatcher.ports import Reply, Status
from dispatcher.registry.model import SMS

ROLE = "reply"
MOST_AN_HOUR = 5
"""More than that is a machine that answers a machine."""

_SAID = {
    Said.RECEIVED: ("收到", "received"),
    Said.EVACUATING: ("正在转移", "moving"),
    Said.EVACUATED: ("已转移", "moved"),
    Said.HELP: ("求助", "needs help"),
    Said.REFUSED: ("不能转移", "cannot move"),
}


def confirmation(
    house: House, reply: Reply, said: Said, about: Sequence[Notice], asked: Iterable[Notice], now: datetime
) -> Delivery | None:
    """The text to him; None where he answers for one village only. ``about`` was recorded now, ``asked`` is all that he was asked."""
    everything = {n.id: n for n in (*asked, *about)}
    if len({n.village for n in everything.values()}) < 2:  # noqa: PLR2004 - one village needs no list
        return None
    contact = house.registry.contacts_with_phone(reply.address)[0]
    answered = {n.id for n in about}
    still = [n for n in everything.values() if n.id not in answered and n.state is NoticeState.CALLING]
    first = about[0]
    ids = tuple(sorted(answered))
    target = Target(person=contact.id, role=ROLE, channel=SMS, address=reply.address, language=contact.language)
    text = _text(house, said, about, still, contact.language)
    name = delivery_id((*ids, reply.reference or now.isoformat()), SMS, reply.address, 0, 0)
    return replace(deliver_text(first, target, text, now), id=name)


def _text(house: House, said: Said, about: Sequence[Notice], still: Sequence[Notice], language: str) -> str:
    zh = language == "zh"
    mark = house.templates.words[language].exercise if about[0].status is not Status.ACTUAL and language in house.templates.words else ""
    recorded = _names(house, about, language)
    text = f"已记录：{recorded} {_SAID[said][0]}。" if zh else f"Recorded: {recorded}: {_SAID[said][1]}. "
    if still:
        open_ones = ("、" if zh else ", ").join(f"{house.registry.name_of(n.village, language)}（{n.code}）" for n in still)
        text += f"还未应答：{open_ones}。" if zh else f"Still open: {open_ones.replace('（', ' (').replace('）', ')')}."
    return f"{mark}{text}".strip()


def _names(house: House, notices: Sequence[Notice], language: str) -> str:
    return ("、" if language == "zh" else ", ").join(dict.fromkeys(house.registry.name_of(n.village, language) for n in notices))
