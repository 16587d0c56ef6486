"""Copies of a SQLite file: made while an engine writes, put back while none does."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from dispatcher.errors import Unreachable
from dispatcher.queries import load_migrations

_SIDES = ("-wal", "-shm")


def backup(path: Path, to: Path) -> None:
    """Write a consistent, checked copy; the name appears only when it is whole. Unreachable says why it cannot be."""
    if to.exists():
        raise Unreachable(f"{to} is there already: name another file, or move it away")
    if not path.exists():
        raise Unreachable(f"there is no database {path}")
    copied(path, to)


def copied(path: Path, to: Path) -> None:
    """Copy what one reader sees now, which takes no lock from a writer; checked, on disk, then under its name."""
    partial = to.with_name(f"{to.name}.partial")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as source, closing(sqlite3.connect(partial)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")  # one file, without others beside it
        check(partial)
        _synced(partial)
        partial.replace(to)
        _synced(to.parent)
    except (OSError, sqlite3.Error) as error:
        raise Unreachable(f"cannot copy {path} to {to}: {error}") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def check(path: Path) -> None:
    """Unreachable unless the file is a whole database of ours that this program understands."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            said = connection.execute("PRAGMA integrity_check(5)").fetchall()
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        raise Unreachable(f"{path} is not a whole database: {error}") from error
    if [row[0] for row in said] != ["ok"]:
        raise Unreachable(f"{path} is not a whole database: {'; '.join(str(row[0]) for row in said)}")
    known = len(load_migrations(key="", binary=""))
    if not 0 < version <= known:
        raise Unreachable(f"{path} has schema version {version}; allowed: 1 to {known}")


def put_back(path: Path, source: Path) -> Path | None:
    """Put a checked copy where the database lies, with what was there kept beside it: its new name, None when there was nothing.

    The caller holds the lock of the database.
    """
    check(source)
    new = path.with_name(f"{path.name}.restoring")
    new.unlink(missing_ok=True)
    copied(source, new)
    before = None
    try:
        if path.exists():
            before = _aside(path)
            for side in _SIDES:
                file = path.with_name(path.name + side)
                if file.exists():  # they belong to the old file, and would be taken for the new one's
                    file.replace(before.with_name(before.name + side))
            path.replace(before)
        new.replace(path)
        _synced(path.parent)
    except OSError as error:
        raise Unreachable(f"cannot put {source} back as {path}: {error}") from error
    return before


def _aside(path: Path) -> Path:
    names = (path.with_name(f"{path.name}.before-{n}") for n in range(1, 10_000))
    return next(name for name in names if not name.exists())


def _synced(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
