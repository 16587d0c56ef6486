"""Proposals and what people do with warnings, through the API. 409 with one sentence when it cannot be done as things stand."""

from dataclasses import asdict
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from dispatcher.accounts import Role
from dispatcher.calls.preview import Preview as LookAhead
from dispatcher.model.proposal import Entry, Proposal
from dispatcher.rulework.svg import drawing
from dispatcher.timestamps import to_ms
from dispatcher.views.preview import Preview
from dispatcher.views.proposal import ProposalView, load_proposal
from dispatcher.warnings.proposal_rows import proposal_of
from dispatcher.warnings.releasing import By
from dispatcher.web.api import Before, Item, Limit, Page, as_item
from dispatcher.web.gate import check_form_token, need, principal_of
from dispatcher.web.problems import Problem
from dispatcher.web.release_forms import Consulted, Decision, Ending, LookedAt, ProposeWarning
from dispatcher.web.state import context_of, origin_of

router = APIRouter(prefix="/api/v1", tags=["release"])
_NEWEST: Final = 2**62


def by_whom(request: Request, role: Role, token: str | None = None) -> By:
    """Who acts, from where, holding at least this role; from a form of this session or with a bearer token."""
    check_form_token(request, request.headers.get("x-csrf-token", "") if token is None else token)
    return By(who=need(request, role), origin=origin_of(request))


@router.post("/warnings", status_code=201)
async def propose(request: Request, warning: ProposeWarning) -> Item:
    """Propose a warning, or with ``replaces`` an update of one. Needs the role forecaster or higher."""
    by = by_whom(request, Role.FORECASTER)
    context = context_of(request)
    name, proposals = await context.releases.propose(warning.draft(context.clock.now()), by)
    return {"name": name, "proposals": proposals}


@router.post("/warnings/{warning_id:path}/lift", status_code=202)
async def lift(request: Request, warning_id: str, ending: Ending) -> Item:
    """Take back what holds villages of a warning. Needs the role forecaster or higher; leaves as the policy says."""
    by = by_whom(request, Role.FORECASTER)
    return {"proposals": await context_of(request).releases.lift(warning_id, ending.villages, ending.reason, by)}


@router.post("/warnings/{warning_id:path}/retract")
async def retract(request: Request, warning_id: str, ending: Ending) -> Item:
    """Stop what is not yet sent and tell those who were reached. Needs the role releasing officer or higher."""
    by = by_whom(request, Role.RELEASING_OFFICER)
    issued = await context_of(request).releases.retract(warning_id, ending.reason, by)
    return {"villages": issued.notices, "deliveries": issued.deliveries}


@router.get("/unknown")
async def unknown(request: Request) -> dict[str, list[str]]:
    """Villages of which no station has data, by hazard: no grade there does not mean no danger."""
    principal_of(request)
    return {hazard: list(villages) for hazard, villages in context_of(request).unknown().items()}


@router.get("/proposals")
async def proposals(request: Request, limit: Limit = 100, before: Before = _NEWEST, *, waiting: bool = False) -> Page[Item]:
    """Proposals, the newest first; with ``waiting`` those that wait for release, the worst first."""
    context = context_of(request)
    async with context.store.read() as reader:
        if waiting:
            rows = await reader.fetch("proposals.waiting_all", {"county": context.county})
        else:
            rows = await reader.fetch("proposals.listed", {"county": context.county, "before": before, "limit": limit})
    more = rows[-1]["seq"] if len(rows) == limit and not waiting else None
    return Page(items=[_summary(request, proposal_of(row)) | {"seq": row["seq"]} for row in rows], next=more)


@router.get("/proposals/{proposal_id}")
async def proposal(request: Request, proposal_id: str) -> Item:
    """One proposal: its entries, who has agreed, the consultation, and what would go out."""
    view = await view_of(request, proposal_id)
    consultation = [as_item(request, row) for row in view.consultation]
    entries = [_entry(request, e) for e in view.proposal.entries]
    return _summary(request, view.proposal) | {
        "entries": entries,
        "consultation": consultation,
        "calls": [as_item(request, row) for row in view.calls],
        "preview": _preview(view.preview, await look_ahead(request, view)) if view.preview else None,
    }


@router.post("/proposals/{proposal_id}/approve")
async def approve(request: Request, proposal_id: str, decision: Decision) -> Item:
    """Agree to the content of this hash; what has enough agreement leaves at once."""
    by = by_whom(request, Role.DUTY_OFFICER)
    return _summary(request, await context_of(request).releases.approve(proposal_id, decision.choice(), by))


@router.post("/proposals/{proposal_id}/refuse")
async def refuse(request: Request, proposal_id: str, decision: Decision) -> Item:
    """Say no to the content of this hash, with a reason in ``note``; the proposer may take his own back."""
    by = by_whom(request, Role.FORECASTER)
    return _summary(request, await context_of(request).releases.refuse(proposal_id, decision.choice(), by))


@router.post("/proposals/{proposal_id}/consultation", status_code=204)
async def consult(request: Request, proposal_id: str, line: Consulted) -> Response:
    """Add what was said, what was looked at, or who took part. Needs the role forecaster or higher."""
    by = by_whom(request, Role.FORECASTER)
    await context_of(request).releases.consult(proposal_id, line.kind, line.text.strip(), by)
    return Response(status_code=204)


@router.post("/proposals/{proposal_id}/plots", status_code=201)
async def look_at(request: Request, proposal_id: str, seen: LookedAt) -> Item:
    """Put the plot of a place into the consultation, as it is seen now; gives its digest. Needs the role forecaster or higher."""
    by = by_whom(request, Role.FORECASTER)
    return {"plot": await context_of(request).releases.look_at(proposal_id, seen.place, seen.hours, by)}


@router.get("/proposals/{proposal_id}/plots/{digest}")
async def plot(request: Request, proposal_id: str, digest: str) -> Response:
    """A plot of the consultation as it was seen, as SVG."""
    view = await view_of(request, proposal_id)
    if digest not in view.plots:
        raise Problem(404, f"There is no plot {digest!r} in this consultation.")
    return Response(drawing(view.plots[digest]), media_type="image/svg+xml")


async def view_of(request: Request, proposal_id: str) -> ProposalView:
    """The view of a proposal; 404 when there is none."""
    context = context_of(request)
    async with context.store.read() as reader:
        view = await load_proposal(reader, context.releases.house, proposal_id, context.clock.now())
    if view is None:
        raise Problem(404, f"There is no proposal {proposal_id!r}.")
    return view


async def look_ahead(request: Request, view: ProposalView) -> LookAhead | None:
    """What each channel would have to carry, at what cost and in which time; None where nothing waits or the engine cannot tell."""
    ahead = context_of(request).look_ahead
    return await ahead(view.proposal.hazard, view.preview.said) if ahead is not None and view.preview is not None else None


def _summary(request: Request, one: Proposal) -> Item:
    row: dict[str, Any] = {
        "id": one.id,
        "state": one.state.value,
        "status": one.status.value,
        "hazard": one.hazard,
        "area": one.area,
        "topic": one.topic,
        "proposer": one.proposer,
        "grade": int(one.grade),
        "hash": one.hash,
        "villages": len({e.saying.village for e in one.entries}),
        "opened_at": to_ms(one.opened_at),
        "updated_at": to_ms(one.updated_at),
        "deadline": to_ms(one.deadline) if one.deadline else None,
        "closed_at": to_ms(one.closed_at) if one.closed_at else None,
        "closed_by": one.closed_by,
        "paged": one.paged,
        "note": one.note,
    }
    item = as_item(request, row)
    item["approvals"] = [
        {"by": a.by, "role": a.role, "override": a.override, "note": a.note, "entries": len(a.entries)} for a in one.approvals
    ]
    return item


def _entry(request: Request, entry: Entry) -> Item:
    said, rule = entry.saying, entry.rule
    return as_item(
        request,
        {
            "village": said.village,
            "contributor": said.contributor,
            "origin": said.origin.value,
            "person": said.person,
            "before": int(entry.before),
            "grade": int(said.grade),
            "reason_zh": said.reason_zh,
            "reason_en": said.reason_en,
            "expires_at": to_ms(said.expires_at) if said.expires_at else None,
            "onset": to_ms(said.onset) if said.onset else None,
            "deadline": to_ms(entry.deadline),
            "release": rule.way.value,
            "by": rule.by.word,
            "then": rule.then.value,
            "digest": entry.digest,
        },
    )


def _preview(found: Preview, ahead: LookAhead | None) -> Item:
    return {
        "moves": [{"from": a.word, "to": b.word, "villages": n} for (a, b), n in sorted(found.moves.items(), key=lambda m: -m[0][1])],
        "nearer": found.nearer,
        "unchanged": found.unchanged,
        "people": found.people,
        "by_channel": dict(found.by_channel),
        "segments": found.segments,
        "channels": asdict(ahead) if ahead else None,
        "texts": [
            {
                "village": s.village,
                "grade": s.grade.word,
                "channel": s.channel,
                "language": s.language,
                "text": s.text,
                "segments": s.segments,
            }
            for s in found.samples
        ],
    }
