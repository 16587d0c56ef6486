"""Nobody comes in without saying who he is: closed for every address that is not listed here as open."""

import hmac
from ipaddress import ip_address
from typing import Final
from urllib.parse import quote

from fastapi import Request
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from dispatcher.accounts import Principal, Role, principal_of_token, principal_of_user
from dispatcher.ports import Store
from dispatcher.web.problems import Problem, problem_response, unauthenticated

#: /a/ and /v/ carry their own proof, a signed token; calls of gateways never come this far (hooks.py).
OPEN_PATHS: Final = frozenset({"/healthz", "/readyz", "/login"})
OPEN_PREFIXES: Final = ("/a/", "/cap/", "/v/", "/static/")
#: Programs that ask here get a problem document, people a login form.
PROGRAM_PREFIXES: Final = ("/api/", "/cap/", "/metrics", "/fragments/")


class Gate:
    """Puts the principal into ``request.state.principal``, or answers 401 (programs) or with the way to the login (people)."""

    def __init__(self, app: ASGIApp, store: Store) -> None:
        """Wrap an application; must stand inside the session middleware."""
        self._app = app
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on when its principal is known or none is needed."""
        if scope["type"] != "http" or is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        principal = await self._principal(connection)
        if principal is None and not _may_scrape(connection):
            await _refusal(connection)(scope, receive, send)
            return
        scope.setdefault("state", {})["principal"] = principal
        await self._app(scope, receive, send)

    async def _principal(self, connection: HTTPConnection) -> Principal | None:
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme:
            return await principal_of_token(self._store, token.strip()) if scheme.lower() == "bearer" else None
        user = connection.session.get("user")
        return await principal_of_user(self._store, user, connection.session.get("stamp", "")) if user else None


def is_open(path: str) -> bool:
    """Whether an address answers without a principal."""
    return path in OPEN_PATHS or path.startswith(OPEN_PREFIXES)


def principal_of(request: Request) -> Principal:
    """Who is asking; 401 when the gate let him in for another reason."""
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None:
        raise unauthenticated()
    return principal


def need(request: Request, role: Role) -> Principal:
    """Who is asking, when he holds at least this role; 403 otherwise."""
    principal = principal_of(request)
    if not principal.may(role):
        raise Problem(403, f"This needs the role {role.word} or higher; {principal.name} is {principal.role.word}.")
    return principal


def check_form_token(request: Request, given: str) -> None:
    """403 unless the form or script was handed out to this very session; bearer tokens need none, browsers do not send them."""
    if request.headers.get("authorization"):
        return
    expected = request.session.get("csrf", "")
    if not expected or not hmac.compare_digest(expected.encode(), given.encode()):
        raise Problem(403, "The form is too old or came from elsewhere: load the page again and repeat.")


def _may_scrape(connection: HTTPConnection) -> bool:
    """Prometheus beside us needs no token: figures name no person, and a program on this machine could read the database anyway.

    A proxy on this machine makes strangers look local, so a forwarded request never counts as one.
    """
    if connection.url.path != "/metrics" or connection.client is None:
        return False
    if any(name in connection.headers for name in ("x-forwarded-for", "forwarded", "x-real-ip")):
        return False
    try:
        return ip_address(connection.client.host).is_loopback
    except ValueError:
        return False


def _refusal(connection: HTTPConnection) -> ASGIApp:
    path = connection.url.path
    if path.startswith(PROGRAM_PREFIXES) or connection.headers.get("authorization") or connection.scope["method"] != "GET":
        return problem_response(unauthenticated())
    wanted = path + (f"?{connection.url.query}" if connection.url.query else "")
    return RedirectResponse(f"/login?next={quote(wanted, safe='')}", status_code=303)
