"""What the engine has the telephone say (TwiML), as somebody hears it."""

from dataclasses import dataclass
from xml.etree import ElementTree as ET


@dataclass(frozen=True, slots=True)
class Script:
    """``text`` is what is said first, up to the first wait for a key; ``action`` is where the key goes, empty when none is waited for."""

    text: str = ""
    action: str = ""

    @property
    def asks(self) -> bool:
        """Whether a key is waited for."""
        return bool(self.action)


def read(page: str) -> Script:
    """A script; an unreadable one says nothing, as a real gateway would hang up."""
    try:
        root = ET.fromstring(page)  # noqa: S314 - from the engine under test on the loopback
    except ET.ParseError:
        return Script()
    gather = root.find("Gather")
    said = [say.text or "" for say in (root if gather is None else gather).iter("Say")]
    return Script(text=said[0] if said else "", action="" if gather is None else gather.get("action", ""))
