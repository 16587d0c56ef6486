"""Login and logout of people. Guessing is slowed down; a login starts a fresh session."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from dispatcher.accounts import check_password
from dispatcher.web.gate import check_form_token
from dispatcher.web.state import origin_of, shared

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def form(request: Request, next: str = "/") -> Response:  # noqa: A002 - the word in the address
    """The login form."""
    request.session.setdefault("csrf", secrets.token_urlsafe(18))
    return shared(request).pages.page(request, "login.html", next=_ours(next), error="", wait_s=0, user="")


@router.post("/login")
async def login(
    request: Request,
    name: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=1000)],
    csrf: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002 - the name in the form
) -> Response:
    """A session for the right password; 401 or, after too many tries, 429."""
    check_form_token(request, csrf)
    brakes, now = shared(request), shared(request).context.wall.now()
    address = origin_of(request)
    keys = ((brakes.by_name, f"{address} {name}"), (brakes.by_address, address))
    waits = [wait for brake, key in keys if (wait := brake.retry_after(key, now)) is not None]
    if waits:
        seconds = int(max(waits).total_seconds()) + 1
        values: dict[str, Any] = {"next": _ours(next), "error": "throttled", "wait_s": seconds, "user": name}
        response = brakes.pages.page(request, "login.html", 429, **values)
        response.headers["retry-after"] = str(seconds)
        return response
    principal = await check_password(brakes.context.store, name, password)
    if principal is None:
        for brake, key in keys:
            brake.failed(key, now)
        return brakes.pages.page(request, "login.html", 401, next=_ours(next), error="wrong", wait_s=0, user=name)
    brakes.by_name.succeeded(keys[0][1])
    request.session.clear()
    request.session.update(user=principal.name, stamp=principal.stamp, csrf=secrets.token_urlsafe(18))
    return RedirectResponse(_ours(next), status_code=303)


@router.post("/logout")
async def logout(request: Request, csrf: Annotated[str, Form()] = "") -> Response:
    """End the session."""
    check_form_token(request, csrf)
    request.session.clear()
    return RedirectResponse("/login", status_code=303)


def _ours(address: str) -> str:
    """Only a path of our own: a login must not lead elsewhere."""
    plain = address.startswith("/") and not address.startswith("//") and "\\" not in address and address.isprintable()
    return address if plain else "/"
