"""How a drill went, and how it went against the last one. Decisions only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from dispatcher.reports.account import Account, NoticeAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class VillageScore:
    """One village: from the first call to the first answer in seconds (None: nobody answered), and whether it came in time."""

    village: str
    first_answer_s: float | None
    in_time: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A whole drill. ``share_in_time`` is of the villages that were asked, 0 … 1, None when none was."""

    villages: tuple[VillageScore, ...]
    first_answer_s: float | None
    share_in_time: float | None
    silent: tuple[str, ...]
    dead: tuple[tuple[str, str], ...]
    speakers_failed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A drill against the last one that the same villages took part in; positive is better."""

    villages: int
    faster_s: float | None
    share_gained: float | None
    silent_again: tuple[str, ...]
    dead_again: tuple[tuple[str, str], ...]


def score(result: Account) -> Score:
    """The score of an account of all warnings of a drill. A village counts by its first notice that asked for an answer."""
    first: dict[str, NoticeAccount] = {}
    for notice in sorted(result.notices, key=lambda n: n.released_at):
        if notice.asked:
            first.setdefault(notice.village, notice)
    villages = tuple(_village(n) for _, n in sorted(first.items()))
    waits = [v.first_answer_s for v in villages if v.first_answer_s is not None]
    return Score(
        villages=villages,
        first_answer_s=min(waits, default=None),
        share_in_time=sum(v.in_time for v in villages) / len(villages) if villages else None,
        silent=tuple(v.village for v in villages if v.first_answer_s is None),
        dead=result.dead,
        speakers_failed=result.speakers_failed,
    )


def _village(notice: NoticeAccount) -> VillageScore:
    answered = notice.answered_at
    wait = None if answered is None else (answered - notice.released_at) / timedelta(seconds=1)
    return VillageScore(village=notice.village, first_answer_s=wait, in_time=notice.within)


def compared(now: Score, last: Score) -> Compared:
    """Over the villages that took part in both: what got better, and what failed again."""
    before: Mapping[str, VillageScore] = {v.village: v for v in last.villages}
    both = [(v, before[v.village]) for v in now.villages if v.village in before]
    waits = [(a.first_answer_s, b.first_answer_s) for a, b in both if a.first_answer_s is not None and b.first_answer_s is not None]
    return Compared(
        villages=len(both),
        faster_s=_mean([b - a for a, b in waits]),
        share_gained=(sum(a.in_time for a, _ in both) - sum(b.in_time for _, b in both)) / len(both) if both else None,
        silent_again=tuple(sorted(set(now.silent) & set(last.silent))),
        dead_again=tuple(sorted(set(now.dead) & set(last.dead))),
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
