"""The web server inside our own loop: our signals, our sockets, our end."""

import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from dispatcher.errors import Unreachable

_GRACE_S = 1


class Server(uvicorn.Server):
    """Leaves signals to the application that runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ctrl-C is the application's."""
        yield


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; Unreachable with the setting to change when the port is taken."""
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=1024)
    except OSError as error:
        raise Unreachable(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another port with --port (demo) or web.port"
        ) from error
    listening.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    return listening


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def make_server(app: object) -> Server:
    """A server for an ASGI application, quiet when all is well."""
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE_S,
        server_header=False,
        lifespan="off",
    )
    return Server(config)
