"""Answer links: signed, for one notice and one person, for a limited time. Short, because they travel in text messages."""

import base64
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

from dispatcher.errors import LinkRefused

_MAC_BYTES = 12
_MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Link:
    """What a link speaks for: the notice with this short code, answered by this contact."""

    code: str
    person: str


def sign_link(secret: bytes, link: Link, expires_at: datetime) -> str:
    """The token of a link: ``code.person.minutes.mac``, safe in a URL."""
    body = f"{link.code}.{link.person}.{int(expires_at.timestamp()) // _MINUTE_S + 1:x}"
    return f"{body}.{_mac(secret, body)}"


def link_address(public_url: str, secret: bytes, link: Link, expires_at: datetime) -> str:
    """Where somebody answers: a whole address."""
    return f"{public_url}/a/{sign_link(secret, link, expires_at)}"


def open_link(secret: bytes, token: str, now: datetime) -> Link:
    """What a token speaks for; LinkRefused when it was altered or has expired."""
    link, until = read_link(secret, token)
    if until < now:
        raise expired()
    return link


def expired() -> LinkRefused:
    """The time of a link is over."""
    return LinkRefused("this link has expired", expired=True)


def read_link(secret: bytes, token: str) -> tuple[Link, datetime]:
    """What a genuine token speaks for, and until when it was signed; LinkRefused when it was altered."""
    body, _, mac = token.rpartition(".")
    if not hmac.compare_digest(_mac(secret, body).encode(), mac.encode("utf-8", "replace")):
        raise LinkRefused("this link is not genuine or was cut short", expired=False)
    head, _, minutes = body.rpartition(".")
    code, _, person = head.partition(".")
    return Link(code, person), datetime.fromtimestamp(int(minutes, 16) * _MINUTE_S, UTC)


def _mac(secret: bytes, body: str) -> str:
    digest = hmac.digest(secret, b"answer-link\n" + body.encode("utf-8", "replace"), "sha256")
    return base64.urlsafe_b64encode(digest[:_MAC_BYTES]).decode()
