"""From the audit log to who should have been told by now, and from there to what is amiss. Decisions only.

It shares no step with the code that plans and sends: what that code forgot, this one must notice.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from dispatcher.ports import Row, Status
from dispatcher.timestamps import from_ms
from rules.grade import Grade

PATIENCE = {Grade.RED: 3, Grade.ORANGE: 3, Grade.YELLOW: 15, Grade.BLUE: 15}
"""Minutes in which a village must have been reached once: longer than a try that hangs (20 s) with its fallback, shorter than the
first answer is due (5 min for red). Lower grades may wait in their lane."""
STALLED = timedelta(minutes=2)
"""A step of a call plan that is this much overdue is not being taken."""
LOOK_BACK = timedelta(hours=24)


class Amiss(StrEnum):
    """What the log says and the rows do not bear out."""

    NO_NOTICE = "no_notice"
    NOT_REACHED = "not_reached"
    STALLED = "stalled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The newest thing that was released for a village in a warning: it is to be told this grade."""

    warning: str
    village: str
    alert: str
    grade: Grade
    released_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the rows say of one notice; ``reached`` counts deliveries that a far side took, ``answers`` what people said."""

    notice: str
    calling: bool
    holds: bool
    reached: int
    answers: int
    next_due: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One village for which the log and the rows do not agree."""

    amiss: Amiss
    expected: Expected
    since: datetime

    @property
    def key(self) -> str:
        """The same matter found again has the same key."""
        return f"audit/{self.expected.alert}/{self.expected.village}/{self.amiss.value}"


def expected_of(log: Iterable[Row], status: Status = Status.ACTUAL) -> tuple[Expected, ...]:
    """Who is to know what: of each village in each warning the newest release of this status; a retracted warning expects nothing."""
    newest: dict[tuple[str, str], Expected] = {}
    for entry in log:
        if entry["act"] == "retract":
            for key in [k for k in newest if k[0] == entry["subject"]]:
                del newest[key]
            continue
        alert = entry["subject"]
        warning = alert.rpartition(".")[0]
        detail = json.loads(entry["detail"])
        if detail["status"] != status:  # a drill is scored, not audited
            continue
        for village, word in detail["places"].items():
            newest[warning, village] = Expected(
                warning=warning, village=village, alert=alert, grade=Grade.from_word(word), released_at=from_ms(entry["at"])
            )
    return tuple(newest.values())


def findings(expected: Sequence[Expected], found: Mapping[tuple[str, str], Found], now: datetime, slack: timedelta) -> list[Finding]:
    """Every expectation of a grade that is not borne out; ``found`` is by (alert, village). A lift asks for nobody's ear.

    ``slack`` is granted on top of all patience: on a clock that runs faster than the wall, sending takes its real seconds.
    """
    amiss: list[Finding] = []
    for one in expected:
        if not one.grade:
            continue
        row = found.get((one.alert, one.village))
        if row is None:
            amiss.append(Finding(amiss=Amiss.NO_NOTICE, expected=one, since=one.released_at))
        elif row.holds and not row.reached and not row.answers:
            if now - one.released_at > timedelta(minutes=PATIENCE[one.grade]) + slack:
                amiss.append(Finding(amiss=Amiss.NOT_REACHED, expected=one, since=one.released_at))
        elif row.calling and row.next_due is not None and now - row.next_due > STALLED + slack:
            amiss.append(Finding(amiss=Amiss.STALLED, expected=one, since=row.next_due))
    return amiss
