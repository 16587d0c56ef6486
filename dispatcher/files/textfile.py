"""Text files as operators have them: UTF-8 with or without a byte-order mark, or GBK from an older Excel."""

import hashlib
from collections.abc import Collection
from pathlib import Path

from dispatcher.errors import Problem


def read_text(path: Path, problems: list[Problem], name: str) -> str:
    """The text of a file; empty, with a problem noted under ``name``, when it is missing or in no known encoding."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        problems.append(Problem(name, "the file is missing"))
        return ""
    except OSError as error:
        problems.append(Problem(name, f"the file cannot be read: {error.strerror}"))
        return ""
    return decode_text(raw, problems, name)


def decode_text(raw: bytes, problems: list[Problem], name: str) -> str:
    """UTF-8 (a byte-order mark is dropped), else GBK in its full form GB 18030; line ends become a bare newline."""
    at = 0
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding).replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            at = error.start
    line = raw.count(b"\n", 0, at) + 1
    problems.append(Problem(name, "the text is neither UTF-8 nor GBK; save the file as UTF-8", line))
    return ""


def read_tree(folder: Path, suffixes: Collection[str], problems: list[Problem]) -> dict[str, str]:
    """Every file below a folder with one of these suffixes: path inside the folder (with ``/``) → text, in order of path."""
    texts: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in suffixes and path.is_file():
            name = path.relative_to(folder).as_posix()
            texts[name] = read_text(path, problems, name)
    return texts


def mark_of(*folders: Path) -> str:
    """A text that is another one as soon as any file below is changed, added or taken away; cheap enough to be asked every few seconds."""
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            try:
                known = path.stat()
            except OSError:  # taken away meanwhile
                continue
            if path.is_file() and not path.name.startswith("."):
                found.append(f"{path}\t{known.st_mtime_ns}\t{known.st_size}")
    return hashlib.sha256("\n".join(found).encode("utf-8", "surrogateescape")).hexdigest()
