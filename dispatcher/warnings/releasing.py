"""What officers and forecasters do with warnings: propose, agree, refuse, lift, retract, consult. Everything is durable on return."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dispatcher.accounts import Principal, Role
from dispatcher.errors import NotAllowed
from dispatcher.house import House
from dispatcher.model.proposal import Proposal
from dispatcher.model.saying import Saying
from dispatcher.model.warning import Contribution, Warning, WarningState
from dispatcher.policy.release import Origin
from dispatcher.ports import Transaction
from dispatcher.rows import value_of
from dispatcher.rulework.seen import LONGEST, as_json, digest_of
from dispatcher.rulework.svg import Picture
from dispatcher.timestamps import to_ms
from dispatcher.upkeep.audit import Act, write_audit
from dispatcher.warnings.drafting import Draft, draft_sayings, lift_sayings
from dispatcher.warnings.feed import proposal_line
from dispatcher.warnings.hearing import apply_released, hear, save_proposals, take_off
from dispatcher.warnings.issuing import Issued, release_due, release_warning
from dispatcher.warnings.lapsing import settle_proposal
from dispatcher.warnings.proposal_rows import entries_of, proposal_of
from dispatcher.warnings.proposing import Approved, Refused, decide
from dispatcher.warnings.sayings import taken_back
from dispatcher.warnings.telling import add_feed
from dispatcher.workplace import Workplace

_RULE: Final = "rule:"
CONSULTED: Final = ("said", "looked_at", "took_part")
"""What a line of a consultation holds: what somebody said, a plot or page that was looked at, somebody who took part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who does it and from where."""

    who: Principal
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What an officer decides on: the hash of the content he saw, villages of it (none: all), and his note."""

    hash: str
    villages: tuple[str, ...] = ()
    override: bool = False
    note: str = ""


_Work = Callable[[Transaction, datetime], Awaitable[Issued]]


LiftRule = Callable[[str, str, By], Awaitable[None]]
"""Tells the rules that a person has lifted a rule at a place: they must see it anew before it counts again."""


Look = Callable[[str, datetime, datetime], Picture]
"""The plot of a place between two times; LookupError when no rule looks at it."""


async def _no_rules(_rule: str, _place: str, _by: By) -> None:
    """Where no rules are at work."""


class Releases:
    """One for an engine; ``planned`` is called when something new is to be sent.

    When the last of what a rule says of a place was taken back, ``lift_rule`` is called: a ladder that still stands in red would
    not speak again until it had fallen. ``look`` gives plots of what the rules see, None where none are at work.
    """

    def __init__(self, place: Workplace, planned: Callable[[], None], lift_rule: LiftRule = _no_rules, look: Look | None = None) -> None:
        """Nothing is read yet."""
        self._place = place
        self._planned = planned
        self._lift_rule = lift_rule
        self._look = look

    @property
    def house(self) -> House:
        """What the decisions rest on, as it is now."""
        return self._place.house

    async def propose(self, draft: Draft, by: By) -> tuple[str, list[str]]:
        """Put up a warning: its name and the proposals that wait for it, none when it needs nobody. NotAllowed says what is wrong."""
        name, waiting = "", list[str]()

        async def work(tx: Transaction, now: datetime) -> Issued:
            nonlocal name
            house = self._place.house
            earlier = await self._earlier(tx, draft) if draft.replaces else {}
            sayings = draft_sayings(house, draft, by.who.name, earlier, now)
            name = sayings[0].contributor
            await write_audit(tx, house.county, now, [_draft_act(draft, name, by)])
            proposals = await hear(tx, house, sayings, now)
            waiting[:] = [p.id for p in proposals if p.topic == name]
            return await release_due(tx, house, now)

        await self._write(work)
        return name, waiting

    async def approve(self, proposal_id: str, choice: Choice, by: By) -> Proposal:
        """Agree to what was seen; what has enough agreement leaves at once. NotAllowed says why not."""
        return await self._decide(proposal_id, choice, by, approve=True)

    async def refuse(self, proposal_id: str, choice: Choice, by: By) -> Proposal:
        """Say no to what was seen; it needs a reason."""
        if not choice.note.strip():
            raise NotAllowed("a refusal needs a reason", "不予签发须写明理由")
        return await self._decide(proposal_id, choice, by, approve=False)

    async def lift(self, warning_id: str, villages: Sequence[str], reason: tuple[str, str], by: By) -> list[str]:
        """Take back what holds these villages (none: all) of a warning; gives the proposals that wait for it."""
        waiting, ended = list[str](), list[tuple[str, str]]()

        async def work(tx: Transaction, now: datetime) -> Issued:
            warning = await self._open(tx, warning_id)
            contributions = await self._contributions(tx, warning)
            sayings = lift_sayings(contributions, villages, by.who.name, _given(reason), now)
            detail = {"villages": sorted({s.village for s in sayings}), "reason": reason[0] or reason[1]}
            house = self._place.house.of(warning.status)
            await write_audit(tx, house.county, now, [_act(by, "lift", warning_id, detail)])
            proposals = await hear(tx, house, sayings, now)
            waiting[:] = [p.id for p in proposals if p.proposer == by.who.name]
            ended[:] = await _ended_rules(tx, house, sayings)
            return await release_due(tx, self._place.house, now)

        await self._write(work)
        await self._lift_rules(ended, by)
        return waiting

    async def retract(self, warning_id: str, reason: tuple[str, str], by: By) -> Issued:
        """Stop everything that is not yet sent, and tell exactly those who were reached. It was a mistake; nothing is asked of anybody."""
        if not by.who.may(Role.RELEASING_OFFICER):
            raise NotAllowed("this needs the role releasing_officer or higher", "权限不足，须由签发人办理")

        ended: list[tuple[str, str]] = []

        async def work(tx: Transaction, now: datetime) -> Issued:
            warning = await self._open(tx, warning_id)
            held = await self._contributions(tx, warning)
            house = self._place.house.of(warning.status)
            issued = await _retract(tx, house, warning, _given(reason), by, now)
            ended[:] = await _ended_rules(tx, house, held)
            return issued

        issued = await self._write(work)
        await self._lift_rules(ended, by)
        return issued

    async def consult(self, proposal_id: str, kind: str, text: str, by: By) -> None:
        """Add to the consultation of a proposal."""
        if kind not in CONSULTED or not text.strip():
            raise NotAllowed(f"a consultation holds one of {', '.join(CONSULTED)} and a text", "会商内容为空")

        async def work(tx: Transaction, now: datetime) -> Issued:
            proposal = await self._proposal(tx, proposal_id)
            row = {"proposal": proposal.id, "county": proposal.county, "at": to_ms(now), "kind": kind, "person": by.who.name, "text": text}
            await tx.run("proposals.consult", row | {"plot": ""})
            await write_audit(tx, proposal.county, now, [_act(by, "consult", proposal.id, {"kind": kind, "text": text})])
            return Issued()

        await self._write(work)

    async def look_at(self, proposal_id: str, place: str, hours: float, by: By) -> str:
        """Put the plot of a place into the consultation as it is seen now; gives the digest under which it is kept."""
        if self._look is None:
            raise NotAllowed("this worker does not decide: look at plots on the one that does", "本机不判定，请在主机上查看")
        if not 0 < hours <= LONGEST / timedelta(hours=1):
            raise NotAllowed("a plot shows up to the last 24 hours", "曲线最长为最近24小时")
        now = self._place.clock.now()
        try:
            picture = self._look(place, now - timedelta(hours=hours), now)
        except LookupError:
            raise NotAllowed(f"no rule looks at {place!r}", f"没有规则使用 {place}") from None
        seen = as_json(picture)
        digest = digest_of(seen)
        text = f"{picture.title} ({hours:g} h)"

        async def work(tx: Transaction, at: datetime) -> Issued:
            proposal = await self._proposal(tx, proposal_id)
            await tx.run("proposals.keep_plot", {"digest": digest, "county": proposal.county, "at": to_ms(at), "picture": seen})
            row = {"proposal": proposal.id, "county": proposal.county, "at": to_ms(at), "kind": "looked_at", "person": by.who.name}
            await tx.run("proposals.consult", row | {"text": text, "plot": digest})
            detail = {"kind": "looked_at", "place": place, "since": picture.begin.isoformat(), "until": now.isoformat(), "plot": digest}
            await write_audit(tx, proposal.county, at, [_act(by, "consult", proposal.id, detail)])
            return Issued()

        await self._write(work)
        return digest

    # ------------------------------------------------------------------------------------------ how

    async def _decide(self, proposal_id: str, choice: Choice, by: By, *, approve: bool) -> Proposal:
        after, ended = list[Proposal](), list[tuple[str, str]]()

        async def work(tx: Transaction, now: datetime) -> Issued:
            proposal = await self._proposal(tx, proposal_id)
            house = self._place.house.of(proposal.status)  # what is released of an exercise is one
            seen = await _seen(tx, proposal, choice)
            event: Approved | Refused = Refused(by=by.who.name, role=by.who.role, entries=seen, note=choice.note)
            if approve:
                event = Approved(by=by.who.name, role=by.who.role, entries=seen, override=choice.override, note=choice.note)
            decided = decide(proposal, event, now)
            after[:] = [decided.proposal]
            act = "approve" if approve else "refuse"
            detail = {"hash": choice.hash, "override": choice.override, "note": choice.note, "entries": len(seen)}
            await write_audit(tx, proposal.county, now, [_act(by, act, proposal.id, detail)])
            if approve and not decided.released:
                await save_proposals(tx, [decided.proposal])
                await add_feed(tx, [proposal_line(house, decided.proposal, "approved", now, by.who.name)])
                return Issued()
            issued = await settle_proposal(tx, house, decided, now)
            ended[:] = await _ended_rules(tx, house, [e.saying for e in decided.released if not e.saying.grade])
            return issued

        await self._write(work)
        await self._lift_rules(ended, by)
        return after[0]

    async def _lift_rules(self, ended: Sequence[tuple[str, str]], by: By) -> None:
        for rule, place in ended:
            await self._lift_rule(rule, place, by)

    async def _write(self, work: _Work) -> Issued:
        """In one transaction; a store that cannot take it now is the caller's to hear of (StoreFailed): nothing was done then."""
        async with self._place.store.write() as tx:
            issued = await work(tx, self._place.clock.now())
        metrics = self._place.metrics
        metrics.alerts.inc(issued.alerts)
        metrics.notices.inc(issued.notices)
        metrics.planned.inc(issued.deliveries)
        self._place.broadcast.wake()
        self._planned()
        return issued

    async def _proposal(self, tx: Transaction, proposal_id: str) -> Proposal:
        rows = await tx.fetch("proposals.one", {"id": proposal_id})
        if not rows or rows[0]["county"] != self._place.house.county:
            raise NotAllowed(f"there is no proposal {proposal_id!r}", f"没有请示 {proposal_id}")
        return proposal_of(rows[0])

    async def _open(self, tx: Transaction, warning_id: str) -> Warning:
        rows = await tx.fetch("warnings.one", {"id": warning_id})
        if not rows or rows[0]["county"] != self._place.house.county or rows[0]["state"] != WarningState.OPEN:
            raise NotAllowed(f"there is no warning {warning_id!r} in force", f"没有生效中的预警 {warning_id}")
        return value_of(Warning, rows[0])

    async def _contributions(self, tx: Transaction, warning: Warning) -> list[Contribution]:
        scope = {"county": warning.county, "status": warning.status.value, "hazard": warning.hazard, "warning": warning.id}
        return [value_of(Contribution, row) for row in await tx.fetch("warnings.contributions_of", scope)]

    async def _earlier(self, tx: Transaction, draft: Draft) -> dict[str, str]:
        """The villages of a person's warning, in force or waiting, with its area."""
        house = self._place.house
        scope = {"county": house.county, "status": house.status.value, "hazard": draft.hazard}
        held = await tx.fetch("warnings.contributed_by", scope | {"contributor": draft.replaces})
        found = {row["village"]: row["area"] for row in held if row["contributor"].startswith("person:")}
        for proposal in [proposal_of(row) for row in await tx.fetch("proposals.waiting", scope)]:
            if proposal.topic == draft.replaces and proposal.proposer:
                found |= {e.saying.village: proposal.area for e in proposal.entries}
        return found


async def _ended_rules(tx: Transaction, house: House, said: Iterable[Saying | Contribution]) -> list[tuple[str, str]]:
    """The rules and places, of those spoken of, that hold no village any more."""
    names = {one.contributor for one in said if one.contributor.startswith(_RULE)}
    scope = {"county": house.county, "status": house.status.value, "contributors": json.dumps(sorted(names))}
    held = {row["contributor"] for row in await tx.fetch("warnings.still_held", scope)} if names else set()
    found = [name.removeprefix(_RULE).partition("/") for name in sorted(names - held)]
    return [(rule, place) for rule, _, place in found]


def _given(reason: tuple[str, str]) -> tuple[str, str]:
    """A reason in one language stands for both."""
    if not (reason[0].strip() or reason[1].strip()):
        raise NotAllowed("this needs a reason that villages are told", "须写明理由")
    return reason[0] or reason[1], reason[1] or reason[0]


async def _seen(tx: Transaction, proposal: Proposal, choice: Choice) -> frozenset[str]:
    """The digests behind the hash that an officer saw."""
    rows = await tx.fetch("proposals.content", {"proposal": proposal.id, "hash": choice.hash})
    if not rows:
        raise NotAllowed("this content was never proposed: look again", "内容不符，请重新查看")
    entries = entries_of(rows[0]["content"], proposal.hazard, proposal.area)
    return frozenset(e.digest for e in entries if not choice.villages or e.saying.village in choice.villages)


async def _retract(tx: Transaction, house: House, warning: Warning, reason: tuple[str, str], by: By, now: datetime) -> Issued:
    zh, en = f"撤回：{reason[0]}", f"Retracted: {reason[1]}"
    scope = {"county": warning.county, "status": warning.status.value, "hazard": warning.hazard, "warning": warning.id}
    contributions = [value_of(Contribution, row) for row in await tx.fetch("warnings.contributions_of", scope)]
    villages = [row["village"] for row in await tx.fetch("warnings.villages", {"warning": warning.id})]
    stopped = {"warning": warning.id, "now": to_ms(now), "reason": "retracted"}
    await write_audit(tx, house.county, now, [_act(by, "retract", warning.id, {"reason": reason[0]})])
    await tx.run("deliveries.stop_all", stopped)
    await take_off(tx, house, warning.hazard, villages, now)
    sayings = [taken_back(c, now, zh, en, origin=Origin.FORECASTER, person=by.who.name) for c in contributions]
    await apply_released(tx, house, warning.hazard, sayings, now)
    await tx.run("warnings.say_why", {"warning": warning.id, "reason_zh": zh, "reason_en": en})
    rows = await tx.fetch("warnings.one", {"id": warning.id})
    return await release_warning(tx, house, value_of(Warning, rows[0]), now, by.who.name, note=en)


def _draft_act(draft: Draft, name: str, by: By) -> Act:
    detail = {
        "hazard": draft.hazard,
        "grade": draft.grade.word,
        "areas": list(draft.areas),
        "expires_at": draft.expires_at.isoformat(),
        "reason_zh": draft.reason_zh,
        "reason_en": draft.reason_en,
        "onset": draft.onset.isoformat() if draft.onset else None,
        "replaces": draft.replaces,
    }
    return _act(by, "propose", name, detail)


def _act(by: By, act: str, subject: str, detail: Mapping[str, object]) -> Act:
    return Act(actor=by.who.name, origin=by.origin, act=act, subject=subject, detail=detail)
