"""The ledger: what the world received and did, one JSON object a line, and questions to it.

``python -m simulators.ledger FILE [--deliveries IDS]`` answers them on the command line.
"""

import argparse
import fcntl
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec


class Kind(StrEnum):
    """What happened."""

    TOWN_STARTED = "town.started"
    TOWN_STOPPED = "town.stopped"
    SMS_ACCEPTED = "sms.accepted"
    SMS_REFUSED = "sms.refused"
    SMS_SENT = "sms.sent"
    SMS_DELIVERED = "sms.delivered"
    SMS_UNDELIVERED = "sms.undelivered"
    SMS_FAILED = "sms.failed"
    SMS_REPLY = "sms.reply"
    LINK_OPENED = "link.opened"
    LINK_SUBMITTED = "link.submitted"
    LINK_GAVE_UP = "link.gave_up"
    CALLBACK_SENT = "callback.sent"
    CALLBACK_GAVE_UP = "callback.gave_up"
    CALL_ACCEPTED = "call.accepted"
    CALL_REFUSED = "call.refused"
    CALL_ANSWERED = "call.answered"
    CALL_KEY = "call.key"
    CALL_ENDED = "call.ended"
    SPEAKER_COMMAND = "speaker.command"
    SPEAKER_REPEATED = "speaker.repeated"
    SPEAKER_UNREADABLE = "speaker.unreadable"
    SPEAKER_EXPIRED = "speaker.expired"
    SPEAKER_QUEUED = "speaker.queued"
    SPEAKER_PLAYING = "speaker.playing"
    SPEAKER_PLAYED = "speaker.played"
    SPEAKER_FAILED = "speaker.failed"
    SPEAKER_OFFLINE = "speaker.offline"
    SPEAKER_REPORTED = "speaker.reported"
    SPEAKER_PRESSED = "speaker.pressed"
    CHAT_POSTED = "chat.posted"
    CHAT_REFUSED = "chat.refused"
    CHAT_ANSWERED = "chat.answered"
    FAULT = "fault"
    BROKER_CONNECTED = "broker.connected"
    BROKER_LOST = "broker.lost"


WAIT_FOR_OTHER_S = 10.0
_encode = msgspec.json.Encoder().encode
ARRIVALS = frozenset({Kind.SMS_ACCEPTED, Kind.CALL_ACCEPTED, Kind.SPEAKER_COMMAND, Kind.CHAT_POSTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line. ``delivery`` is the engine's id; ``reference`` ours; ``act`` names the one thing a villager or speaker did.

    ``at`` is recording time. ``to`` is the phone or speaker concerned. Empty fields are not written.
    """

    at: datetime
    kind: Kind
    delivery: str = ""
    to: str = ""
    body: str = ""
    reference: str = ""
    act: str = ""
    code: str = ""
    more: Mapping[str, str] = field(default_factory=dict)

    def line(self) -> bytes:
        """The entry as one line of JSON."""
        named = (("delivery", self.delivery), ("to", self.to), ("body", self.body), ("reference", self.reference), ("act", self.act))
        filled = {name: value for name, value in (*named, ("code", self.code), ("more", dict(self.more))) if value}
        return _encode({"at": self.at.isoformat(), "kind": self.kind, **filled}) + b"\n"


def parse(line: bytes) -> Entry:
    """One line, read back; ValueError when it is not one of ours."""
    found = json.loads(line)
    return Entry(**{**found, "at": datetime.fromisoformat(found["at"]), "kind": Kind(found["kind"])})


def read(path: Path) -> Iterator[Entry]:
    """All whole lines of a ledger, oldest first; none when there is no file. A line cut off by a crash is left out."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield parse(line)
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"{path}:{number}: not a line of a ledger: {error}") from error


class Ledger:
    """The open ledger. Every entry has left the process before ``write`` returns."""

    def __init__(self, path: Path) -> None:
        """Open for appending; cut off the torn last line that a crash may have left."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.counts: Counter[str] = Counter()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        _alone(self._file, path)
        whole = path.read_bytes().rfind(b"\n") + 1
        os.ftruncate(self._file, whole)

    def write(self, entry: Entry) -> None:
        """Append one entry."""
        os.write(self._file, entry.line())
        self.counts[entry.kind] += 1

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _alone(file: int, path: Path) -> None:
    """One town writes one ledger; the town before, whose engine died, is given time to end. OSError when it does not."""
    end = time.monotonic() + WAIT_FOR_OTHER_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                os.close(file)
                raise OSError(f"another town writes {path}") from None
            time.sleep(0.05)
        else:
            return


def arrivals(entries: Iterable[Entry]) -> Counter[str]:
    """How often each delivery reached the world: accepted by the phone network or taken by a speaker."""
    return Counter(entry.delivery for entry in entries if entry.kind in ARRIVALS and entry.delivery)


def lost(deliveries: Iterable[str], arrived: Mapping[str, int]) -> tuple[str, ...]:
    """The deliveries that the world never received, in the order given."""
    return tuple(delivery for delivery in dict.fromkeys(deliveries) if not arrived.get(delivery))


def duplicates(arrived: Mapping[str, int]) -> tuple[str, ...]:
    """The deliveries that the world received more than once."""
    return tuple(delivery for delivery, times in arrived.items() if times > 1)


def counts(entries: Iterable[Entry]) -> dict[str, int]:
    """How many entries there are of each kind that occurs."""
    return dict(sorted(Counter(str(entry.kind) for entry in entries).items()))


def summary(entries: Iterable[Entry], deliveries: Iterable[str] | None = None) -> dict[str, object]:
    """The figures of a run as one JSON object; with the deliveries expected, also which of them are lost."""
    kept = tuple(entries)
    arrived = arrivals(kept)
    twice = duplicates(arrived)
    answer: dict[str, object] = {"counts": counts(kept), "deliveries": len(arrived), "duplicates": len(twice), "duplicate_ids": twice}
    if deliveries is not None:
        missing = lost(deliveries, arrived)
        answer |= {"lost": len(missing), "lost_ids": missing}
    return answer


def main(arguments: list[str] | None = None) -> int:
    """Print the summary of a ledger; exit 1 when a delivery is lost."""
    parser = argparse.ArgumentParser(prog="python -m simulators.ledger", description="Summary of a town's ledger as one JSON object.")
    parser.add_argument("ledger", type=Path, help="the file that the town wrote")
    parser.add_argument("--deliveries", type=Path, metavar="IDS", help="file with one delivery id per line: which of them never arrived?")
    given = parser.parse_args(arguments)
    expected = given.deliveries.read_text("utf-8").split() if given.deliveries else None
    found = summary(read(given.ledger), expected)
    sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    return 1 if found.get("lost") else 0


if __name__ == "__main__":
    sys.exit(main())
