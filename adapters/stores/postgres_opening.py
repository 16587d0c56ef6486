"""Before the first transaction: the database must be one that keeps what it promises, and have our schema."""

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from adapters.stores.postgres_dialect import migrations
from dispatcher.errors import Unreachable

Connection = psycopg.AsyncConnection[dict[str, Any]]

_OLDEST = 140_000
_OWN_TABLES = """
CREATE TABLE IF NOT EXISTS dispatcher_schema (version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS dispatcher_writers (
    id TEXT PRIMARY KEY, commits BIGINT NOT NULL, at TIMESTAMPTZ NOT NULL DEFAULT now()
);
DELETE FROM dispatcher_writers WHERE at < now() - INTERVAL '30 days';
"""
_SHAPE = "allowed: postgresql://user:password@host:5432/database, with special characters of the password written as %40 for @"


def first_line(error: BaseException) -> str:
    """What the server or the library said, in one line; never a value of a row."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return (primary or str(error)).strip().partition("\n")[0]


def checked(dsn: str, variable: str, connect_s: float) -> str:
    """The connection string with what we need of a connection. Unreachable never quotes it: a part of it may be the password."""
    try:
        given = conninfo_to_dict(dsn)
    except (psycopg.ProgrammingError, UnicodeDecodeError):
        raise Unreachable(f"{variable} is not a connection string; {_SHAPE}") from None
    host, ports = str(given.get("host") or ""), str(given.get("port") or "")
    # A password with one of @ : / ? # in it shifts the parts, and libpq would name the wrong part in its message.
    if "@" in host.lstrip("@") or (ports and not ports.replace(",", "").isdigit()):
        raise Unreachable(f"{variable}: host and port cannot be told apart from the password; {_SHAPE}")
    wanted: dict[str, Any] = {
        "connect_timeout": max(2, round(connect_s)),
        "application_name": "dispatcher",
        "client_encoding": "UTF8",
        # A line that is dead must show while a warning waits for it, not after the two hours of the system's default.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
    }
    return make_conninfo(**(wanted | given))


async def made_ready(conninfo: str, lock: int) -> None:
    """Check the server and bring the schema to the newest version; Unreachable when that cannot be."""
    try:
        async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
            await _check_server(connection)
            await _migrate(connection, lock)
    except psycopg.Error as error:
        raise Unreachable(f"cannot open the database{_where(conninfo)}: {first_line(error)}") from error


def _where(conninfo: str) -> str:
    given = conninfo_to_dict(conninfo)
    return f" {given.get('dbname', '')} at {given.get('host', 'the local socket')}:{given.get('port', 5432)}"


async def _check_server(connection: psycopg.AsyncConnection[Any]) -> None:
    if connection.info.server_version < _OLDEST:
        raise Unreachable(f"the database server is version {connection.info.server_version // 10_000}; allowed: 14 and newer")
    wanted = {"server_encoding": "UTF8", "fsync": "on", "full_page_writes": "on"}
    for name, value in wanted.items():
        cursor = await connection.execute("SELECT current_setting(%s)", [name])
        found = (await cursor.fetchone() or ("unknown",))[0]
        if found != value:
            why = "it could not keep Chinese text" if name == "server_encoding" else "it could lose what was committed"
            raise Unreachable(f"the database server has {name} = {found}: {why}; allowed: {value}")


async def _migrate(connection: psycopg.AsyncConnection[Any], lock: int) -> None:
    """Each step in a transaction of its own; several processes that start at once take turns."""
    for number, text in [(0, _OWN_TABLES), *migrations()]:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
            if number == 0:
                await connection.execute(text.encode())
                continue
            version = await _version(connection)
            if version >= number:
                continue
            await connection.execute(text.encode())
            await connection.execute("DELETE FROM dispatcher_schema")
            await connection.execute("INSERT INTO dispatcher_schema (version) VALUES (%s)", [number])
    version, known = await _version(connection), len(migrations())
    if version > known:
        raise Unreachable(f"the database has schema version {version}, this program knows {known}: use a newer program")


async def _version(connection: psycopg.AsyncConnection[Any]) -> int:
    cursor = await connection.execute("SELECT coalesce(max(version), 0) FROM dispatcher_schema")
    return int((await cursor.fetchone() or (0,))[0])
