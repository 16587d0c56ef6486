"""Rows of the store to the board: pure, so that 600 villages are arranged without one more query."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dispatcher.model.answer import Said
from dispatcher.model.notice import Notice, Purpose
from dispatcher.policy.model import Action, GradePlan
from dispatcher.policy.snapshot import plan_from_json
from dispatcher.ports import DeliveryState, Row, Status
from dispatcher.registry.model import Registry
from dispatcher.rows import value_of
from dispatcher.timestamps import from_ms
from dispatcher.views.board import Board, Cell, CellState, ChannelCount, Filter, Line, Section, Totals
from dispatcher.views.call_state import ORDER, URGENCY, CallState, Standing, Tally, standing
from rules.grade import Grade

_GOOD = frozenset({DeliveryState.DELIVERED})
_BAD = frozenset({DeliveryState.FAILED, DeliveryState.UNDELIVERED, DeliveryState.EXPIRED})
_NEVER_LEFT = frozenset({DeliveryState.SUPERSEDED})
_TOLD = frozenset({CallState.ANSWERED, CallState.ACTING, CallState.DONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The rows a board is made of: villages with their current notice, the plans of these, answers, deliveries counted."""

    villages: Sequence[Row]
    plans: Sequence[Row]
    answers: Sequence[Row]
    tallies: Sequence[Row]


def arrange(tables: Tables, registry: Registry, wanted: Filter, now: datetime) -> Board:
    """The board at ``now``; the filter hides lines and never changes the totals."""
    answers: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in tables.answers:
        answers[row["warning"], row["village"]].append(row)
    tallies: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    for row in tables.tallies:
        tallies[row["notice"]][row["channel"], row["state"]] = row["n"]
    plans = {row["digest"]: plan_from_json(row["body"]) for row in tables.plans}
    groups: dict[int, list[tuple[Row, Line]]] = defaultdict(list)
    for row in tables.villages:
        plan = plans.get(row["plan"])
        said = answers[row["of_warning"], row["of_village"]]
        groups[row["warning_seq"]].append((row, _line(row, plan, said, tallies[row["id"]], registry, now)))
    sections = sorted((_section(group, wanted) for group in groups.values()), key=lambda s: (-s.grade, s.opened_at, s.warning))
    return Board(sections=tuple(sections), totals=_totals([line for s in sections for line in s.lines]))


def _section(group: Sequence[tuple[Row, Line]], wanted: Filter) -> Section:
    row = group[0][0]
    lines = tuple(sorted((line for _, line in group), key=_worst_first))
    return Section(
        key=f"w{row['warning_seq']}",
        warning=row["of_warning"],
        hazard=row["of_hazard"],
        area=row["area"],
        status=Status(row["of_status"]),
        grade=Grade(row["warning_grade"]),
        opened_at=from_ms(row["opened_at"]),
        by_grade=Counter(line.grade for line in lines),
        lines=lines,
        shown=tuple(line for line in lines if _is_wanted(line, wanted)),
    )


def _is_wanted(line: Line, wanted: Filter) -> bool:
    if wanted.township and line.township != wanted.township:
        return False
    return not wanted.only_open or line.standing.state.is_open or line.help_wanted


def _worst_first(line: Line) -> tuple[int, bool, int, str]:
    return (-line.grade, not (line.help_wanted or line.refused), URGENCY[line.standing.state], line.village)


def _line(row: Row, plan: GradePlan | None, answers: Sequence[Row], tally: Tally, registry: Registry, now: datetime) -> Line:
    notice = value_of(Notice, row) if row["id"] else None
    grade, told = Grade(row["village_grade"]), Grade(row["told"])
    stand = standing(notice, plan, tally, now) if notice else Standing(state=CallState.WAITING)
    if grade > told:
        stand = Standing(state=CallState.WAITING)
    current = [a for a in answers if notice and a["notice"] == notice.id]
    spoken = [a for a in answers if not a["helper"]]
    people = next((a["people"] for a in reversed(spoken) if a["people"] is not None), None)
    moves = notice is not None and (people is not None or (plan is not None and Action.EVACUATED in plan.actions))
    village = registry.villages.get(row["of_village"])
    said = {a["action"] for a in current}
    return Line(
        key=f"v{row['warning_seq']}-{row['of_village']}",
        notice=notice.id if notice else "",
        village=row["of_village"],
        township=village.township if village else "",
        grade=grade,
        told=told,
        revision=notice.revision if notice else 0,
        purpose=notice.purpose if notice else Purpose.WARN,
        standing=stand,
        cells=_cells(notice, plan, [a for a in current if not a["helper"]], now),
        channels=_channels(tally),
        released_at=notice.released_at if notice else None,
        people=people,
        listed=notice.listed if notice and moves else 0,
        helped=notice.helped if notice and moves else 0,
        helped_moved=_helped_moved(answers),
        onset=notice.onset if notice else None,
        stage=notice.stage if notice else "",
        help_wanted=Said.HELP in said,
        refused=Said.REFUSED in said,
        reason_zh=row["village_reason_zh"],
        reason_en=row["village_reason_en"],
    )


def _helped_moved(answers: Sequence[Row]) -> int:
    """The last number of each helper, together."""
    last = {a["person"]: a["people"] for a in answers if a["helper"] and a["people"] is not None}
    return sum(last.values())


def _cells(notice: Notice | None, plan: GradePlan | None, answers: Sequence[Row], now: datetime) -> tuple[Cell, ...]:
    asked = plan.actions if notice and plan and notice.purpose is Purpose.WARN else ()
    first = {a["action"]: a for a in reversed(answers)}
    # A call for help proves that the notice was heard.
    reported = max((ORDER.index(a) for a in ORDER if a.value in first), default=-1 if Said.HELP not in first else 1)
    cells = []
    for rank, action in enumerate(ORDER):
        answer = first.get(action.value)
        if answer is not None:
            cells.append(_answered(action, answer))
        elif action not in asked or notice is None or plan is None:
            cells.append(Cell(action=action, state=CellState.NOT_ASKED))
        elif rank < reported:
            cells.append(Cell(action=action, state=CellState.IMPLIED))
        else:
            due = notice.released_at + plan.deadlines[action] if action in plan.deadlines else None
            late = due is not None and due <= now
            cells.append(Cell(action=action, state=CellState.OVERDUE if late else CellState.PENDING, at=due))
    return tuple(cells)


def _answered(action: Action, answer: Row) -> Cell:
    return Cell(
        action=action,
        state=CellState.DONE,
        at=from_ms(answer["at"]),
        person=answer["person"],
        path=answer["path"],
        on_behalf_by=answer["on_behalf_by"],
    )


def _channels(tally: Tally) -> tuple[ChannelCount, ...]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for (channel, state), n in tally.items():
        if state not in _NEVER_LEFT:
            counts[channel]["total"] += n
            counts[channel]["good"] += n if state in _GOOD else 0
            counts[channel]["bad"] += n if state in _BAD else 0
    return tuple(ChannelCount(channel=c, total=n["total"], good=n["good"], bad=n["bad"]) for c, n in sorted(counts.items(), reverse=True))


def _totals(lines: Sequence[Line]) -> Totals:
    by_state: Mapping[CallState, int] = Counter(line.standing.state for line in lines)
    asked = [line for line in lines if line.standing.state not in (CallState.INFORMED, CallState.WAITING, CallState.SUPERSEDED)]
    people: dict[str, int] = {}
    listed: dict[str, int] = {}
    for line in lines:
        listed[line.village] = max(line.listed, listed.get(line.village, 0))
        if line.people is not None:
            people[line.village] = max(line.people, people.get(line.village, 0))
    return Totals(
        asked=len(asked),
        answered=sum(_has_answered(line) for line in asked),
        open=sum(line.standing.state.is_open for line in lines),
        overdue=sum(line.standing.state is CallState.OVERDUE for line in lines),
        people=sum(people.values()),
        listed=sum(listed.values()),
        not_moved=sum(max(0, n - people.get(v, 0)) for v, n in listed.items()),
        villages=len({line.village for line in lines if line.grade}),
        by_grade=Counter(line.grade for line in lines),
        by_state=by_state,
    )


def _has_answered(line: Line) -> bool:
    return line.standing.state in _TOLD or any(cell.state is CellState.DONE for cell in line.cells)
