"""A real PostgreSQL for tests: ``postgres.new_database()`` gives a connection string, ``.kill()``, ``.restart()``, ``.pause()``."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.services import server
from tests.services.left_out import leave_out

USER = "dispatcher"
PASSWORD = "p@ss:w/rd"
OLDEST = 14

#: The server's own defaults keep what is committed (fsync, synchronous_commit); these make it small and quick to start.
SETTINGS = {
    "listen_addresses": server.HOST,
    "shared_buffers": "32MB",
    "max_connections": "60",
    "log_min_messages": "fatal",
    "log_min_error_statement": "panic",
}


def binaries() -> Path | None:
    """Folder of initdb and postgres; Debian keeps them off the path, one folder for each version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    path = server.program("initdb")
    return Path(path).resolve().parent if path else None


def unprivileged() -> list[str]:
    """The beginning of a command that PostgreSQL accepts to be started by: it refuses root."""
    if os.getuid() != 0:
        return []
    known = {user.pw_name for user in pwd.getpwall()}
    user = next(name for name in ("postgres", "nobody") if name in known)
    return ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups"]


class Postgres(server.Server):
    """One server on the loopback that asks for a password; everything it has is in ``folder``."""

    def __init__(self, folder: Path, binary: Path) -> None:
        self._folder = folder
        self._binary = binary
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        port = server.free_port()
        command = [*unprivileged(), str(binary / "postgres"), "-D", str(folder / "data"), "-p", str(port), "-k", str(folder), *options]
        super().__init__(command, port, folder / "postgres.log")

    def format(self) -> None:
        """Make the empty cluster."""
        password = self._folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        if before := unprivileged():
            owner = before[1].partition("=")[2]
            for path in (self._folder, password):
                shutil.chown(path, owner)
        options = ["-U", USER, "-A", "scram-sha-256", "--pwfile", str(password), "-E", "UTF8", "--locale=C", "--no-sync"]
        command = [*unprivileged(), str(self._binary / "initdb"), "-D", str(self._folder / "data"), *options]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=self._folder)
        if ran.returncode != 0:
            raise RuntimeError(f"initdb failed: {ran.stderr[-1000:]}")

    def dsn(self, database: str = "postgres", password: str = PASSWORD) -> str:
        """How to reach one of its databases."""
        return psycopg.conninfo.make_conninfo(host=self.host, port=self.port, user=USER, password=password, dbname=database)

    def new_database(self) -> str:
        """A database of a test's own: its connection string."""
        name = f"test_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.dsn(name)

    def new_schema(self) -> str:
        """A schema of a test's own, which takes a hundredth of the disk: its connection string."""
        name = f"test_{secrets.token_hex(6)}"
        self.execute(f"CREATE SCHEMA {name}")
        return psycopg.conninfo.make_conninfo(self.dsn(), options=f"-csearch_path={name}")

    def execute(self, statement: str) -> None:
        """Run one statement as an administrator."""
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def kill(self) -> None:
        """A power cut: the processes that serve connections end with it, as they would."""
        serving = psutil.Process(self.pid).children() if self.pid else []
        super().kill()
        for process in serving:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(serving, timeout=10)

    def _accepts(self) -> bool:
        """It listens long before it lets anybody in."""
        try:
            psycopg.connect(self.dsn(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Ask it to end without waiting for those who are connected."""
        self._end(signal.SIGINT)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests; a test that kills or pauses it gets it back running for the next. Use databases of your own."""
    binary = binaries() or leave_out("postgres", "no initdb on the path or below /usr/lib/postgresql")
    if os.getuid() == 0 and server.program("setpriv") is None:
        leave_out("postgres", "as root it needs setpriv, which is not on the path")
    said = subprocess.run([binary / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
    if int(said.split()[2].split(".")[0]) < OLDEST:
        leave_out("postgres", f"{said.strip()} is older than {OLDEST}")
    # Not in pytest's own folder, which another user cannot enter.
    folder = Path(tempfile.mkdtemp(prefix="dispatcher-postgres-"))
    try:
        made = Postgres(folder, binary)
        made.format()
        made.start()
        yield made
        made.kill()  # whatever it would still write to disk is deleted next
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _postgres_comes_back(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "postgres" in request.fixturenames and (made := request.node.funcargs.get("postgres")):
        made.revive()
