"""What the phone network lists: texts to phones and texts from phones, by number and date, newest first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Listed:
    """One message with what a list may be asked for. ``at`` is when it was sent, or taken where it has not been sent yet."""

    at: datetime
    sender: str
    to: str
    message: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A text that somebody sent to us."""

    reference: str
    sender: str
    to: str
    body: str
    at: datetime


def listed(messages: Iterable[Listed], asked: Mapping[str, str]) -> list[object]:
    """Those that fit ``To``, ``From`` and ``DateSent``, newest first; ValueError for a date that is none."""
    after, before = _bounds(asked)
    fits = [m for m in messages if after <= m.at <= before and asked.get("To", m.to) == m.to and asked.get("From", m.sender) == m.sender]
    return [m.message for m in sorted(fits, key=lambda m: m.at, reverse=True)]


def _bounds(asked: Mapping[str, str]) -> tuple[datetime, datetime]:
    """``DateSent<`` and ``DateSent>`` hold their own second or day too, as the ``<=`` and ``>=`` of the API's description."""
    day = asked.get("DateSent")
    after, before = asked.get("DateSent>", day), asked.get("DateSent<", day)
    last = datetime.max.replace(tzinfo=UTC)
    if before:
        last = _time(before) + (timedelta(seconds=1) if "T" in before else timedelta(days=1))
    return (_time(after) if after else datetime.min.replace(tzinfo=UTC)), last


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
