"""Which variant of the hot loops runs: compiled where it was built from these very sources, else the sources themselves.

Compiled modules stand in a folder ``_compiled`` of their package, with a list of the sources they were made of. A list that does
not fit to the sources beside it means that somebody has changed them since: then nothing of it is used.
"""

import hashlib
import os
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

FOLDER = "_compiled"
PURE = "DISPATCHER_PURE"
"""The environment variable that keeps compiled modules from being used."""


def prefer_compiled(search: list[str]) -> bool:
    """Let a package find its compiled modules before their sources; false when there are none that fit.

    ``search`` is the package's ``__path__``.
    """
    package = Path(search[0])
    folder = package / FOLDER
    if os.environ.get(PURE) or not fits(package, folder):
        return False
    search.insert(0, str(folder))
    return True


def fits(package: Path, folder: Path) -> bool:
    """Whether a folder was compiled for this Python, from the sources of a package as they are now."""
    try:
        if not any(file.name.endswith(EXTENSION_SUFFIXES[0]) for file in folder.iterdir()):
            return False
        listed = [line.split(" ", 1) for line in (folder / "SOURCES").read_text(encoding="utf-8").splitlines()]
        return bool(listed) and all(hashlib.sha256((package / name).read_bytes()).hexdigest() == sha256 for sha256, name in listed)
    except (OSError, ValueError):
        return False
