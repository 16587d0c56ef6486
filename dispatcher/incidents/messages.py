"""What a village reports (灾情, 险情), by SMS or by its link: kept with its photo, and a task for the duty room at once."""

import re
from datetime import datetime

from dispatcher.house import House
from dispatcher.incidents.model import VillageMessage
from dispatcher.model.task import Task, TaskKind
from dispatcher.ports import Reply, Transaction
from dispatcher.rows import row_of
from dispatcher.upkeep.audit import Act, write_audit
from dispatcher.warnings.telling import add_tasks

_WORD = r"(?:灾情|险情|报告|上报|report)"
_REPORTS = re.compile(rf"^\s*(?:[【\[（(]{_WORD}[】\])）][\s:：,，]*|{_WORD}[\s:：,，]+)(?=\S)", re.IGNORECASE)
LONGEST_TEXT = 2_000
PHOTO_TYPES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


def reported_text(text: str) -> str:
    """What a text message reports, when it begins with the word for it (灾情, 险情, 报告, 上报, report); else empty."""
    found = _REPORTS.match(text)
    return text[found.end() :].strip()[:LONGEST_TEXT] if found else ""


def photo_type(body: bytes) -> str:
    """The kind of picture these bytes begin like; empty when it is none that is taken (JPEG, PNG)."""
    return next((kind for head, kind in PHOTO_TYPES.items() if body.startswith(head)), "")


def sms_message(house: House, reply: Reply, text: str, now: datetime) -> VillageMessage:
    """The message in a reply of somebody we know."""
    who = house.registry.contacts_with_phone(reply.address)[0]
    return VillageMessage(county=house.county, status=house.status, person=who.id, village=who.area, text=text, at=now, path=reply.channel)


async def take_message(tx: Transaction, house: House, message: VillageMessage, photo: bytes, now: datetime, origin: str = "") -> None:
    """Keep a village's message with its photo, and give the duty room its task."""
    await tx.run("incidents.add_message", row_of(message))
    seq = (await tx.fetch("incidents.last_message"))[0]["seq"]
    if photo:
        await tx.run("incidents.add_photo", {"message": seq, "body": photo})
    zh, en = house.registry.name_of(message.village, "zh"), house.registry.name_of(message.village, "en")
    contact = house.registry.contacts.get(message.person)
    who_zh, who_en = (contact.name, contact.name_en or contact.name) if contact else (message.person, message.person)
    task = Task(
        key=f"message/{seq}",
        county=message.county,
        status=message.status,
        kind=TaskKind.MESSAGE,
        village=message.village,
        text_zh=f"{zh} {who_zh} 报告：“{message.text[:200]}”{'（附照片）' if photo else ''}",
        text_en=f"{en}: {who_en} reports: “{message.text[:200]}”{' (with a photo)' if photo else ''}",
        opened_at=now,
    )
    await add_tasks(tx, house, [task])
    said = Act(
        actor=message.person, origin=origin or message.path, act="village_message", subject=str(seq), detail={"village": message.village}
    )
    await write_audit(tx, house.county, now, [said])
