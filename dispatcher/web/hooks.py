"""Gateways call back here. The body is read raw, since the signature covers it to the last blank field."""

from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from starlette.responses import Response

from dispatcher.ports import HookRefused, HookRequest
from dispatcher.web.problems import Problem
from dispatcher.web.state import context_of

router = APIRouter(include_in_schema=False)
_MOST_FIELDS = 200


@router.post("/hooks/{gateway}/{hook}")
async def hook(request: Request, gateway: str, hook: str) -> Response:
    """204 once what it says is durable; 403 when the call is not proven genuine; 404 for an unknown gateway."""
    body = await request.body()
    try:
        form = parse_qsl(body.decode("utf-8"), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Problem(400, "The body is not a form in UTF-8.") from None
    context = context_of(request)
    query = f"?{request.url.query}" if request.url.query else ""
    # The raw path, as the gateway wrote it: its signature covers that spelling.
    path = request.scope.get("raw_path", request.url.path.encode()).decode("ascii", "replace")
    call = HookRequest(hook=hook, url=f"{context.public_url}{path}{query}", headers=dict(request.headers), form=form)
    try:
        await context.desk.hear(gateway, call)
    except HookRefused:
        raise Problem(403, "This call is not proven to come from the gateway.") from None
    except KeyError:
        raise Problem(404, "There is no such gateway.") from None
    return Response(status_code=204)
