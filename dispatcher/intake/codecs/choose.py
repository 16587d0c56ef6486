"""Which codec reads an item: by the name of its format. Formats of an installation are YAML files, named in its settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from dispatcher.intake.catalogue import Catalogue
from dispatcher.intake.codecs.cap import decode_cap
from dispatcher.intake.codecs.gather import Gathering
from dispatcher.intake.codecs.mapped import MappedCodec, MappedSettings
from dispatcher.intake.codecs.port import Codec
from dispatcher.intake.codecs.senml import SenmlCodec, SenmlSettings
from dispatcher.intake.codecs.sl651 import Sl651Codec, Sl651Settings
from dispatcher.intake.decode import DEFAULT_LIMITS, Limits, decode
from dispatcher.model.reject import Decoded, Fault, RejectCode, show
from dispatcher.ports import Alike, Batch, Item, Kind

JSON = "json"
"""Our own format, JSON and CSV; also what an item without a format is in."""


CAP = "cap"
"""Messages of the Common Alerting Protocol."""

_ALLOWED = {Kind.READINGS: "any format", Kind.FORECASTS: f"in {JSON} only", Kind.ALERTS: f"in {CAP} only"}


Codecs = Mapping[str, Codec]
"""Codecs by the name of their format."""


class JsonCodec:
    """Our own format behind the same port."""

    def decode(self, item: Item, catalogue: Catalogue, limits: Limits, now: datetime) -> Decoded:
        """As ``dispatcher.intake.decode.decode``."""
        del now  # its times are absolute
        return decode(item, catalogue, limits)


class CapCodec:
    """Messages of other authorities; they are no readings, and go past the rules."""

    def decode(self, item: Item, catalogue: Catalogue, limits: Limits, now: datetime) -> Decoded:
        """As ``dispatcher.intake.codecs.cap.decode_cap``."""
        del catalogue, now  # it names no station, and its times are absolute
        found = decode_cap(item, limits)
        return Decoded([], found.rejects, alerts=found.alerts)


FormatSettings = SenmlSettings | MappedSettings | Sl651Settings
"""What a format's file may hold."""

SETTINGS: Mapping[str, type[FormatSettings]] = {"senml": SenmlSettings, "mapped": MappedSettings, "sl651": Sl651Settings}
"""The same by the word ``codec`` of the file."""


def codec_of(settings: FormatSettings) -> Codec:
    """The codec with these settings."""
    match settings:
        case SenmlSettings():
            return SenmlCodec(settings)
        case MappedSettings():
            return MappedCodec(settings)
        case Sl651Settings():
            return Sl651Codec(settings)


def built_in() -> Codecs:
    """The formats that need no file."""
    return {JSON: JsonCodec(), "senml": SenmlCodec(SenmlSettings()), "sl651": Sl651Codec(Sl651Settings()), CAP: CapCodec()}


@dataclass(frozen=True, slots=True)
class Decoding:
    """Everything it takes to read any item: what stations measure, limits, and the codecs by the name of their format."""

    catalogue: Catalogue
    limits: Limits = DEFAULT_LIMITS
    codecs: Codecs = field(default_factory=built_in)

    def decode(self, item: Item, now: datetime) -> Decoded:
        """What one item held; a format nobody knows any more is a reason to refuse it."""
        name = item.format or JSON
        codec = self.codecs.get(name)
        if codec is not None and _fits_kind(name, item.kind):
            return codec.decode(item, self.catalogue, self.limits, now)
        fault = Fault(RejectCode.UNKNOWN_FORMAT, f"unknown format {show(name)}; allowed: {', '.join(self.codecs)}")
        if codec is not None:
            fault = Fault(RejectCode.NOT_READINGS, f"{item.kind.value} in the format {show(name)}; allowed: {_ALLOWED[item.kind]}")
        into = Gathering(item, self.catalogue, self.limits)
        into.refuse(fault)
        return into.decoded()


def _fits_kind(name: str, kind: Kind) -> bool:
    """Forecasts come in our own format only, alerts in CAP; a source of readings may be one of alerts by its format."""
    return name == CAP if kind is Kind.ALERTS else kind is Kind.READINGS or name == JSON


@dataclass(frozen=True, slots=True)
class Formats:
    """Which format the items of one source are in: by topic (the first pattern that fits), else ``otherwise``.

    Patterns are those of MQTT: ``+`` stands for one level, ``#`` at the end for all that follow. What is empty leaves
    items as their source marked them.
    """

    otherwise: str = ""
    by_topic: Mapping[str, str] = field(default_factory=dict)

    def marked(self, batch: Batch) -> Batch:
        """The batch with the format of each item."""
        if not self.otherwise and not self.by_topic:
            return batch
        items = batch.items
        if isinstance(items, Alike):
            return replace(batch, items=Alike(items.bodies, items.subject, items.kind, self.of(items.subject) or items.format))
        return replace(batch, items=tuple(item._replace(format=self.of(item.subject) or item.format) for item in items))

    def of(self, topic: str) -> str:
        """The format of one topic."""
        return next((name for pattern, name in self.by_topic.items() if fits(pattern, topic)), self.otherwise)


AS_MARKED = Formats()
"""Leaves items as their source marked them."""


def fits(pattern: str, topic: str) -> bool:
    """Whether a topic lies under a pattern of MQTT; the beginning ``$share/group/`` of a pattern is not looked at."""
    if pattern.startswith("$share/"):
        pattern = pattern.split("/", 2)[-1]
    wanted, got = pattern.split("/"), topic.split("/")
    for n, level in enumerate(wanted):
        if level == "#":
            return True
        if n >= len(got) or level not in ("+", got[n]):
            return False
    return len(wanted) == len(got)
