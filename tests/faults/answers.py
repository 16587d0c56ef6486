"""What people said and we took is an answer, or work for a person; decided from the ledgers of the town, the chat and the duty officer."""

from collections import Counter
from collections.abc import Iterator

from simulators.ledger import Entry, Kind
from tests.faults.deployment import COUNTRY, POLLED, POLLED_SENDER
from tests.faults.evidence import Evidence
from tests.faults.reviews import PAGES

_LONGEST = 200
_Said = tuple[str, str]


def lost_answers(seen: Evidence) -> Iterator[str]:
    """Texts (called with or listed), links, keys, words in the chat, and what the duty officer wrote down."""
    yield from _unwritten(seen, "sms", _texts(seen))
    yield from _unwritten(seen, "chat", _chats(seen))
    by_link = Counter({e.act: e.more["action"] for e in seen.world if e.kind is Kind.LINK_SUBMITTED}.values())
    clicked = Counter(a["action"] for a in seen.answers if a["path"] == "link")
    for action, times in (by_link - clicked).items():
        yield f"{times} answers {action!r} were given by link and are not there"
    yield from lost_keys(seen)
    yield from lost_presses(seen)
    for word in sorted(seen.words - seen.said):
        yield f"{word} of the duty officer was taken, and neither an answer nor an incident has it"


def _texts(seen: Evidence) -> Counter[_Said]:
    """What was written to us and has reached us: by a call that we answered with 2xx, or in the list of a gateway that is asked."""
    texts = {e.act: e for e in seen.world if e.kind is Kind.SMS_REPLY}
    acts = {e.act for e in seen.world if e.kind is Kind.CALLBACK_SENT and e.act in texts}
    acts |= {act for act, text in texts.items() if text.more.get("sender") == POLLED_SENDER}
    return Counter((texts[act].to, texts[act].body[:_LONGEST].strip()) for act in acts)


def _chats(seen: Evidence) -> Counter[_Said]:
    told = {e.reference: e for e in seen.world if e.kind is Kind.CHAT_ANSWERED and not e.code}
    return Counter((COUNTRY + e.to, e.body) for e in told.values())


def _unwritten(seen: Evidence, path: str, written: Counter[_Said]) -> Iterator[str]:
    """Each is an answer of his, or a task that shows his words."""
    nobody = ("", "")
    answers = Counter((seen.people.get(a["person"], nobody)[0], a["note"].strip()) for a in seen.answers if a["path"] == path)
    names = dict(seen.people.values())
    for (phone, body), times in written.items():
        tasks = sum(f"{names.get(phone, '')} " in t["text_zh"] and f"“{body}”" in t["text_zh"].replace("“ ", "“") for t in seen.tasks)
        if answers[phone, body] + tasks < times:
            yield f"{phone} wrote {body!r} ({path}), we took it, and there is neither an answer nor a task"


def lost_keys(seen: Evidence) -> Iterator[str]:
    """A key that was pressed in a call, and that we took, answers what was said in it, unless something newer was said since."""
    given = {(a["notice"], a["note"]) for a in seen.answers if a["path"] == "voice"}
    for entry in seen.world:
        if entry.kind is Kind.CALL_KEY and not entry.code:
            for notice in _asking(seen, entry):
                if (notice, entry.body) not in given:
                    yield f"{entry.to} pressed {entry.body} in a call about {notice}, we took it, and there is no answer"


def lost_presses(seen: Evidence) -> Iterator[str]:
    """A key at a speaker that the broker took, which its terminal says again to a broker that was away, answers what was said there."""
    given = Counter(a["notice"] for a in seen.answers if a["path"] == "terminal")
    for entry in {e.act: e for e in seen.world if e.kind is Kind.SPEAKER_PRESSED}.values():
        for notice in _asking(seen, entry):
            if not given[notice]:
                yield f"{entry.code} was pressed at {entry.to} about {notice}, the broker took it, and there is no answer"


def counted_twice(seen: Evidence) -> Iterator[str]:
    """A key at a speaker counts once, however often its terminal says it."""
    acts = {e.act: e.delivery for e in seen.world if e.kind is Kind.SPEAKER_PRESSED}
    notice_of = {d["id"]: d["notice"] for d in seen.deliveries}
    pressed = Counter(notice_of.get(delivery, "") for delivery in acts.values())
    given = Counter(a["notice"] for a in seen.answers if a["path"] == "terminal")
    for notice, times in given.items():
        if times > max(1, pressed[notice]):
            yield f"keys at speakers answered {notice} {times} times and were pressed {pressed[notice]} times"


def _asking(seen: Evidence, entry: Entry) -> Iterator[str]:
    """The notice that was said there, when it asks for an answer and nothing newer was said since."""
    notices, deliveries = seen.by_id
    delivery = deliveries.get(entry.delivery)
    if delivery is not None:
        notice = notices[delivery["notice"]]
        if notice["purpose"] == "warn" and notice["state"] != "superseded" and notice["hazard"] != PAGES:
            yield str(notice["id"])


def unreported(seen: Evidence) -> Iterator[str]:
    """A text that reached its phone is known to have done so, also where the gateway had to be asked."""
    arrived = {e.reference for e in seen.world if e.kind is Kind.SMS_DELIVERED}
    for delivery in seen.deliveries:
        if delivery.get("gateway") == POLLED and delivery["reference"] in arrived and delivery["state"] != "delivered":
            yield f"delivery {delivery['id']} reached its phone, by the list of its gateway, and is {delivery['state']}"
