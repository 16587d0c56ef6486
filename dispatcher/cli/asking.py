"""Asking the running engine over its API, as a person with a token. What it refuses is said in its own words."""

import json
import os
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

import typer

from dispatcher.cli.running import OUT_OF_REACH, WRONG, WRONG_USAGE, fail

URL_ENV, TOKEN_ENV = "DISPATCHER_URL", "DISPATCHER_TOKEN"
_JSON = "application/json"
_TIMEOUT_S = 120  # new rules are tried on a day of readings first

Url = Annotated[str, typer.Option("--url", envvar=URL_ENV, help="Address of the engine's page.")]
DEFAULT_URL = "http://127.0.0.1:8080"


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine at an address; the token comes from the environment, never from the command line."""

    url: str
    token: str

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """What the engine says at this path of its API."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: object) -> Any:  # noqa: ANN401 - JSON
        """What the engine makes of this body; None when it says nothing."""
        return self._ask("POST", path, json.dumps(body).encode())

    def put(self, path: str, body: object) -> Any:  # noqa: ANN401 - JSON
        """The same for what takes the place of something."""
        return self._ask("PUT", path, json.dumps(body).encode())

    def put_file(self, path: str, content: bytes) -> Any:  # noqa: ANN401 - JSON
        """What the engine makes of a file as it is."""
        return self._ask("PUT", path, content, "application/octet-stream")

    def delete(self, path: str) -> None:
        """Have something deleted."""
        self._ask("DELETE", path, None)

    def fetch(self, path: str) -> bytes:
        """A file that the engine makes."""
        return self._bytes("GET", path, None)

    def _ask(self, method: str, path: str, body: bytes | None, form: str = _JSON) -> Any:  # noqa: ANN401 - JSON
        text = self._bytes(method, path, body, form)
        return json.loads(text) if text else None

    def _bytes(self, method: str, path: str, body: bytes | None, form: str = _JSON) -> bytes:
        if not self.url.startswith(("http://", "https://")):
            fail(f"{self.url!r} is no address; allowed: http:// or https://", WRONG_USAGE)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": form, "Accept": _JSON}
        asked = Request(f"{self.url.rstrip('/')}/api/v1{path}", body, headers, method=method)  # noqa: S310 - the scheme was looked at
        try:
            with urlopen(asked, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - the same
                return bytes(answer.read())
        except HTTPError as refused:
            _refused(refused)
        except (URLError, TimeoutError) as lost:
            fail(
                f"cannot reach the engine at {self.url}: {getattr(lost, 'reason', lost)}; is it running? (--url or {URL_ENV})", OUT_OF_REACH
            )


def _refused(refused: HTTPError) -> NoReturn:
    """Its sentence, and each mistake in a file on a line of its own."""
    try:
        found = json.loads(refused.read())
    except ValueError:
        found = {}
    lines = [str(found.get("detail", ""))]
    for one in found.get("errors") or []:
        place = ":".join(str(one[n]) for n in ("file", "line", "column") if one.get(n))
        lines.append(f"{place or one.get('at', '')}: {one.get('message', '')}")
    said = "\n".join(line for line in lines if line)
    if refused.code == HTTPStatus.UNAUTHORIZED:
        fail(f"the engine does not know this token; make one with 'dispatcher user token' and put it into {TOKEN_ENV}", WRONG_USAGE)
    fail(said or f"the engine answered {refused.code}", WRONG)


def engine(url: str) -> Engine:
    """The engine at an address, with the token of the environment."""
    token = os.environ.get(TOKEN_ENV, "")
    if not token:
        fail(f"{TOKEN_ENV} is not set; make a token with 'dispatcher user token NAME --role ROLE'", WRONG_USAGE)
    return Engine(url, token)


def part(name: str) -> str:
    """A name as a part of an address."""
    return quote(name, safe="")
