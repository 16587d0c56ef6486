"""Bytes become readings and rejects. Total: whatever arrives, nothing is raised and nothing is left out silently.

A body without a fault takes the fast path. Any doubt sends the whole body down the careful path, which looks at each
item by itself and words the reason; both give the same readings, by test.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import msgspec

from dispatcher.intake.catalogue import Catalogue
from dispatcher.intake.elements import Element, elements
from dispatcher.intake.examine import DEFAULT_BOUNDS, Bounds, Examiner
from dispatcher.intake.forecasts import examine_forecast
from dispatcher.intake.matching import Raw, match
from dispatcher.intake.scan import scan
from dispatcher.model.reject import Decoded, Fault, Reject, RejectCode, digest, show
from dispatcher.ports import Item, Kind
from rules.forecast import Forecast
from rules.reading import Columns, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of one body is looked at. Defaults: 1 MiB, 40,000 items, 1,000 rejects in words, 256 bytes of each."""

    body_bytes: int = 1 << 20
    items: int = 40_000
    rejects: int = 1_000
    excerpt_bytes: int = 256
    bounds: Bounds = DEFAULT_BOUNDS


DEFAULT_LIMITS = Limits()

_ARRAY = msgspec.json.Decoder(list[Raw])
_LINES = msgspec.json.Decoder(Raw)
_BOM = b"\xef\xbb\xbf"


def decode(item: Item, catalogue: Catalogue, limits: Limits = DEFAULT_LIMITS) -> Decoded:
    """The readings or forecasts of an item in their canonical units, and a reject for each thing in it that is none."""
    if len(item.body) > limits.body_bytes:
        what = f"a body of at least {len(item.body):,} bytes; allowed: at most {limits.body_bytes:,}; nothing in it was read"
        return _refuse(item, Fault(RejectCode.TOO_LARGE, what), limits)
    readings = read_fast(item.body.removeprefix(_BOM), catalogue, limits) if item.kind is Kind.READINGS else None
    if readings is not None:
        return Decoded(readings, [])
    return decode_carefully(item, catalogue, limits)


def _refuse(item: Item, fault: Fault, limits: Limits) -> Decoded:
    return Decoded([], [_reject(item, fault, Element(0, 0, ""), digest(item.body), item.body[: limits.excerpt_bytes])])


# ------------------------------------------------------------------------------------------ the fast path


def read_fast(body: bytes, catalogue: Catalogue, limits: Limits) -> Columns | None:
    """All readings of a body without a fault; None when there is any doubt."""
    try:
        bounds, body = limits.bounds, body.lstrip()
        scanned = scan(body, catalogue.quick, catalogue.known, limits.items, bounds.earliest_s, bounds.latest_s)
        if scanned is not None:
            return scanned
        raws = _raws(body)
        if raws is None or len(raws) > limits.items:
            return None
        return match(raws, body.count(b'"'), catalogue.places, catalogue.known, bounds)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        return None


def _raws(body: bytes) -> list[Raw] | None:
    if body[:1] == b"[":
        return _ARRAY.decode(body)
    if body[:1] == b"{":
        raws = _LINES.decode_lines(body)
        # The decoder would also take several objects on one line, which the careful path does not.
        return raws if body.count(b"\n{") + 1 == len(raws) else None
    return None


# --------------------------------------------------------------------------------------- the careful path


def decode_carefully(item: Item, catalogue: Catalogue, limits: Limits = DEFAULT_LIMITS) -> Decoded:
    """As ``decode`` for a body within the size limit, each item by itself: slower, with the same readings."""
    text = item.body.removeprefix(_BOM).decode("utf-8", errors="surrogateescape")
    if not text.strip():
        return _refuse(item, Fault(RejectCode.EMPTY, "an empty body; allowed: JSON, JSON lines or CSV"), limits)
    examiner = Examiner(catalogue, limits.bounds)
    readings: list[Reading] = []
    forecasts: list[Forecast] = []
    refused: list[tuple[Element, Fault]] = []
    found = elements(text)
    for element in islice(found, limits.items):
        result: Reading | Forecast | Fault
        if item.kind is Kind.FORECASTS:
            result = element.fault or examine_forecast(element, catalogue, limits.bounds)
        else:
            result = element.fault or _quick(element, catalogue, limits) or examiner.examine(element)
        if isinstance(result, Fault):
            refused.append((element, result))
        elif isinstance(result, Forecast):
            forecasts.append(result)
        else:
            readings.append(result)
    rejects = list(_rejects(item, refused, limits))
    rejects.extend(_beyond(item, found, limits))
    return Decoded(readings, rejects, forecasts)


def _quick(element: Element, catalogue: Catalogue, limits: Limits) -> Reading | None:
    """The fast path for one item, so that one bad item in a body does not make all the others slow."""
    if element.row is not None or not element.text.startswith("{"):
        return None
    readings = read_fast(element.text.encode("utf-8", errors="surrogateescape"), catalogue, limits)
    return readings[0] if readings and len(readings) == 1 else None


def _rejects(item: Item, refused: list[tuple[Element, Fault]], limits: Limits) -> Iterator[Reject]:
    """One reject for each fault; those beyond the limit together in one, so that a body of rubbish stays small."""
    sha256 = digest(item.body) if refused else ""
    for element, fault in refused[: limits.rejects]:
        excerpt = element.text[: limits.excerpt_bytes].encode("utf-8", errors="surrogateescape")
        yield _reject(item, fault, element, sha256, excerpt[: limits.excerpt_bytes])
    more = refused[limits.rejects :]
    if more:
        element = more[0][0]
        what = f"{len(more):,} more items refused after the first {limits.rejects:,}, each for a reason of its own"
        fault = Fault(RejectCode.TOO_MANY, what)
        yield _reject(item, fault, element, sha256, b"", len(more))


def _beyond(item: Item, rest: Iterator[Element], limits: Limits) -> Iterator[Reject]:
    """What lies behind the last item that may be read is not even counted: counting rubbish takes long."""
    first = next(rest, None)
    if first is not None:
        fault = Fault(RejectCode.TOO_MANY, f"more items than allowed: {limits.items:,} in one body; from here on none was read")
        yield _reject(item, fault, first, digest(item.body), b"")


def _reject(item: Item, fault: Fault, element: Element, sha256: str, excerpt: bytes, count: int = 1) -> Reject:
    where = f"{show(item.subject)[1:-1]}, item {element.index} (line {element.line})" if element.index else show(item.subject)[1:-1]
    return Reject(
        code=fault.code,
        message=f"{where}: {fault.message}",
        subject=item.subject,
        index=element.index,
        line=element.line,
        excerpt=excerpt,
        sha256=sha256,
        size_bytes=len(item.body),
        count=count,
    )
