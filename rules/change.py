"""What comes out of the engine: grade changes that say why, and remarks for the duty room."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from rules.grade import Grade


class Mode(StrEnum):
    """Whether what a rule decides leaves the house. Never ``off``: YAML 1.1 reads that as False."""

    LIVE = "live"
    SHADOW = "shadow"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One ladder row and what it saw.

    ``value`` is in ``unit``; ``thresholds`` are blue to red for a table row, empty for an expression;
    ``text`` is the expression as written, empty for a table row; ``met`` is the highest grade the row reached;
    ``readings`` of ``expected`` were used (0 where that makes no sense), ``late`` of them arrived late.
    ``suspect`` more were not used, for the reasons in ``doubts`` (``range``, ``step``, ``spike``, ``stuck``, ``fell``, ``bad``, …).
    ``inputs`` says what the named values are, as written in the rule: ``("r3h", "sum(rain, 3h)")``.
    """

    row: str
    value: float
    unit: str
    met: Grade
    thresholds: tuple[float, ...] = ()
    text: str = ""
    values: tuple[tuple[str, float], ...] = ()
    readings: int = 0
    expected: int = 0
    late: int = 0
    inputs: tuple[tuple[str, str], ...] = ()
    suspect: int = 0
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """What the numbers of the table were multiplied ``by``, because the condition ``text`` held with these ``values``."""

    by: float
    text: str
    values: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A place moved from one grade to another, because of named values.

    ``id`` is ``rule/place/episode/step``: the same decision always has the same id.
    ``at`` is event time, ``decided_at`` the ``now`` it was decided at; both aware.
    ``issued_by`` is ``township`` or ``county``: the area whose Warning it feeds. ``incomplete`` when an input was missing.
    ``onset`` is when what it warns of is expected: where the forecast periods begin that the grade needs; None: now. A place whose
    grade stays (``before`` is ``after``) has moved in this alone: it is expected sooner than was said.
    """

    id: str
    rule: str
    version: int
    table: str
    hazard: str
    place: str
    before: Grade
    after: Grade
    at: datetime
    decided_at: datetime
    because: tuple[Evidence, ...]
    also: tuple[Evidence, ...] = ()
    issued_by: str = "county"
    mode: Mode = Mode.LIVE
    late_by: timedelta = field(default=timedelta(0))
    incomplete: bool = False
    scale: Scaling | None = None
    onset: datetime | None = None


class RemarkKind(StrEnum):
    """What a remark is about."""

    NO_DATA = "no_data"
    DATA_BACK = "data_back"
    SUSPECT = "suspect"
    CLOCK = "clock"
    LATE = "late"
    ASK = "ask"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something the duty room must know that is not a grade change; never a reason to clear.

    ``key`` is stable per (kind, rule, place/station, episode) so that a repeat raises no second task. ``grade`` is the grade that
    an ``ASK`` proposes to lower to, or that a ``SUSPECT`` value would have reached; None where there is none.
    """

    key: str
    kind: RemarkKind
    rule: str
    place: str
    at: datetime
    text_zh: str
    text_en: str
    grade: Grade | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What one batch or one tick decided, in order."""

    changes: tuple[Change, ...] = ()
    remarks: tuple[Remark, ...] = ()
