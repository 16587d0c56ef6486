"""SL 651-2014 messages of several packets (SYN) put together; each packet is a frame of its own (多包传输)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from dispatcher.intake.codecs.sl651_frame import Bad, Encoding, Frame, find_frames
from dispatcher.model.reject import Fault, RejectCode


def messages(data: bytes) -> Iterator[Frame | Bad]:
    """The frames of a body, with the packets of one message put together to one frame."""
    packets: dict[tuple[Encoding, str, int, int], dict[int, Frame]] = {}
    for found in find_frames(data):
        if isinstance(found, Bad) or not found.total or not found.up:
            yield found
            continue
        key = (found.encoding, found.station, found.function, found.total)
        group = packets.setdefault(key, {})
        group[found.number] = found
        if len(group) == found.total and set(group) == set(range(1, found.total + 1)):
            del packets[key]
            yield join(group)
    for group in packets.values():
        total = next(iter(group.values())).total
        raw = b"".join(group[n].raw for n in sorted(group))
        yield Bad(raw, 0, Fault(RejectCode.TRUNCATED, f"packets {missing(group, total)} of {total} are missing; allowed: all of a message"))


def join(group: Mapping[int, Frame]) -> Frame:
    """The packets of one message as one frame."""
    ordered = [group[n] for n in sorted(group)]
    return replace(ordered[-1], body=b"".join(f.body for f in ordered), raw=b"".join(f.raw for f in ordered))


def missing(group: Mapping[int, Frame], total: int) -> str:
    """The numbers that are not there, the first ten of them."""
    absent = [n for n in range(1, min(total, 4095) + 1) if n not in group]
    return ", ".join(map(str, absent[:10])) + (" …" if len(absent) > 10 else "")  # noqa: PLR2004 - enough to see what is amiss
