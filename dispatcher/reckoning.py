"""What the world says it received, held against the notices that were released. Never the engine's own word.

Decisions only: notices, the registry, the plans and the world's ledger in; what is lost or came twice out.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dispatcher.calls.agenda import agenda
from dispatcher.calls.calling import DUTY_ROOM, targets_of
from dispatcher.house import House
from dispatcher.model.delivery import delivery_id
from dispatcher.model.notice import Notice, Purpose
from dispatcher.policy.model import GradePlan

_ARRIVED = frozenset({"sms.accepted", "call.accepted", "speaker.command"})
_HEARD = {"sms.delivered": "sms", "call.answered": "voice", "speaker.played": "loudspeaker"}


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the world received: how often each delivery arrived, whom what reached when, and what was said to whom."""

    arrived: Mapping[str, int]
    to: Mapping[str, str]
    heard: Mapping[str, tuple[str, str, datetime]]
    said: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reckoning:
    """``lost`` names each message that a released notice owed and the world never got: (notice, channel, address)."""

    owed: int
    lost: tuple[tuple[str, str, str], ...]
    duplicates: int
    claimed: tuple[str, ...] = field(default=())


def read_ledger(lines: Iterable[bytes]) -> Ledger:
    """The world's own account, one JSON object a line; a line cut short by a crash is left out."""
    arrived: Counter[str] = Counter()
    to: dict[str, str] = {}
    heard: dict[str, tuple[str, str, datetime]] = {}
    said: dict[str, list[str]] = {}
    for line in lines:
        if not line.endswith(b"\n"):
            continue
        entry = json.loads(line)
        if entry["kind"] in _ARRIVED:
            arrived[entry["delivery"]] += 1
            to[entry["delivery"]] = entry["to"]
            said.setdefault(entry["to"], []).append(entry.get("body", ""))
        elif entry["kind"] in _HEARD and (entry["kind"] != "call.answered" or entry.get("body")):  # a machine is told nothing
            first = (_HEARD[entry["kind"]], entry["to"], datetime.fromisoformat(entry["at"]))
            heard.setdefault(entry["delivery"], first)  # who heard it twice has known it since the first time
    return Ledger(arrived, to, heard, {address: tuple(texts) for address, texts in said.items()})


def reckon(
    house: House,
    notices: Sequence[Notice],
    plans: Mapping[str, GradePlan],
    notice_of: Mapping[str, str],
    ledger: Ledger,
    reached: Iterable[str],
) -> Reckoning:
    """Hold the ledger against the notices.

    A notice owes a message to everyone its plan calls at release; a lowering or lift to everyone who heard the warning in that
    village. It is paid when it arrived, or when a newer notice for that village arrived at the same address. ``notice_of``
    names the notice of a delivery; ``reached`` are the deliveries that the engine believes the world has: each must be there.
    """
    newest = _newest_arrivals(notices, notice_of, ledger)
    owed = [
        (notice, channel, address) for notice in notices for channel, address in _owed(house, notice, notices, plans, notice_of, ledger)
    ]
    lost = [
        (notice.id, channel, address)
        for notice, channel, address in owed
        if delivery_id((notice.id,), channel, address, 0, 0) not in ledger.arrived
        and not _any_step_arrived(notice, channel, address, plans, ledger)
        and not _named_with_others(notice, address, ledger)
        and newest.get((notice.warning, notice.village, address), 0) <= notice.revision
    ]
    claimed = tuple(sorted(d for d in set(reached) if d not in ledger.arrived))
    known = {delivery_id((n,), c, a, 0, 0) for n, c, a in lost}
    return Reckoning(
        owed=len(owed),
        lost=tuple(lost) + tuple((notice_of.get(d, ""), "claimed", d) for d in claimed if d not in known),
        duplicates=sum(n - 1 for n in ledger.arrived.values()),
        claimed=claimed,
    )


def not_coming(lost: Iterable[tuple[str, str, str]], waiting: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """The lost messages without those that still wait to be sent, and those which a newer notice that waits has replaced.

    ``waiting`` are (notice, channel, address); the id of a notice ends in its revision.
    """
    still = {(*_line(notice), channel, address) for notice, channel, address in waiting}
    newest: dict[tuple[str, str], int] = {}
    for village, revision, _, address in still:
        newest[village, address] = max(newest.get((village, address), 0), revision)
    return [
        (notice, channel, address)
        for notice, channel, address in lost
        if (*_line(notice), channel, address) not in still and newest.get((_line(notice)[0], address), 0) <= _line(notice)[1]
    ]


def _line(notice: str) -> tuple[str, int]:
    """The warning and village of a notice, and its revision; 0 for a message that belongs to no notice of ours."""
    village, _, revision = notice.rpartition("/")
    return village, int(revision or 0)


def _owed(
    house: House, notice: Notice, notices: Sequence[Notice], plans: Mapping[str, GradePlan], notice_of: Mapping[str, str], ledger: Ledger
) -> set[tuple[str, str]]:
    if notice.purpose is Purpose.WARN:
        plan = plans[notice.plan]
        steps = [plan.steps[e.step] for e in agenda(plan) if not e.after]
        return {
            (t.channel, t.address)
            for step in steps
            for t in targets_of(house, notice, step, notice.released_at, plan.night)[0]
            if t.channel != DUTY_ROOM
        }
    earlier = {n.id for n in notices if n.warning == notice.warning and n.village == notice.village and n.revision < notice.revision}
    return {
        (channel, address)
        for delivery, (channel, address, at) in ledger.heard.items()
        if notice_of.get(delivery) in earlier and at < notice.released_at
    }


def _any_step_arrived(notice: Notice, channel: str, address: str, plans: Mapping[str, GradePlan], ledger: Ledger) -> bool:
    """At release, several steps may call the same person; the first that does carries the message."""
    entries = [e for e in agenda(plans[notice.plan]) if not e.after]
    return any(delivery_id((notice.id,), channel, address, e.step, e.repeat) in ledger.arrived for e in entries)


def _named_with_others(notice: Notice, address: str, ledger: Ledger) -> bool:
    """One message about several villages names each with its code."""
    return bool(notice.code) and any(f" {notice.code}" in text for text in ledger.said.get(address, ()))


def _newest_arrivals(notices: Sequence[Notice], notice_of: Mapping[str, str], ledger: Ledger) -> dict[tuple[str, str, str], int]:
    """The newest revision that arrived, by warning, village and address."""
    by_id = {n.id: n for n in notices}
    newest: dict[tuple[str, str, str], int] = {}
    for delivery in ledger.arrived:
        notice = by_id.get(notice_of.get(delivery, ""))
        if notice is not None:
            key = (notice.warning, notice.village, ledger.to[delivery])
            newest[key] = max(newest.get(key, 0), notice.revision)
    return newest
