"""Asking the engine that runs on this machine, over the loopback: it holds the store, and what it takes over decides at once."""

import json
import os
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from dispatcher.cli.running import OUT_OF_REACH, WRONG, fail
from dispatcher.errors import ConfigurationError, Problem
from dispatcher.settings import Deployment

TOKEN = "DISPATCHER_TOKEN"  # noqa: S105 - the name of a variable
_LOOK_S = 2.0
_WAIT_S = 120.0
_LOCAL = {"0.0.0.0", "::", ""}  # noqa: S104 - what an engine listens on, not what we listen on
_FORBIDDEN = (401, 403)
_UNPROCESSABLE = 422


def engine_runs(deployment: Deployment) -> bool:
    """Whether one answers at the deployment's own address."""
    if not deployment.web.port:
        return False
    try:
        with urlopen(f"{_address(deployment)}/healthz", timeout=_LOOK_S) as answer:  # noqa: S310 - our own address, http only
            return bool(answer.status)
    except HTTPError:
        return True
    except (URLError, OSError):
        return False


def ask(deployment: Deployment, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
    """What the engine answers. ConfigurationError with each mistake that it named; other refusals end the program."""
    headers = {"Authorization": f"Bearer {os.environ.get(TOKEN, '')}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = Request(_address(deployment) + path, data=data, headers=headers)  # noqa: S310 - our own address, http only
    try:
        with urlopen(request, timeout=_WAIT_S) as answer:  # noqa: S310 - the same
            return json.load(answer)
    except HTTPError as error:
        raise _refusal(error) from error
    except (URLError, OSError) as error:
        fail(f"the engine at {_address(deployment)} does not answer: {error}", OUT_OF_REACH)


def _refusal(error: HTTPError) -> ConfigurationError:
    try:
        said = json.load(error)
    except ValueError:
        said = {}
    if error.code in _FORBIDDEN:
        fail(f"{said.get('detail', error.reason)} An engine runs here: put an administrator's token into {TOKEN}.", OUT_OF_REACH)
    if error.code == _UNPROCESSABLE and said.get("errors") and "file" in said["errors"][0]:
        return ConfigurationError([Problem(**problem) for problem in said["errors"]])
    return fail(str(said.get("detail", error.reason)), WRONG)


def _address(deployment: Deployment) -> str:
    host = "127.0.0.1" if deployment.web.host in _LOCAL else deployment.web.host
    return f"http://{host}:{deployment.web.port}"
