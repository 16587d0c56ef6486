"""Texts with fields, and the words of a language. Checked when they are loaded, rendered by ``render``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dispatcher.ports import Status
from rules.grade import Grade

CHAT, SMS = "chat", "sms"
EARLY = "early"
LOWER = "lower"
LIFT = "lift"

#: What a village is told to do may name these; each has a word for when nothing is known.
ACTION_FIELDS = frozenset({"village", "shelter", "travel_time", "route", "transfer_person"})
FIELDS = ACTION_FIELDS | {"hazard", "grade", "reason", "action", "code", "link", "issuer", "time"}
ANSWER_FIELDS = frozenset({"code", "link"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One text. ``occasion`` is a grade's word, ``early``, ``lower`` or ``lift``; ``action`` is what the village is told to do."""

    hazard: str
    occasion: str
    channel: str
    language: str
    version: int
    text: str
    action: str
    fields: frozenset[str]

    @property
    def id(self) -> str:
        """A stable name such as ``flash-flood/red/sms/zh@1``."""
        return f"{self.hazard}/{self.occasion}/{self.channel}/{self.language}@{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of one language: its own name, the mark of an exercise, grades, hazards and how a travel time is said.

    ``no_route`` and ``no_transfer_person`` may be empty where no text names a route or a person.
    """

    language: str
    name: str
    exercise: str
    listing: str
    time_format: str
    minutes: str
    at_once: str
    no_shelter: str
    no_route: str = ""
    no_transfer_person: str = ""
    grades: Mapping[Grade, str]
    hazards: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance:
    """What a village is told of its way to safety; a text has a word for what is empty, and ``at once`` for no travel time."""

    village: str
    shelter: str = ""
    route: str = ""
    transfer_people: tuple[str, ...] = ()
    travel_time: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts(Guidance):
    """What a text is about. ``at`` is aware and shown in ``zone``; ``code`` and ``link`` are empty where nothing is asked.

    ``before`` is the grade a lowering or lift came from (``grade`` is the new one).
    ``ahead`` is said in front of everything while it is still far: the stage, and when it is expected.
    """

    hazard: str
    grade: Grade
    reason: str
    issuer: str
    at: datetime
    zone: ZoneInfo
    status: Status
    code: str = ""
    link: str = ""
    before: Grade = Grade.NONE
    ahead: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Templates:
    """All texts of an installation, by (hazard, occasion, channel, language). ``digest`` names the exact content."""

    texts: Mapping[tuple[str, str, str, str], Template]
    words: Mapping[str, Words]
    digest: str
    default_language: str = field(default="zh")

    def find(self, hazard: str, occasion: str, channel: str, language: str) -> Template:
        """The text in that language, else in the default language; KeyError names what is missing.

        A chat message without a text of its own reads like the text message.
        """
        channels = (channel, SMS) if channel == CHAT else (channel,)
        sought = ((hazard, occasion, one, spoken) for spoken in (language, self.default_language) for one in channels)
        found = next((self.texts[key] for key in sought if key in self.texts), None)
        if found is None:
            raise KeyError(f"no text for {hazard}/{occasion}/{channel} in {language} or {self.default_language}")
        return found
