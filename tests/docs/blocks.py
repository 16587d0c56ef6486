"""Fenced blocks of Markdown files, and the shell script that a document's commands make together.

An HTML comment right above a block speaks to the tests: ``<!-- not run: reason -->`` or ``<!-- test: stop the engine -->``.
In ``console`` blocks lines after ``$`` are commands, lines with four spaces go on with the command, the others are shown output,
in which ``…`` stands for anything.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(
    r"^(?:<!-- (?P<note>[^\n]*?) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_REMARK = re.compile(r"\s{2,}#.*$")
MARK = "@@@ block"


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block; ``line`` is where it begins, ``note`` the comment above it."""

    file: Path
    line: int
    language: str
    text: str
    note: str

    @property
    def where(self) -> str:
        """For messages."""
        return f"{self.file.name}:{self.line}"

    @property
    def is_command(self) -> bool:
        """Whether it is run."""
        return self.language in {"bash", "sh", "console"} and not self.note.startswith("not run: ")

    def commands(self) -> list[str]:
        """The lines of shell in it."""
        lines = self.text.splitlines()
        if self.language != "console":
            return lines
        return [line.removeprefix("$ ") for line in lines if line.startswith(("$ ", "    "))]

    def output(self) -> list[str]:
        """The lines it shows as output."""
        return [line for line in self.text.splitlines() if self.language == "console" and not line.startswith(("$ ", "    "))]


def blocks(file: Path) -> Iterator[Block]:
    """All fenced blocks of a file."""
    page = file.read_text(encoding="utf-8")
    for found in _FENCE.finditer(page):
        yield Block(file, page.count("\n", 0, found.start()) + 1, found["language"], found["text"], found["note"] or "")


def script(parts: list[Block], stand_ins: dict[str, str]) -> str:
    """One shell script of all commands of a document; ``stand_ins`` say what is run for a line that would not end or not fit."""
    lines = []
    for number, block in enumerate(parts):
        lines.append(f"printf '\\n{MARK} %s\\n' {number}")
        if block.note == "test: stop the engine":
            lines.append("stop_engine")
        for line in block.commands():
            plain = _REMARK.sub("", line)
            lines.append(stand_ins.get(plain, f"start_engine {plain}" if plain.startswith("dispatcher run") else plain))
    return "\n".join(lines) + "\n"


def outputs(text: str) -> dict[int, str]:
    """What each block printed, by its number."""
    pieces = re.split(rf"^{MARK} (\d+)\n", text, flags=re.MULTILINE)
    return {int(number): printed for number, printed in zip(pieces[1::2], pieces[2::2], strict=True)}


def missing(block: Block, printed: str) -> list[str]:
    """The shown lines that the real output does not have, in order."""
    at, lost = 0, []
    for line in filter(str.strip, block.output()):
        pattern = ".*".join(map(re.escape, line.split("…")))
        found = re.compile(pattern).search(printed, at)
        if found is None:
            lost.append(line)
        else:
            at = found.end()
    return lost
