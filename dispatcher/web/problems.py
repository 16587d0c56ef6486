"""Errors as problem documents (RFC 9457) for programs, as plain pages for people."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """A refusal that the caller can read: ``detail`` is one clear sentence, ``extra`` more members of the document."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, **extra: object) -> None:
        """``status`` is the HTTP status."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = extra


def problem_response(problem: Problem) -> JSONResponse:
    """The document of a problem."""
    title = HTTPStatus(problem.status).phrase
    body: dict[str, object] = {"type": "about:blank", "title": title, "status": problem.status, "detail": problem.detail}
    return JSONResponse(body | problem.extra, status_code=problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def unauthenticated() -> Problem:
    """Nobody is known to be asking."""
    return Problem(401, "This address needs a login or a bearer token.", {"WWW-Authenticate": "Bearer"})
