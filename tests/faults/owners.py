"""Whose each message is that names no delivery: a gateway that is asked, and a chat group, keep only what they show.

It belongs to a delivery to that address with those words; to one that nobody has heard yet, else to one that may be said twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from simulators.ledger import ARRIVALS, Entry, Kind
from tests.faults.deployment import COUNTRY

MARKS = ("【演练】", "[EXERCISE]")
_CHANNELS = {Kind.SMS_ACCEPTED: "sms", Kind.CHAT_POSTED: "chat"}
_Key = tuple[str, str, str]


def in_chat(phone: str) -> str:
    """How somebody's place in a chat group is told from his telephone."""
    return f"chat {phone}"


def address_of(delivery: Mapping[str, Any]) -> str:
    """Where a delivery arrives."""
    return in_chat(delivery["address"]) if delivery["channel"] == "chat" else str(delivery["address"])


def shown(entry: Entry) -> Entry:
    """A message in a chat group without what its robot puts around it."""
    if entry.kind is not Kind.CHAT_POSTED:
        return entry
    words = entry.body.partition("\n\n[")[0].partition("\n\n@")[0]
    return replace(entry, to=in_chat(COUNTRY + entry.to), body=words)


def with_owners(world: Iterable[Entry], deliveries: Iterable[Mapping[str, Any]]) -> tuple[Entry, ...]:
    """The ledger, in which each arrival names its delivery where there is one."""
    entries = [shown(entry) for entry in world]
    named = {entry.delivery for entry in entries if entry.delivery and entry.kind in ARRIVALS}
    open_: defaultdict[_Key, list[Mapping[str, Any]]] = defaultdict(list)
    for delivery in deliveries:
        if delivery["channel"] in _CHANNELS.values() and not delivery.get("carried_by"):
            open_[_key(delivery["channel"], address_of(delivery), delivery.get("bundle") or delivery["text"])].append(delivery)
    found = []
    for entry in entries:
        if entry.kind in _CHANNELS and not entry.delivery:
            owner = _owner(open_[_key(_CHANNELS[entry.kind], entry.to, entry.body)], named)
            named.add(owner)
            entry = replace(entry, delivery=owner)  # noqa: PLW2901 - the same entry, with a name
        found.append(entry)
    return tuple(found)


def _owner(fitting: list[Mapping[str, Any]], named: set[str]) -> str:
    """Empty when there is none."""
    unheard = [d for d in fitting if d["id"] not in named]
    marked = [d for d in fitting if d["possible_duplicate"]]
    best = sorted(unheard, key=lambda d: d["state"] == "superseded") or marked or fitting
    return str(best[0]["id"]) if best else ""


def _key(channel: str, to: str, words: str) -> _Key:
    """The mark of an exercise may be put before a text on its way."""
    for mark in MARKS:
        words = words.removeprefix(mark).lstrip()
    return channel, to, words
