"""What goes into the engine: one value of one variable at one station at one time, alone or many of them in columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, overload


class Reading(NamedTuple):
    """One measured value in the variable's canonical unit.

    A NamedTuple because hundreds of thousands are made each second.
    ``at_s`` is event time in whole seconds since 1970-01-01 UTC; the end of the interval for sums.
    ``quality`` is the sender's own word: ``good``, ``suspect`` or ``bad`` (bad is never used).
    """

    station: str
    variable: str
    value: float
    at_s: int
    quality: str = "good"


Known = tuple[tuple[str, str], ...]
"""(station, variable) of everything that may send; a column names one by its place in here."""


class Columns(Sequence[Reading]):
    """Readings column by column: to the engine they are the same, at a third of the cost.

    ``numbers`` say whose value each is, by its place in ``known``; ``marks`` hold the quality, by position, where it is not ``good``.
    """

    __slots__ = ("known", "marks", "numbers", "times_s", "values")

    def __init__(self, known: Known, numbers: list[int], values: list[float], times_s: list[int], marks: Mapping[int, str]) -> None:
        """The lists are of one length, and belong to it from now on."""
        self.known = known
        self.numbers = numbers
        self.values = values
        self.times_s = times_s
        self.marks = marks

    def __len__(self) -> int:
        """How many readings there are."""
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> Reading: ...
    @overload
    def __getitem__(self, index: slice) -> list[Reading]: ...
    def __getitem__(self, index: int | slice) -> Reading | list[Reading]:
        """One reading, or some of them."""
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        n = range(len(self))[index]
        return Reading(*self.known[self.numbers[n]], self.values[n], self.times_s[n], self.marks.get(n, "good"))

    def __iter__(self) -> Iterator[Reading]:
        """Every reading, in order."""
        return map(self.__getitem__, range(len(self)))

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same readings in the same order."""
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment] # as with every other list

    def __repr__(self) -> str:
        """As a list of readings."""
        return repr(list(self))


def joined(parts: Iterable[Sequence[Reading]]) -> Sequence[Reading]:
    """All readings of several parts in their order; still in columns where all of them are, and know the same stations."""
    found = [p for p in parts if p]
    if len(found) == 1:
        return found[0]
    columns = [p for p in found if isinstance(p, Columns)]
    if len(columns) < len(found) or len({id(c.known) for c in columns}) != 1:
        return [reading for part in found for reading in part]
    numbers: list[int] = []
    values: list[float] = []
    times_s: list[int] = []
    marks: dict[int, str] = {}
    for c in columns:
        marks.update((len(numbers) + n, word) for n, word in c.marks.items())
        numbers += c.numbers
        values += c.values
        times_s += c.times_s
    return Columns(columns[0].known, numbers, values, times_s, marks)
