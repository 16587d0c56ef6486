"""The named SQL of the engine: one text for every store, written in the part of SQL that SQLite and PostgreSQL share.

A query is called ``file.name``. Three words are left to each store's dialect: ``GROWING_KEY`` (an integer primary key) and
``BYTES`` in migrations, ``EACH(:name)`` (the members of a JSON array) in queries.
"""

import re
from collections.abc import Callable
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def load_queries(each: Callable[[str], str]) -> dict[str, str]:
    """All queries by ``file.name``; ``each`` writes ``EACH(:name)`` in the store's dialect, given ``name``."""
    found: dict[str, str] = {}
    for file in sorted(files("dispatcher.sql").iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".sql"):
            continue
        parts = _NAME.split(file.read_text(encoding="utf-8"))
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            key = f"{file.name.removesuffix('.sql')}.{name}"
            if key in found:
                raise ValueError(f"query {key} is written twice")
            found[key] = re.sub(r"EACH\(:(\w+)\)", lambda m: each(m.group(1)), text.strip().removesuffix(";"))
    return found


def load_migrations(key: str, binary: str) -> list[tuple[int, str, str]]:
    """(number, name, SQL) of every migration in order, with the dialect's words for ``GROWING_KEY`` and ``BYTES``."""
    found = []
    for file in sorted((files("dispatcher.sql") / "migrations").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".sql"):
            text = re.sub(r"\bGROWING_KEY\b", key, file.read_text(encoding="utf-8"))
            text = re.sub(r"\bBYTES\b", binary, text)
            found.append((int(file.name.split("_")[0]), file.name.removesuffix(".sql"), text))
    return found
