"""Inside one transaction: an answer is recorded, the chain stops for what is answered, and a cry for help becomes a task."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from dispatcher.answers.counting import count_task, task_key
from dispatcher.calls.agenda import agenda, next_due, state_of
from dispatcher.calls.escalating import answers_of, plans_of, satisfied_of
from dispatcher.calls.helping import calls_helpers
from dispatcher.errors import NotAsked
from dispatcher.house import House
from dispatcher.model.answer import Answer, Path, Said
from dispatcher.model.notice import Notice, NoticeState, Purpose
from dispatcher.model.task import Task, TaskKind
from dispatcher.policy.model import GradePlan
from dispatcher.ports import Transaction
from dispatcher.rows import row_of
from dispatcher.timestamps import to_ms
from dispatcher.upkeep.audit import Act, write_audit
from dispatcher.warnings.feed import answer_line
from dispatcher.warnings.telling import add_feed, add_tasks

_URGENT = {Said.HELP: (TaskKind.HELP, "求助", "asks for help"), Said.REFUSED: (TaskKind.REFUSED, "表示不能转移", "refuses to move")}


def check_asked(notice: Notice) -> None:
    """NotAsked, in a sentence, when this notice wants no answer any more."""
    if notice.purpose is not Purpose.WARN:
        raise NotAsked("this notice only informs; it asks for no answer")
    if notice.state is NoticeState.SUPERSEDED:
        raise NotAsked("a newer notice has replaced this one; please answer the newer one")


async def record_answers(tx: Transaction, house: House, given: Sequence[tuple[Notice, Answer]], now: datetime, origin: str = "") -> None:
    """Write the answers and what follows from each for its notice. Every notice must still ask (``check_asked``)."""
    notices = {notice.id: notice for notice, _ in given}
    plans = await plans_of(tx, list(notices.values()))
    given = await _with_helpers_marked(tx, house, given, plans)
    await tx.run_many("desk.add_answer", [row_of(answer) for _, answer in given])
    answers = await answers_of(tx, list(notices))
    agendas = {digest: agenda(plan) for digest, plan in plans.items()}
    states = []
    for notice in notices.values():
        plan = plans[notice.plan]
        satisfied = satisfied_of(house, notice, plan, answers[notice.id])
        due = next_due(agendas[notice.plan], notice.steps_done, satisfied, notice.released_at)
        state = state_of(plan, notice.purpose, satisfied)
        states.append({"id": notice.id, "state": state.value, "next_due": to_ms(due) if due else None})
    await tx.run_many("notices.set_state", states)
    await write_audit(tx, house.county, now, [_act(answer, origin) for _, answer in given])
    await add_feed(tx, [answer_line(house, answer, notice) for notice, answer in given])
    await add_tasks(tx, house, [_urgent(house, a, now) for _, a in given if a.action in _URGENT])
    await _count(tx, house, [n for n, a in given if n.listed and a.people is not None], answers, now)


async def _count(tx: Transaction, house: House, counted: Sequence[Notice], answers: Mapping[str, Sequence[Answer]], now: datetime) -> None:
    """Hold numbers that were just given against the lists; a task that a later number settles is closed."""
    for notice in dict.fromkeys(counted):
        task = count_task(house, notice, answers[notice.id], now)
        if task is not None:
            await add_tasks(tx, house, [task])
        else:
            await tx.run("desk.close_task_of", {"key": task_key(notice), "closed_at": to_ms(now), "closed_by": "counted"})


async def _with_helpers_marked(
    tx: Transaction, house: House, given: Sequence[tuple[Notice, Answer]], plans: Mapping[str, GradePlan]
) -> Sequence[tuple[Notice, Answer]]:
    """Who was told of a notice only as a helper answers for his households."""
    asked = {notice.id for notice, _ in given if notice.helped and calls_helpers(plans[notice.plan])}
    if not asked:
        return given
    phones = {a.person: c.phone for _, a in given if (c := house.registry.contacts.get(a.person)) is not None}
    scope = {"notices": json.dumps(sorted(asked)), "addresses": json.dumps(sorted(set(phones.values())))}
    told = {(row["notice"], row["address"]) for row in await tx.fetch("desk.told_as_helpers", scope)}
    return [(n, replace(a, helper=(n.id, phones.get(a.person)) in told)) for n, a in given]


def _act(answer: Answer, origin: str) -> Act:
    detail = {
        "action": answer.action.value,
        "path": answer.path.value,
        "person": answer.person,
        "people": answer.people,
        "note": answer.note,
    }
    actor = answer.on_behalf_by or answer.person
    return Act(actor=actor, origin=origin or answer.path.value, act="answer", subject=answer.notice, detail=detail)


def _urgent(house: House, answer: Answer, now: datetime) -> Task:
    kind, zh, en = _URGENT[answer.action]
    return Task(
        key=f"{kind.value}/{answer.notice}/{answer.person or answer.on_behalf_by}",
        county=answer.county,
        status=answer.status,
        kind=kind,
        village=answer.village,
        text_zh=f"{house.registry.name_of(answer.village, 'zh')}{zh}：{answer.note}".rstrip("："),
        text_en=f"{house.registry.name_of(answer.village, 'en')} {en}: {answer.note}".rstrip(": "),
        opened_at=now,
    )


def answer_to(  # noqa: PLR0913 - who, what, how, when: the parts of an answer
    notice: Notice, said: Said, path: Path, *, person: str, on_behalf_by: str = "", people: int | None = None, note: str = "", at: datetime
) -> Answer:
    """The answer of a person (or on behalf of one) to a notice."""
    return Answer(
        notice=notice.id,
        warning=notice.warning,
        county=notice.county,
        status=notice.status,
        village=notice.village,
        revision=notice.revision,
        person=person,
        on_behalf_by=on_behalf_by,
        action=said,
        path=path,
        people=people,
        note=note,
        at=at,
    )
