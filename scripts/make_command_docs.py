"""Writes docs/commands.md: every command of ``dispatcher`` with its own help text."""

from collections.abc import Iterator
from pathlib import Path

import typer
from typer.testing import CliRunner

from dispatcher.cli.commands import app

FILE = Path(__file__).resolve().parent.parent / "docs" / "commands.md"
HEAD = """\
# Commands

What each command says with `--help`. This page is made from the program: `python scripts/make_command_docs.py`.

Exit codes: 0 done · 1 what was checked is wrong · 2 wrong usage · 3 something it needs cannot be reached · 130 ended by a second Ctrl-C.
`--json` wherever a program might read. Commands that open the database (`user`, `db`) need the engine to be stopped.
"""


def text() -> str:
    """The whole page."""
    parts = [f"## `dispatcher {name}`\n\n```text\n{helped(name)}\n```\n" for name in commands()]
    return "\n".join([HEAD, f"```text\n{helped('')}\n```\n", *parts])


def commands() -> Iterator[str]:
    """The name of each command; a group stands for its commands, such as ``user token``."""
    yield from _below(typer.main.get_command(app), ())


def _below(command: object, path: tuple[str, ...]) -> Iterator[str]:
    below: dict[str, object] = getattr(command, "commands", {})
    if not below:
        yield " ".join(path)
        return
    for name, sub in below.items():
        yield from _below(sub, (*path, name))


def helped(name: str) -> str:
    """What a command says with --help, a hundred columns wide wherever it is asked."""
    ran = CliRunner().invoke(app, [*name.split(), "--help"], prog_name="dispatcher", terminal_width=100, max_content_width=100, color=False)
    return "\n".join(line.rstrip() for line in ran.output.strip().splitlines())


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
