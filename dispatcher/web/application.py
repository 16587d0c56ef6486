"""The application: routes, gate, headers, errors. Made from a context, opens nothing."""

from datetime import timedelta
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from dispatcher import __version__
from dispatcher.errors import NotAllowed, StoreFailed
from dispatcher.web import (
    answer_page,
    api,
    cap_feed,
    drills,
    duty_room,
    events,
    incident_pages,
    incidents_api,
    intake,
    login,
    probes,
    registry_api,
    release_api,
    release_page,
    reports,
    roster_files,
    roster_page,
    rosters_api,
    rules_api,
    rules_page,
    village_pages,
    village_report,
    warning_page,
)
from dispatcher.web.context import WebContext
from dispatcher.web.gate import PROGRAM_PREFIXES, Gate
from dispatcher.web.hooks import Hooks
from dispatcher.web.language import choose, load_catalogues
from dispatcher.web.lines import Lines
from dispatcher.web.problems import Problem, problem_response
from dispatcher.web.rendering import Pages
from dispatcher.web.security import BoundedBody, SecurityHeaders
from dispatcher.web.state import Shared, context_of, shared
from dispatcher.web.throttle import Throttle

SESSION_AGE_S: Final = 12 * 3600
_WINDOW: Final = timedelta(minutes=5)
_TRIES_PER_NAME: Final = 5
_TRIES_PER_ADDRESS: Final = 50


_ROUTERS: Final = (
    *(probes, drills, reports, login, answer_page, village_report, cap_feed, intake, events),
    *(incidents_api, registry_api, roster_files, rosters_api, release_api, api, rules_api),
    *(incident_pages, roster_page, village_pages, duty_room, rules_page, release_page, warning_page),
)
"""In this order: the paths of reports end in what those of warnings hold, and ids of warnings and notices may hold slashes."""


def create_app(context: WebContext) -> FastAPI:
    """The ASGI application that serves this context."""
    app = FastAPI(
        title="Warning dispatcher",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,  # both pages load scripts from a CDN
        redoc_url=None,
        middleware=_middleware(context),
    )
    app.state.shared = Shared(
        context=context,
        pages=Pages(context, load_catalogues()),
        lines=Lines(context),
        by_name=Throttle(_TRIES_PER_NAME, _WINDOW),
        by_address=Throttle(_TRIES_PER_ADDRESS, _WINDOW),
    )
    for router in _ROUTERS:
        app.include_router(router.router)
    app.mount("/static", StaticFiles(packages=[("dispatcher.web", "static")]), name="static")
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(NotAllowed, _on_refusal)
    app.add_exception_handler(StoreFailed, _on_failure)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    return app


def _middleware(context: WebContext) -> list[Middleware]:
    """From the outside in."""
    return [
        Middleware(SecurityHeaders),
        Middleware(BoundedBody),
        Middleware(Hooks, context=context),
        Middleware(
            SessionMiddleware,
            secret_key=context.secret,
            session_cookie="dispatcher",
            max_age=SESSION_AGE_S,
            same_site="lax",
            https_only=context.public_url.startswith("https:"),
        ),
        Middleware(Gate, store=context.store),
    ]


async def _on_problem(request: Request, error: Exception) -> Response:
    """A document for programs, a page for people."""
    if not isinstance(error, Problem):
        raise error
    if request.url.path.startswith(PROGRAM_PREFIXES) or request.headers.get("authorization"):
        return problem_response(error)
    zh = error.extra.get("detail_zh") if choose(request, context_of(request).registry.county.languages[0]) == "zh" else None
    response = shared(request).pages.page(request, "refused.html", error.status, reason=zh or error.detail)
    response.headers.update(error.headers)
    return response


async def _on_refusal(request: Request, error: Exception) -> Response:
    """What a person wants to do cannot be done: 409, with its sentence in both languages."""
    if not isinstance(error, NotAllowed):
        raise error
    return await _on_problem(request, Problem(409, f"{error}.", detail_zh=f"{error.message_zh}。"))


async def _on_failure(request: Request, error: Exception) -> Response:
    """The store cannot do it now; nothing was committed."""
    if not isinstance(error, StoreFailed):
        raise error
    return await _on_problem(request, Problem(503, f"Nothing was done, try again: {error}.", {"Retry-After": "2"}))


async def _on_http_error(request: Request, error: Exception) -> Response:
    """What the framework refuses, such as an unknown address or method."""
    if not isinstance(error, HTTPException):
        raise error
    return await _on_problem(request, Problem(error.status_code, str(error.detail), error.headers))


async def _on_invalid(request: Request, error: Exception) -> Response:
    """Each bad field by its place, what is wrong, and what is allowed; never the value, which may be personal."""
    if not isinstance(error, RequestValidationError):
        raise error
    errors: list[dict[str, Any]] = [{"at": "/".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()]
    sentence = "; ".join(f"{e['at']}: {e['message']}" for e in errors)
    return await _on_problem(request, Problem(422, f"This request cannot be used: {sentence}.", errors=errors))
