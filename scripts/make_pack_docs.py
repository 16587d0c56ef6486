"""Writes the tables of docs/packs.md: every shipped rule, its numbers, and how sure their sources are."""

import csv
from collections.abc import Iterator
from pathlib import Path

import yaml

from dispatcher.rulework.packs import Pack, packs_of

FILE = Path(__file__).resolve().parent.parent / "docs" / "packs.md"
BEGIN = "<!-- made by scripts/make_pack_docs.py -->"
_SURE = ("V", "S", "M+", "M", "M-")


def text() -> str:
    """The whole page: what a person wrote, and the tables of today."""
    written = FILE.read_text(encoding="utf-8").partition(BEGIN)[0]
    return written + BEGIN + "\n" + "".join(section for pack in packs_of([]) for section in _pack(pack))


def _pack(pack: Pack) -> Iterator[str]:
    sources = list(csv.DictReader(pack.texts["sources.csv"].splitlines()))
    tests = [s.rule for s in pack.tests()]
    yield f"\n## {pack.folder.name}\n\n| rule | for each | hazard | grades | weakest mark | tests |\n{'| --- ' * 6}|\n"
    for name, body in pack.texts.items():
        if name.endswith(".yaml"):
            for rule in yaml.safe_load(body)["rules"]:
                own = [row for row in sources if row["rule"] == rule["rule"]]
                title = f"`{rule['rule']}` {rule['title']}"
                numbers = f"{_weakest(own)} | {tests.count(rule['rule']) or 'none yet'}"
                yield f"| {title} | {rule['for_each']} | {rule['hazard']} | {_grades(rule['ladder'])} | {numbers} |\n"
    yield "\n| number | unit | mark | source |\n| --- | --- | --- | --- |\n"
    for row in _together(sources):
        yield f"| {row['what']} | {row['unit']} | {row['mark']} | {row['source']}{'; ' + row['note'] if row['note'] else ''} |\n"


def _grades(ladder: dict[str, object]) -> str:
    words = ("blue", "yellow", "orange", "red")
    reached = {w for w in words if w in ladder}
    for cells in ladder.values():
        if isinstance(cells, list):
            reached |= {w for w, cell in zip(words, cells, strict=True) if cell is not None}
    return ", ".join(w for w in words if w in reached)


def _weakest(rows: list[dict[str, str]]) -> str:
    # A rule whose thresholds are all columns of a table has no numbers of its own.
    return max((row["mark"] for row in rows), key=_SURE.index, default="your table")


def _together(rows: list[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Rows of one input with one source become one line: ``rainstorm r3h: orange 50, red 100``."""
    lines: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        key = (row["rule"], row["input"], row["unit"], row["mark"], row["source"], row["note"])
        lines.setdefault(key, []).append(f"{row['grade']} {row['number']}".strip())
    for (rule, name, unit, mark, source, note), numbers in lines.items():
        yield {"what": f"`{rule}` {name}: {', '.join(numbers)}", "unit": unit, "mark": mark, "source": source, "note": note}


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
