"""The pages on which warnings are proposed, looked at before release, released, lifted and retracted. All of it works without scripts."""

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from dispatcher.accounts import Role
from dispatcher.errors import NotAllowed
from dispatcher.model.proposal import ProposalState
from dispatcher.rulework.svg import drawing
from dispatcher.timestamps import from_ms
from dispatcher.views.proposal import ProposalView
from dispatcher.web.gate import need
from dispatcher.web.release_api import by_whom, look_ahead, view_of
from dispatcher.web.release_forms import Consulted, Decision, Ending, LookedAt, ProposeWarning
from dispatcher.web.state import context_of, shared
from rules.grade import Grade

router = APIRouter(include_in_schema=False)
_MOST_BOXES = 500
_MOST_PLACES = 40
_GRADES = tuple(sorted((g for g in Grade if g), reverse=True))


class DecisionForm(Decision):
    """The same from a form. ``whole`` stands for boxes: of very many villages there are none, and unticking all is not all."""

    csrf: str = ""
    whole: bool = False


class EndingForm(Ending):
    """The same from a form."""

    csrf: str = ""


class ConsultedForm(Consulted):
    """The same from a form."""

    csrf: str = ""


class LookedAtForm(LookedAt):
    """The same from a form."""

    csrf: str = ""


class ProposeForm(ProposeWarning):
    """The same from a form."""

    csrf: str = ""


@router.get("/propose")
async def new(request: Request, replaces: str = "") -> Response:
    """The form for a warning of a person."""
    need(request, Role.FORECASTER)
    house = context_of(request).releases.house
    hazards = sorted(h for p in house.policies.policies.values() for h in p.hazards)
    townships = sorted({v.township for v in house.registry.villages.values()})
    areas = [house.county, *townships]
    return shared(request).pages.page(request, "propose.html", hazards=hazards, grades=_GRADES, areas=areas, replaces=replaces)


@router.post("/propose")
async def propose(request: Request, form: Annotated[ProposeForm, Form()]) -> Response:
    """Propose it and show what waits."""
    by = by_whom(request, Role.FORECASTER, form.csrf)
    context = context_of(request)
    _, proposals = await context.releases.propose(form.draft(context.clock.now()), by)
    return RedirectResponse(f"/proposals/{proposals[0]}" if proposals else "/", status_code=303)


@router.get("/proposals/{proposal_id}")
async def look(request: Request, proposal_id: str, said: str = "") -> Response:
    """One proposal, with what would go out."""
    view = await view_of(request, proposal_id)
    who = request.state.principal
    return shared(request).pages.page(
        request,
        "proposal.html",
        view=view,
        p=view.proposal,
        said=said if said in ("approve", "refuse", "consult") else "",
        own=who.name in (view.proposal.proposer, *(e.saying.person for e in view.proposal.entries)),
        may_release=any(who.may(e.rule.by) for e in view.proposal.entries),
        may_say=who.may(Role.FORECASTER),
        at=lambda ms: _local(request, ms),
        ahead=await look_ahead(request, view),
        stages=context_of(request).releases.house.stages,
        waits=view.proposal.state is ProposalState.WAITING,
        places=_places(request, view),
        drawing=drawing,
        two=any(e.rule.people > 1 for e in view.proposal.entries),
        boxes=len(view.proposal.entries) <= _MOST_BOXES,
    )


def _places(request: Request, view: ProposalView) -> list[str]:
    """The stations that warn the villages of a proposal, those of the most villages first."""
    villages = {e.saying.village for e in view.proposal.entries}
    counts = Counter(link.station for link in context_of(request).registry.links if link.village in villages)
    return [station for station, _ in counts.most_common(_MOST_PLACES)]


def _local(request: Request, ms: int) -> str:
    return shared(request).pages.local(from_ms(ms), "%H:%M")


@router.post("/proposals/{proposal_id}/approve")
async def approve(request: Request, proposal_id: str, form: Annotated[DecisionForm, Form()]) -> Response:
    """Agree to what was on the page."""
    by = by_whom(request, Role.DUTY_OFFICER, form.csrf)
    if not form.villages and not form.whole:
        raise NotAllowed("no village is ticked: nothing was released", "未选择任何村，没有签发")
    await context_of(request).releases.approve(proposal_id, form.choice(), by)
    return RedirectResponse(f"/proposals/{proposal_id}?said=approve", status_code=303)


@router.post("/proposals/{proposal_id}/refuse")
async def refuse(request: Request, proposal_id: str, form: Annotated[DecisionForm, Form()]) -> Response:
    """Say no to what was on the page."""
    by = by_whom(request, Role.FORECASTER, form.csrf)
    await context_of(request).releases.refuse(proposal_id, form.choice(), by)
    return RedirectResponse(f"/proposals/{proposal_id}?said=refuse", status_code=303)


@router.post("/proposals/{proposal_id}/consultation")
async def consult(request: Request, proposal_id: str, form: Annotated[ConsultedForm, Form()]) -> Response:
    """Add a line to the consultation."""
    by = by_whom(request, Role.FORECASTER, form.csrf)
    await context_of(request).releases.consult(proposal_id, form.kind, form.text.strip(), by)
    return RedirectResponse(f"/proposals/{proposal_id}?said=consult#consultation", status_code=303)


@router.post("/proposals/{proposal_id}/plots")
async def look_at(request: Request, proposal_id: str, form: Annotated[LookedAtForm, Form()]) -> Response:
    """Put a plot into the consultation."""
    by = by_whom(request, Role.FORECASTER, form.csrf)
    await context_of(request).releases.look_at(proposal_id, form.place, form.hours, by)
    return RedirectResponse(f"/proposals/{proposal_id}?said=consult#consultation", status_code=303)


@router.post("/warnings/{warning_id:path}/lift")
async def lift(request: Request, warning_id: str, form: Annotated[EndingForm, Form()]) -> Response:
    """Lift a warning or some of its villages; it may have to be released."""
    by = by_whom(request, Role.FORECASTER, form.csrf)
    waiting = await context_of(request).releases.lift(warning_id, form.villages, form.reason, by)
    return RedirectResponse(f"/proposals/{waiting[0]}" if waiting else f"/warnings/{warning_id}", status_code=303)


@router.post("/warnings/{warning_id:path}/retract")
async def retract(request: Request, warning_id: str, form: Annotated[EndingForm, Form()]) -> Response:
    """Stop what is not yet sent, and tell those who were reached."""
    by = by_whom(request, Role.RELEASING_OFFICER, form.csrf)
    await context_of(request).releases.retract(warning_id, form.reason, by)
    return RedirectResponse(f"/warnings/{warning_id}", status_code=303)
