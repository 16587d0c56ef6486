"""Gateways call back here, many times for each text: a door of its own before sessions, the gate and the router.

The body is read raw, since the signature covers it to the last blank field. The signature is the only thing that admits a call.
"""

from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dispatcher.ports import HookRefused, HookRequest
from dispatcher.web.context import WebContext
from dispatcher.web.problems import Problem, problem_response

PREFIX = "/hooks/"
_MOST_FIELDS = 200
_PARTS = 2


class Hooks:
    """Answers ``POST /hooks/<gateway>/<hook>``, and passes everything else on."""

    def __init__(self, app: ASGIApp, context: WebContext) -> None:
        """Wrap an application."""
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """204 (or 200 with a script) once what it says is durable; 403 when it is not proven genuine; 404 for an unknown gateway."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        try:
            body = await self._hear(Request(scope, receive))
        except Problem as problem:
            await problem_response(problem)(scope, receive, send)
        else:
            media = "application/json" if body.startswith("{") else "text/xml"
            answer = Response(body, media_type=media) if body else Response(status_code=HTTPStatus.NO_CONTENT)
            await answer(scope, receive, send)

    async def _hear(self, request: Request) -> str:
        parts = request.scope["path"].removeprefix(PREFIX).split("/")
        if len(parts) != _PARTS:
            raise Problem(404, "There is no such address.")
        if request.method != "POST":
            raise Problem(405, "Gateways call back with POST.", {"Allow": "POST"})
        body = await request.body()
        is_json = request.headers.get("content-type", "").partition(";")[0].strip() == "application/json"
        try:
            form = [] if is_json else _fields(body)
        except ValueError:
            raise Problem(400, "The body is not a form in UTF-8.") from None
        query = request.scope["query_string"].decode("ascii", "replace")
        # The raw path, as the gateway wrote it: its signature covers that spelling.
        path = request.scope.get("raw_path", request.scope["path"].encode()).decode("ascii", "replace")
        url = f"{self._context.public_url}{path}{f'?{query}' if query else ''}"
        try:
            called = HookRequest(hook=parts[1], url=url, headers=request.headers, form=form, body=body)
            return await self._context.desk.hear(parts[0], called)
        except HookRefused:
            raise Problem(403, "This call is not proven to come from the gateway.") from None
        except KeyError:
            raise Problem(404, "There is no such gateway.") from None


def _fields(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(body.decode("utf-8"), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=_MOST_FIELDS)
