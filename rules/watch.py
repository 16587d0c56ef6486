"""Which places fall silent, and when, in arrival time: microseconds since 1970-01-01 UTC.

Deadlines stand in boxes of a few seconds each: a box is opened when its time has come, and a place that has reported since moves
to a later one. So a reading moves no deadline, and most deadlines are never compared with each other.
"""

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush

from rules.ladder import Ladder
from rules.series import Series

_BOX_US = 10_000_000
_LOOKS = 64
"""How many places are looked at when somebody asks for the next deadline."""


class Watch:
    """Deadlines of all places that are not silent."""

    def __init__(self, ladders: Sequence[Ladder]) -> None:
        """Watch every place that is neither silent nor suspended."""
        self._ladders = ladders
        self._numbers = {id(x): n for n, x in enumerate(ladders)}
        # Most places hear one series: what their deadline is made of stands ready.
        self._single: list[Series | None] = [None if x.many else x.series[0] for x in ladders]
        self._after_us = [x.rule.no_data.after_s * 1_000_000 for x in ladders]
        self._inside = bytearray(len(ladders))
        self._boxes: dict[int, list[int]] = {}
        self._order: list[int] = []
        self._open: list[tuple[int, int]] = []
        self._opened = -1
        for n, x in enumerate(ladders):
            if not x.silent and not x.suspended:
                self._boxes.setdefault(self._deadline_us(n) // _BOX_US, []).append(n)
                self._inside[n] = 1
        self._order = list(self._boxes)
        heapify(self._order)

    def add(self, ladder: Ladder) -> None:
        """Watch a place again that has reported."""
        n = self._numbers[id(ladder)]
        if not self._inside[n]:
            self._inside[n] = 1
            self._put(n, self._deadline_us(n))

    def _put(self, n: int, at_us: int) -> None:
        box = at_us // _BOX_US
        found = self._boxes.get(box)
        if found is not None:
            found.append(n)
        elif box <= self._opened:
            heappush(self._open, (at_us, n))
        else:
            self._boxes[box] = [n]
            heappush(self._order, box)

    def next_us(self) -> int | None:
        """When to look again: the next deadline, or a little earlier when many readings have just come in."""
        for _ in range(_LOOKS):
            if self._open:
                if not self._renewed():
                    break
            elif self._order and len(self._boxes[self._order[0]]) <= _LOOKS:
                self._open_first()
            else:
                break
        if self._open:
            return self._open[0][0]
        return self._order[0] * _BOX_US if self._order else None

    def due(self, now_us: int) -> Iterator[Ladder]:
        """Take out the places whose deadline has come, earliest first."""
        while self._order and self._order[0] * _BOX_US <= now_us:
            self._open_first()
        while self._open and self._open[0][0] <= now_us:
            if not self._renewed():
                n = heappop(self._open)[1]
                self._inside[n] = 0
                yield self._ladders[n]

    def _open_first(self) -> None:
        self._opened = heappop(self._order)
        for n in self._boxes.pop(self._opened):
            at_us = self._deadline_us(n)
            found = self._boxes.get(at_us // _BOX_US)
            # Written out here, too, because most places go to a box that is there.
            if found is not None:
                found.append(n)
            else:
                self._put(n, at_us)

    def _renewed(self) -> bool:
        """Bring the first open deadline up to date; false when it is."""
        at_us, n = self._open[0]
        ladder = self._ladders[n]
        waits = not ladder.silent and not ladder.suspended
        due_us = self._deadline_us(n)
        if waits and due_us <= at_us:
            return False
        heappop(self._open)
        if waits:
            self._put(n, due_us)
        else:
            self._inside[n] = 0
        return True

    def _deadline_us(self, n: int) -> int:
        ladder = self._ladders[n]
        single = self._single[n]
        arrived_us = ladder.arrived_us() if single is None else single.arrived_us
        return max(arrived_us, ladder.excused_us) + self._after_us[n]


def deadline_us(ladder: Ladder) -> int:
    """When a place counts as silent if nothing more arrives."""
    return max(ladder.arrived_us(), ladder.excused_us) + ladder.rule.no_data.after_s * 1_000_000
