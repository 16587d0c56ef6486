"""Writes docs/configuration.md from the settings models: of the engine and of every adapter that is registered."""

from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from dispatcher.settings import Deployment, WebSettings

FILE = Path(__file__).resolve().parent.parent / "docs" / "configuration.md"
KINDS = (
    ("brokers", "broker", "A broker in our own process, under `broker`."),
    ("stores", "store", "Where everything with a life is kept, under `store`."),
    ("sources", "source", "A way in for readings, under `sources` by a name of its own."),
    ("channels", "channel", "A way out to people and speakers, under `channels` by the name that call plans use."),
    ("printers", "printer", "What turns reports into paper, under `printer`."),
    ("outlets", "outlet", "Where other programs hear of released changes and of rejects, under `outlets` by a name of its own."),
    ("beacons", "beacon", "Where a heartbeat goes every minute while all is well, under `beacons` by a name of its own."),
)
HEAD = """\
# Configuration

Every setting of `deployment.yaml`. This page is made from the settings models: `python scripts/make_configuration_docs.py`.
A commented example is [config/sample/deployment.yaml](../config/sample/deployment.yaml), which is also what `dispatcher run` takes
when it is given no file. `dispatcher check -c FILE` names every mistake with file and line.

Secrets are never in the file: settings that end in `_env` name the environment variable that holds one.
The files of a county (registry, call plans, texts, rules) are in the [guide](guide.md) and in [rules](rules.md).
"""


def text() -> str:
    """The whole page."""
    parts = [HEAD, "## The installation\n\n" + table(Deployment), "## `web`\n\n" + table(WebSettings)]
    for kind, word, what in KINDS:
        parts.append(f"## Adapters: {word}\n\n{what}")
        points = sorted(entry_points(group=f"dispatcher.{kind}"), key=lambda p: p.name)
        parts += [f"### `adapter: {point.name}` ({word})\n\n{table(point.load().settings)}" for point in points]
    return "\n".join(part.rstrip() + "\n" for part in parts)


def table(model: type[BaseModel]) -> str:
    """The settings of one model, a row each, in the order of the file."""
    rows = ["| setting | allowed | default | what it does |", "| --- | --- | --- | --- |"]
    schema = model.model_json_schema()
    for name, field in schema["properties"].items():
        needed = name in schema.get("required", ())
        default = "needed" if needed else shown(field.get("default"))
        allowed = ", ".join(allows(field, schema.get("$defs", {})))
        rows.append(f"| `{name}` | {escaped(allowed)} | {escaped(default)} | {escaped(field.get('description', ''))} |")
    return "\n".join(rows)


def allows(field: dict[str, Any], defined: dict[str, Any]) -> Iterator[str]:
    """What a setting may be, in words."""
    for option in field.get("anyOf", ()):
        if option.get("type") != "null":
            yield from allows(option, defined)
    if "$ref" in field:
        yield from allows(defined[field["$ref"].rpartition("/")[2]], defined)
    elif "enum" in field:
        yield " \\| ".join(f"`{value}`" for value in field["enum"])
    elif field.get("type") == "object":
        of = field.get("additionalProperties")
        yield _of_each(of) if isinstance(of, dict) else _of_object(field)
    elif "type" in field:
        yield f"list of {field['items'].get('type', 'values')}" if "items" in field else field.get("format", field["type"])
        yield from _bounds(field)


def _of_each(of: dict[str, Any]) -> str:
    return f"by name, each a {of.get('format', of['type'])}" if "type" in of else "by name, each `adapter: …` with its settings"


def _of_object(field: dict[str, Any]) -> str:
    return "`adapter: …` with its settings" if "adapter" in field.get("properties", {}) else "section"


def _bounds(field: dict[str, Any]) -> Iterator[str]:
    words = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "maxLength": "length ≤", "pattern": "like"}
    for key, word in words.items():
        if key in field:
            yield f"{word} `{field[key]}`" if key == "pattern" else f"{word} {field[key]}"


def shown(value: object) -> str:
    """A default as it would stand in the file; none where there is none."""
    if value is None or value in ("", [], {}):
        return "none"
    if isinstance(value, dict):
        return "see below" if "adapter" not in value else f"`adapter: {value['adapter']}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`[{', '.join(map(str, value))}]`" if isinstance(value, list) else f"`{value}`"


def escaped(words: str) -> str:
    """Words as they may stand in a cell."""
    return " ".join(words.replace("``", "`").replace("<", "\\<").split())


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
