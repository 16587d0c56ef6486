"""Which places fall silent, and when: one heap of deadlines in arrival time, in microseconds since 1970-01-01 UTC."""

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush, heapreplace

from rules.ladder import Ladder

_LOOKS = 64
"""How many entries are brought up to date at once when somebody asks for the next deadline."""


class Watch:
    """Deadlines of all places that are not silent. A reading moves none of them: a deadline is brought up to date when it is reached."""

    def __init__(self, ladders: Sequence[Ladder]) -> None:
        """Watch every place that is neither silent nor suspended."""
        self._ladders = ladders
        self._heap = [(deadline_us(x), n) for n, x in enumerate(ladders) if not x.silent and not x.suspended]
        heapify(self._heap)
        self._inside = {n for _, n in self._heap}
        self._numbers = {id(x): n for n, x in enumerate(ladders)}

    def add(self, ladder: Ladder) -> None:
        """Watch a place again that has reported."""
        n = self._numbers[id(ladder)]
        if n not in self._inside:
            self._inside.add(n)
            heappush(self._heap, (deadline_us(ladder), n))

    def next_us(self) -> int | None:
        """When to look again: the next deadline, or a little earlier when many readings have just come in."""
        for _ in range(_LOOKS):
            if not self._heap or not self._renew():
                break
        return self._heap[0][0] if self._heap else None

    def due(self, now_us: int) -> Iterator[Ladder]:
        """Take out the places whose deadline has come, earliest first."""
        heap = self._heap
        while heap and heap[0][0] <= now_us:
            if not self._renew():
                n = heappop(heap)[1]
                self._inside.discard(n)
                yield self._ladders[n]

    def _renew(self) -> bool:
        """Bring the first entry up to date; false when it is."""
        at_us, n = self._heap[0]
        ladder = self._ladders[n]
        if ladder.silent or ladder.suspended:
            self._inside.discard(heappop(self._heap)[1])
            return True
        due_us = deadline_us(ladder)
        if due_us > at_us:
            heapreplace(self._heap, (due_us, n))
        return due_us > at_us


def deadline_us(ladder: Ladder) -> int:
    """When a place counts as silent if nothing more arrives."""
    return max(ladder.arrived_us(), ladder.excused_us) + ladder.rule.no_data.after_s * 1_000_000
