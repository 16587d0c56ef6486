"""The API of an engine that runs, spoken to from the command line. The token is in the environment: arguments can be seen by others."""

import json
import os
import urllib.error
import urllib.request
from typing import Annotated, Any

import typer

from dispatcher.cli.running import OUT_OF_REACH, WRONG, WRONG_USAGE, fail

TOKEN = "DISPATCHER_TOKEN"  # noqa: S105 - the name of a variable
_TIMEOUT_S = 120
Url = Annotated[str, typer.Option("--url", help=f"Where the engine's page is; an API token is read from {TOKEN}.")]
HERE = "http://127.0.0.1:8080"


def ask(url: str, path: str, body: object = None, *, method: str = "POST") -> Any:  # noqa: ANN401 - whatever JSON it is
    """The answer as JSON, None when it is empty. Says what went wrong and ends: 1 refused, 2 no token or address, 3 out of reach."""
    if not url.startswith(("http://", "https://")):
        fail(f"{url!r} is no address; allowed: http://… or https://…", WRONG_USAGE)
    token = os.environ.get(TOKEN, "")
    if not token:
        fail(f"set {TOKEN} to an API token (dispatcher user token NAME --role …)", WRONG_USAGE)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    sent = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url.rstrip("/") + path, sent, headers, method=method)  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - checked above
            text = answer.read()
    except urllib.error.HTTPError as error:
        fail(_said(error), WRONG)
    except (urllib.error.URLError, TimeoutError) as error:
        fail(f"{url} cannot be reached: {getattr(error, 'reason', error)}", OUT_OF_REACH)
    return json.loads(text) if text else None


def _said(error: urllib.error.HTTPError) -> str:
    """The sentence of a problem document, with each mistake on a line."""
    try:
        found = json.loads(error.read())
    except ValueError:
        return f"refused with status {error.code}"
    lines = [str(found.get("detail") or found.get("title") or f"refused with status {error.code}")]
    for one in found.get("errors") or []:
        place = ":".join(str(one[n]) for n in ("file", "line", "column") if one.get(n))
        lines.append(f"{place or one.get('at', '')}: {one.get('message', '')}")
    return "\n".join(lines)
