"""Random and mutated inputs over all codecs: no crash, no hang, memory bounded.

``python -m bench.fuzz_codecs --inputs 10000000 [--seed N] [--codec NAME]`` prints its seed first, progress on standard error, and
one JSON line at the end; it ends with 1 when a promise was broken, naming codec, seed, block and bytes. Blocks are drawn
independently of each other: ``--seed N --first-block B --inputs 1000`` repeats one.
"""

import argparse
import faulthandler
import json
import math
import os
import random
import re
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from types import FrameType

from bench.codec_seeds import COUNTY, MAPPED, SEEDS, SL651_BODY, VALUES, WORDS, sl651_frame
from dispatcher.intake.codecs.cap import decode_cap
from dispatcher.intake.codecs.choose import Decoding, built_in
from dispatcher.intake.decode import Limits
from dispatcher.model.reject import Reject
from dispatcher.ports import Item, Kind

NOW = datetime(2026, 7, 20, 0, 6, tzinfo=UTC)
BLOCK = 1_000
HANG_S = 30
"""No block of a thousand small inputs may take longer; one takes well under a second."""

MOST_GROWTH_MIB = 64.0
_LONGEST_MESSAGE = 1_000
_LIMITS = Limits(items=500, rejects=20)
_LARGE = 1 << 17
_MIB = 1024.0
_SOMETHING: Mapping[str, tuple[bytes, ...]] = {"json": (b"{", b"[{"), "forecasts": (b"{", b"[{"), "senml": (b"[{",), "cap": (b"",)}
"""Beginnings of bodies that hold something, so that a codec may not be silent about them. A table of a header alone holds nothing; a
profile says which values stand for none; keep-alives of stations hold no readings."""

_MARK = b"\x7e\x7e"
_TOKEN = re.compile(rb'"[^"<>]*"|-?\d[\d.]*|(?<=>)[^<\s]+(?=<)')

Decode = Callable[[bytes], tuple[int, Sequence[Reject]]]


class Broken(Exception):
    """A codec did not keep a promise."""


@dataclass
class Tally:
    """What was tried and what became of it."""

    seed: int
    inputs: int = 0
    good: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)


def codecs() -> Mapping[str, Decode]:
    """Each codec as a function from bytes to how many things it found, and what it refused."""
    decoding = Decoding(COUNTY, _LIMITS, {**built_in(), "mapped": MAPPED})
    found: dict[str, Decode] = {
        "json": partial(_readings, decoding, "json", Kind.READINGS),
        "forecasts": partial(_readings, decoding, "json", Kind.FORECASTS),
        "cap": _cap,
    }
    return found | {name: partial(_readings, decoding, name, Kind.READINGS) for name in decoding.codecs if name not in found}


def _readings(decoding: Decoding, name: str, kind: Kind, body: bytes) -> tuple[int, Sequence[Reject]]:
    decoded = decoding.decode(Item(body, "vendor/43112901/up", kind, name), NOW)
    for reading in decoded.readings:
        if reading.station not in COUNTY.stations or not math.isfinite(reading.value):
            raise Broken(f"a reading that cannot be: {reading}")
    return len(decoded.readings) + len(decoded.forecasts), decoded.rejects


def _cap(body: bytes) -> tuple[int, Sequence[Reject]]:
    decoded = decode_cap(Item(body, "cap"), _LIMITS)
    return len(decoded.alerts), decoded.rejects


def mutated(chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    """Mostly a good message with a few faults; now and then plain noise, or a fault repeated until it is large."""
    kind = chance.randrange(64)
    if kind == 0:
        unit = chance.choice(WORDS) or chance.randbytes(3)
        return unit * (chance.randrange(1, _LARGE) // max(1, len(unit)) if chance.randrange(8) == 0 else 20)
    if kind < 6:
        return chance.randbytes(chance.randrange(120))
    seed = chance.choice(seeds)
    if kind % 2:
        return framed(chance) if seed[:2] == _MARK else swapped(chance, seed)
    body = bytearray(seed)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(body) + 1)
        match chance.randrange(6):
            case 0:
                body[at:at] = chance.randbytes(chance.randrange(1, 4))
            case 1:
                del body[at : at + chance.randrange(1, 12)]
            case 2 if at < len(body):
                body[at] = chance.randrange(256)
            case 3 if at < len(body):
                body[at] ^= 1 << chance.randrange(8)
            case 4:
                body[at:at] = chance.choice(WORDS)
            case _:
                other = chance.choice(seeds)
                begin = chance.randrange(len(other))
                body[at:at] = other[begin : begin + chance.randrange(1, 60)]
    return bytes(body)


def swapped(chance: random.Random, seed: bytes) -> bytes:
    """The message with some of its values exchanged: still readable as a whole, wrong within."""
    places = _places(seed)
    pieces, at = [], 0
    for begin, end in sorted(chance.sample(places, min(len(places), chance.randrange(1, 4)))):
        pieces += [seed[at:begin], chance.choice(VALUES)]
        at = end
    return b"".join([*pieces, seed[at:]])


@cache
def _places(seed: bytes) -> list[tuple[int, int]]:
    return [match.span() for match in _TOKEN.finditer(seed)]


def framed(chance: random.Random) -> bytes:
    """A frame of SL 651 whose checksum holds and whose body does not."""
    body = bytearray(SL651_BODY)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(8, len(body))
        body[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(4))
    return sl651_frame(bytes(body), chance.choice((0x2F, 0x30, 0x31, 0x32, 0x34, 0x36, 0x38, chance.randrange(256))))


def blocks(seed: int, inputs: int, first: int, names: Sequence[str]) -> Iterator[tuple[int, str, list[bytes]]]:
    """(number, codec, inputs) of each block; a block depends on the seed and its number alone."""
    for number in range(first, first + math.ceil(inputs / BLOCK)):
        chance = random.Random(f"{seed}/{number}")
        name = names[number % len(names)]
        size = min(BLOCK, inputs - (number - first) * BLOCK)
        yield number, name, [mutated(chance, SEEDS[name]) for _ in range(size)]


def fuzz(seed: int, inputs: int, *, first: int = 0, only: str = "", told: Callable[[Tally], None] = lambda _: None) -> Tally:
    """Try them all; Broken names what broke a promise."""
    decoders = codecs()
    if set(decoders) != set(SEEDS):
        raise Broken(f"a codec without good messages to begin with: {set(decoders) ^ set(SEEDS)}")
    tally = Tally(seed)
    for number, name, bodies in blocks(seed, inputs, first, [only] if only else sorted(decoders)):
        _try(tally, number, name, decoders[name], bodies)
        told(tally)
    return tally


def _try(tally: Tally, number: int, name: str, decode: Decode, bodies: Sequence[bytes]) -> None:
    for body in bodies:
        try:
            good, rejects = decode(body)
            for reject in rejects:
                _check(reject, body)
            if not good and not rejects and body.startswith(_SOMETHING.get(name, ())):
                raise Broken("left out in silence")  # noqa: TRY301 - said with the input below
        except Exception as error:
            what = f"{name}: {error!r}; seed {tally.seed}, block {number}, {len(body)} bytes: {body[:2000].hex()}"
            raise Broken(what) from error
        tally.inputs += 1
        tally.good[name] += good
        tally.refused[name] += len(rejects)
        tally.codes.update(r.code.value for r in rejects)


def _check(reject: Reject, body: bytes) -> None:
    reject.message.encode()
    if not 0 < len(reject.message) < _LONGEST_MESSAGE:
        raise Broken(f"a message of {len(reject.message)} characters")
    if reject.size_bytes != len(body) or len(reject.excerpt) > _LIMITS.excerpt_bytes:
        raise Broken("a reject that does not say of which bytes")


def resident_mib() -> float:
    """Memory this process has in hand now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / _MIB / _MIB


class _Watch:
    """Ends the run when a block hangs, and measures memory once it is warm."""

    def __init__(self, inputs: int) -> None:
        self._warm_at = inputs // 10
        self._next = 0
        self.began_mib = 0.0

    def __call__(self, tally: Tally) -> None:
        self.arm()
        if not self.began_mib and tally.inputs >= self._warm_at:
            self.began_mib = resident_mib()
        if tally.inputs >= self._next:
            self._next += 200_000
            sys.stderr.write(f"{tally.inputs:,} inputs, {resident_mib():.0f} MiB\n")

    def arm(self) -> None:
        signal.alarm(HANG_S)
        # A hang inside a C library does not see our signal handler.
        faulthandler.dump_traceback_later(2 * HANG_S, exit=True)


def _hung(number: int, frame: FrameType | None) -> None:
    raise Broken(f"a block took longer than {HANG_S} s (signal {number}, at {frame and frame.f_code.co_qualname})")


def main(arguments: Sequence[str]) -> int:
    """Run, print one JSON line; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="bench.fuzz_codecs")
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000_000)
    parser.add_argument("--first-block", type=int, default=0)
    parser.add_argument("--codec", choices=sorted(SEEDS), default="")
    given = parser.parse_args(arguments)
    sys.stderr.write(f"seed {given.seed}\n")
    watch = _Watch(given.inputs)
    signal.signal(signal.SIGALRM, _hung)
    watch.arm()
    began = time.monotonic()
    try:
        tally = fuzz(given.seed, given.inputs, first=given.first_block, only=given.codec, told=watch)
    except Broken as broken:
        sys.stderr.write(f"{broken}\n")
        return 1
    finally:
        signal.alarm(0)
        faulthandler.cancel_dump_traceback_later()
    grown = resident_mib() - watch.began_mib
    line = {
        "fuzz": "codecs",
        "seed": tally.seed,
        "inputs": tally.inputs,
        "good": dict(tally.good),
        "refused": dict(tally.refused),
        "codes": dict(tally.codes.most_common()),
        "crashes": 0,
        "hangs": 0,
        "grown_mib": round(grown, 1),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB, 1),
        "seconds": round(time.monotonic() - began, 1),
    }
    print(json.dumps(line), flush=True)
    return int(grown > MOST_GROWTH_MIB)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
