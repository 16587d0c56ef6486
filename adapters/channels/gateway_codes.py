"""The editable table of a gateway's error codes: what each means for the next try."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from pathlib import Path

from dispatcher.errors import ConfigurationError, Problem

COLUMNS = ["code", "class", "reason"]


class CodeClass(StrEnum):
    """What an error code means.

    ``permanent``: this number will never work. ``content``: this text will never be taken. ``config``: our account or sender
    is set up wrongly; nothing was taken and a person must look. ``expired``: too late. ``transient``: try again.
    """

    PERMANENT = "permanent"
    CONTENT = "content"
    CONFIG = "config"
    EXPIRED = "expired"
    TRANSIENT = "transient"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row of the table, without its code."""

    kind: CodeClass
    reason: str

    @property
    def is_final(self) -> bool:
        """Trying the same again is of no use."""
        return self.kind in {CodeClass.PERMANENT, CodeClass.CONTENT}


UNKNOWN = Meaning(CodeClass.TRANSIENT, "the gateway gave a code that the table does not know")


def load(path: Path | None) -> Mapping[str, Meaning]:
    """The table of a file, or the one that comes with the program; ConfigurationError lists every bad row."""
    name = str(path) if path else "gateway_codes.csv"
    try:
        text = path.read_text("utf-8-sig") if path else resources.files(__package__).joinpath(name).read_text("utf-8")
    except OSError as error:
        raise ConfigurationError([Problem(name, f"cannot be read: {error.strerror}")]) from error
    table = csv.DictReader(io.StringIO(text))
    if table.fieldnames != COLUMNS:
        raise ConfigurationError([Problem(name, f"columns must be {','.join(COLUMNS)}", line=1)])
    allowed = ", ".join(CodeClass)
    rows = [(table.line_num, row) for row in table]
    problems = [
        Problem(name, f"code {row['code']!r}, class {row['class']!r}: a code is needed, and a class out of {allowed}", line=line)
        for line, row in rows
        if not row["code"] or row["class"] not in CodeClass.__members__.values()
    ]
    if problems:
        raise ConfigurationError(problems)
    return {row["code"]: Meaning(CodeClass(row["class"]), row["reason"] or row["class"]) for _, row in rows}
