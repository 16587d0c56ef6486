"""The book of incidents: every act of a person in one durable transaction, with its entry in the audit log."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dispatcher.accounts import Principal
from dispatcher.answers.links import Link, open_link, sign_link
from dispatcher.errors import LinkRefused, NotAllowed
from dispatcher.house import House
from dispatcher.incidents.life import DUE, Move, Owed, after_move, why_not
from dispatcher.incidents.messages import take_message
from dispatcher.incidents.model import Incident, IncidentState, Instruction, Origin, Part, Report, ReportKind, ReportState, VillageMessage
from dispatcher.incidents.reminding import owed_of, reminded, reminder_key, reports_of
from dispatcher.model.task import FeedKind, FeedLine, Task, TaskKind
from dispatcher.ports import Transaction
from dispatcher.registry.model import Contact
from dispatcher.rows import row_of, value_of
from dispatcher.timestamps import to_ms
from dispatcher.upkeep.audit import Act, write_audit
from dispatcher.warnings.telling import add_feed, add_tasks
from dispatcher.workplace import Workplace
from rules.grade import Grade

LONGEST_PART = 4_000
LINK_HOLDS = timedelta(days=200)
_COUNTER = "incident"
_REPORTS = "report"


@dataclass(frozen=True, slots=True)
class Officer:
    """Who acts, and from where."""

    principal: Principal
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What is known when an incident is opened; ``known_at`` not after now."""

    title: str
    level: Grade
    hazard: str = ""
    area: str = ""
    origin: Origin = Origin.HAND
    origin_ref: str = ""
    known_at: datetime | None = None


class Book:
    """Every method is durable when it returns; NotAllowed says in a sentence why not."""

    def __init__(self, place: Workplace) -> None:
        """Opens nothing."""
        self._place = place

    async def open(self, opening: Opening, who: Officer) -> str:
        """Open an incident; gives its id. Limits count from when the house knew of it."""
        made = ""

        async def work(tx: Transaction, now: datetime) -> None:
            nonlocal made
            incident = await _new(tx, self.house, opening, who, now)
            made = incident.id
            await tx.run("incidents.save", row_of(reminded(self.house, incident, (), incident.known_at)))
            if opening.origin is Origin.MESSAGE:
                await tx.run("incidents.attach_message", {"incident": made, "seq": int(opening.origin_ref), "county": incident.county})
            detail = {"title": incident.title, "level": incident.level.word, "origin": f"{incident.origin}:{incident.origin_ref}"}
            await self._note(tx, who, "open_incident", made, now, detail)
            await add_feed(tx, [_line(incident, now, f"立案报送：{incident.title}", f"Incident opened: {incident.title}")])

        await self._write(work)
        return made

    async def draft(self, incident: str, kind: ReportKind, parts: Mapping[str, str], who: Officer) -> int:
        """Begin a report; gives its number. There is one first report, and none after the final one."""
        number = 0

        async def work(tx: Transaction, now: datetime) -> None:
            nonlocal number
            found, reports = await self._open_one(tx, incident)
            going = [r for r in reports if r.state is not ReportState.DISCARDED]
            if any(r.kind is ReportKind.FINAL and r.state is ReportState.SENT for r in going):
                raise NotAllowed(
                    "the final report has been sent; open a new incident when there is more to say", "终报已报送，如有新情况请另建事件"
                )
            if kind is ReportKind.FIRST and any(r.kind is ReportKind.FIRST for r in going):
                raise NotAllowed("there is a first report already; draft a follow-up", "已有首报，请续报")
            number = len(reports) + 1
            name = who.principal.name
            report = Report(
                incident=incident, number=number, county=found.county, kind=kind, state=ReportState.DRAFT, parts=_checked(parts),
                drafted_by=name, drafted_at=now, updated_at=now,
            )  # fmt: skip
            await tx.run("incidents.save_report", row_of(report))
            await self._note(tx, who, "draft_report", f"{incident}/{number}", now, {"kind": kind.value})

        await self._write(work)
        return number

    async def edit(self, incident: str, number: int, parts: Mapping[str, str], who: Officer) -> None:
        """Change what a draft says; whoever changes it last is its author, whom another must review."""

        async def work(tx: Transaction, now: datetime) -> None:
            report = await self._report(tx, incident, number)
            if report.state is not ReportState.DRAFT:
                raise NotAllowed(f"a report that is {report.state.value} cannot be edited; return it first", "该报告现不可修改，请先退回")
            edited = replace(report, parts=_checked(parts), drafted_by=who.principal.name, updated_at=now)
            await tx.run("incidents.save_report", row_of(edited))
            await self._note(tx, who, "edit_report", f"{incident}/{number}", now, {})

        await self._write(work)

    async def move(self, incident: str, number: int, move: Move, who: Officer, *, remark: str = "", to: str = "", how: str = "") -> None:
        """Submit, approve, return, send or discard a report. Sending records to whom and how, and ends what it was owed for."""

        async def work(tx: Transaction, now: datetime) -> None:
            found, reports = await self._open_one(tx, incident)
            report = await self._report(tx, incident, number)
            refusal = why_not(report, move, who.principal.name, who.principal.role)
            if refusal:
                raise NotAllowed(refusal, "按报告现状或您的权限不能这样办理，或要素不全")
            after = replace(report, state=after_move(report, move), updated_at=now, remark=remark[:500])
            if move is Move.APPROVE:
                after = replace(after, reviewed_by=who.principal.name)
            if move is Move.SEND:
                if not to.strip():
                    raise NotAllowed("to whom it was sent is missing", "未填报送单位")
                after = replace(after, sent_at=now, sent_by=who.principal.name, sent_to=to.strip()[:200], sent_how=how.strip()[:100])
            await tx.run("incidents.save_report", row_of(after))
            if move is Move.SEND:
                await self._settle(tx, found, [r for r in reports if r.number != number], after, now)
            await self._note(tx, who, f"{move.value}_report", f"{incident}/{number}", now, {"to": to, "how": how, "remark": remark})

        await self._write(work)

    async def telephoned(self, incident: str, to: str, who: Officer) -> None:
        """It was reported by telephone, to whom."""

        async def work(tx: Transaction, now: datetime) -> None:
            found, reports = await self._open_one(tx, incident)
            if not to.strip():
                raise NotAllowed("to whom it was reported by telephone is missing", "未填电话报告对象")
            after = replace(found, phoned_at=found.phoned_at or now, phoned_to=found.phoned_to or to.strip()[:200])
            await self._close_reminders(tx, found, reports, {Owed.TELEPHONE}, now)
            await tx.run("incidents.save", row_of(reminded(self.house, after, reports, now)))
            await self._note(tx, who, "telephone_report", incident, now, {"to": to})

        await self._write(work)

    async def instruct(self, incident: str, instruction: Instruction, who: Officer) -> int:
        """Write down what a leader wrote (批示); gives its number. Its numbers, county and recorder are filled in here."""
        number = 0

        async def work(tx: Transaction, now: datetime) -> None:
            nonlocal number
            found, _ = await self._open_one(tx, incident)
            if not instruction.leader.strip() or not instruction.text.strip():
                raise NotAllowed("an instruction needs the leader's name and its text", "批示须填领导姓名和内容")
            number = len(await tx.fetch("incidents.instructions", {"incident": incident})) + 1
            whole = replace(instruction, incident=incident, number=number, county=found.county, recorded_by=who.principal.name)
            await tx.run("incidents.save_instruction", row_of(whole))
            zh, en = f"{found.title}：落实{whole.leader}批示", f"{found.title}: carry out what {whole.leader} instructed"
            await add_tasks(tx, self.house, [_task(found, f"instruction/{incident}/{number}", TaskKind.REPORT, zh, en, now)])
            await self._note(tx, who, "instruction", f"{incident}/{number}", now, {"leader": whole.leader, "text": whole.text})

        await self._write(work)
        return number

    async def feed_back(self, incident: str, number: int, text: str, who: Officer) -> None:
        """What came of an instruction; its task is done."""

        async def work(tx: Transaction, now: datetime) -> None:
            rows = [r for r in await tx.fetch("incidents.instructions", {"incident": incident}) if r["number"] == number]
            if not rows or not text.strip():
                raise NotAllowed(*(("the feedback is empty", "反馈内容为空") if rows else ("there is no such instruction", "没有该批示")))
            given = replace(value_of(Instruction, rows[0]), feedback=text[:LONGEST_PART], feedback_at=now, feedback_by=who.principal.name)
            await tx.run("incidents.save_instruction", row_of(given))
            await _close_tasks(tx, [f"instruction/{incident}/{number}"], who.principal.name, now)
            await self._note(tx, who, "feedback", f"{incident}/{number}", now, {"text": text[:200]})

        await self._write(work)

    async def close(self, incident: str, who: Officer) -> None:
        """Close an incident whose final report (or, when it came to nothing, a zero report) has been sent."""

        async def work(tx: Transaction, now: datetime) -> None:
            found, reports = await self._open_one(tx, incident)
            if not any(r.state is ReportState.SENT and r.kind in (ReportKind.FINAL, ReportKind.ZERO) for r in reports):
                raise NotAllowed(
                    "an incident is closed after its final report (or a zero report) has been sent", "终报（或零报告）报送后方可办结"
                )
            after = replace(found, state=IncidentState.CLOSED, closed_at=now)
            await self._close_reminders(tx, found, reports, set(Owed), now)
            await tx.run("incidents.save", row_of(reminded(self.house, after, reports, now)))
            await self._note(tx, who, "close_incident", incident, now, {})

        await self._write(work)

    async def message(self, message: VillageMessage, photo: bytes = b"", origin: str = "") -> None:
        """What somebody of a village reports; the duty room has a task at once."""
        await self._write(lambda tx, now: take_message(tx, self.house, message, photo, now, origin))

    def link_of(self, person: str) -> str:
        """The address at which a contact reports from his village; it is his own and holds for a flood season."""
        token = sign_link(self.house.secret, Link(_REPORTS, person), self._place.clock.now() + LINK_HOLDS)
        return f"{self.house.public_url}/v/{token}"

    def reporter(self, token: str) -> Contact:
        """Whose link this is; LinkRefused when it is altered, too old, for something else, or its person has left the list."""
        link = open_link(self.house.secret, token, self._place.clock.now())
        who = self.house.registry.contacts.get(link.person)
        if link.code != _REPORTS or who is None:
            raise LinkRefused("this link is not for reporting, or its person has left the list", expired=False)
        return who

    # ------------------------------------------------------------------------------------------- parts

    @property
    def house(self) -> House:
        """What every decision here rests on."""
        return self._place.house

    async def _open_one(self, tx: Transaction, incident: str) -> tuple[Incident, list[Report]]:
        rows = await tx.fetch("incidents.one", {"id": incident, "county": self.house.county})
        if not rows:
            raise NotAllowed(f"there is no incident {incident!r}", f"没有事件 {incident}")
        found = value_of(Incident, rows[0])
        if found.state is IncidentState.CLOSED:
            raise NotAllowed("this incident is closed", "该事件已办结")
        return found, (await reports_of(tx, [incident])).get(incident, [])

    async def _report(self, tx: Transaction, incident: str, number: int) -> Report:
        found = [r for r in (await reports_of(tx, [incident])).get(incident, []) if r.number == number]
        if not found:
            raise NotAllowed(f"there is no report {number} of {incident!r}", f"事件 {incident} 没有第 {number} 号报告")
        return found[0]

    async def _settle(self, tx: Transaction, found: Incident, others: list[Report], sent: Report, now: datetime) -> None:
        """What the report was owed for is done; the next thing owed begins."""
        await self._close_reminders(tx, found, others, {Owed.FIRST, Owed.FOLLOW_UP}, now)
        await tx.run("incidents.save", row_of(reminded(self.house, found, [*others, sent], now)))

    async def _close_reminders(self, tx: Transaction, found: Incident, reports: list[Report], done: set[Owed], now: datetime) -> None:
        shares = (*self.house.reporting.remind_at, DUE)
        keys = [reminder_key(found.id, d, s) for d in owed_of(self.house, found, reports) if d.owed in done for s in shares]
        await _close_tasks(tx, keys, "report", now)

    async def _note(self, tx: Transaction, who: Officer, act: str, subject: str, now: datetime, detail: Mapping[str, object]) -> None:
        said = Act(actor=who.principal.name, origin=who.origin, act=act, subject=subject, detail={k: v for k, v in detail.items() if v})
        await write_audit(tx, self.house.county, now, [said])

    async def _write(self, work: Callable[[Transaction, datetime], Awaitable[None]]) -> None:
        async with self._place.store.write() as tx:
            await work(tx, self._place.clock.now())
        self._place.broadcast.wake()


async def _new(tx: Transaction, house: House, opening: Opening, who: Officer, now: datetime) -> Incident:
    if not opening.title.strip():
        raise NotAllowed("an incident needs a title", "事件须有标题")
    if not opening.level:
        raise NotAllowed("an incident needs a level from blue to red", "事件须定级（蓝至红）")
    if opening.known_at is not None and opening.known_at > now:
        raise NotAllowed("an incident cannot become known in the future", "获知时间不能晚于现在")
    rows = await tx.fetch("journal.counter", {"name": _COUNTER})
    number = int(rows[0]["value"]) + 1 if rows else 1
    await tx.run("journal.set_counter", {"name": _COUNTER, "value": number})
    day = now.astimezone(house.registry.county.timezone)
    return Incident(
        id=f"{day:%Y%m%d}-{number}",
        county=house.county,
        status=house.status,
        title=opening.title.strip()[:200],
        hazard=opening.hazard,
        area=opening.area or house.county,
        level=opening.level,
        state=IncidentState.OPEN,
        origin=opening.origin,
        origin_ref=opening.origin_ref,
        known_at=opening.known_at or now,
        opened_at=now,
        opened_by=who.principal.name,
    )


def _checked(parts: Mapping[str, str]) -> dict[str, str]:
    unknown = sorted(set(parts) - set(Part))
    if unknown:
        raise NotAllowed(f"a report has no field {unknown[0]!r}; allowed: {', '.join(Part)}", f"报告没有要素 {unknown[0]}")
    long = sorted(name for name, text in parts.items() if len(text) > LONGEST_PART)
    if long:
        raise NotAllowed(f"{long[0]!r} is longer than {LONGEST_PART} characters", f"{long[0]} 超过 {LONGEST_PART} 字")
    return {name: parts[name].strip() for name in Part if parts.get(name, "").strip()}


async def _close_tasks(tx: Transaction, keys: list[str], by: str, now: datetime) -> None:
    if keys:
        await tx.run("incidents.close_tasks", {"keys": json.dumps(keys), "now": to_ms(now), "by": by})


def _task(incident: Incident, key: str, kind: TaskKind, zh: str, en: str, now: datetime) -> Task:
    return Task(key=key, county=incident.county, status=incident.status, kind=kind, village="", text_zh=zh, text_en=en, opened_at=now)


def _line(incident: Incident, now: datetime, zh: str, en: str) -> FeedLine:
    return FeedLine(
        county=incident.county, status=incident.status, at=now, kind=FeedKind.INCIDENT, grade=incident.level, subject=incident.id,
        text_zh=zh, text_en=en,
    )  # fmt: skip
