"""Web forms, read. A value of which every byte is escaped, as a mass sender writes Chinese, is read without looking at each byte."""

from collections.abc import Iterator
from urllib.parse import unquote_plus


def fields(body: str) -> dict[str, str]:
    """The fields of a form; of a repeated field the last value, as a dictionary has it."""
    return dict(_pairs(body))


def _pairs(body: str) -> Iterator[tuple[str, str]]:
    for pair in body.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            yield unquote_plus(name), _value(value)


def _value(text: str) -> str:
    if text and 3 * text.count("%") == len(text):
        try:
            return bytes.fromhex(text.replace("%", "")).decode(errors="replace")
        except ValueError:
            return unquote_plus(text)
    return unquote_plus(text)
