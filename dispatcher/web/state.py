"""What the routes share, made once by ``create_app`` and reached through the request."""

from dataclasses import dataclass

from fastapi import Request

from dispatcher.web.context import WebContext
from dispatcher.web.lines import Lines
from dispatcher.web.rendering import Pages
from dispatcher.web.throttle import Throttle


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The context, the pages, the lines of the live stream, and the brakes on guessing passwords: per address and name, and per address."""

    context: WebContext
    pages: Pages
    lines: Lines
    by_name: Throttle
    by_address: Throttle


def shared(request: Request) -> Shared:
    """What ``create_app`` put into the application."""
    found: Shared = request.app.state.shared
    return found


def context_of(request: Request) -> WebContext:
    """The context of the application."""
    return shared(request).context


def origin_of(request: Request) -> str:
    """Where a request came from, for the audit log."""
    return request.client.host if request.client else ""
