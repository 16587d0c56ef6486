"""The answer page as an old phone sees it: forms, fields and buttons; no scripts are run."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin


@dataclass(slots=True)
class Form:
    """One form: where it goes, what it carries by itself, its number fields, and its buttons with their caption."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    numbers: list[str] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """The request that pressing a button makes."""

    method: str
    url: str
    form: tuple[tuple[str, str], ...]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(action=found.get("action", ""), method=found.get("method", "get").upper())
            self.forms.append(self._open)
        elif self._open is None or "disabled" in found:
            return
        elif tag == "input":
            _add_input(self._open, found)
        elif tag == "button" and found.get("type", "submit") == "submit":
            self._open.buttons.append((found.get("name", ""), found.get("value", "")))
        elif tag in {"textarea", "select"} and found.get("name"):
            self._open.fields.setdefault(found["name"], "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def _add_input(form: Form, found: dict[str, str]) -> None:
    name, kind = found.get("name", ""), found.get("type", "text").lower()
    if kind == "submit":
        form.buttons.append((name, found.get("value", "")))
    elif kind in {"radio", "checkbox"} and "checked" not in found:
        return
    elif name and kind not in {"button", "reset", "image", "file"}:
        form.fields[name] = found.get("value", "on" if kind == "checkbox" else "")
        if kind == "number":
            form.numbers.append(name)


def forms(html: str) -> list[Form]:
    """All forms of a page, in order."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.forms


def press(html: str, page_url: str, action: str, people: int) -> Press | None:
    """What pressing the button named ``action`` sends; None when the page has no such button.

    A button is found by its name or value; a form that has one button and a hidden field of that value will do as well.
    ``people`` goes into the number field; 0 leaves it empty.
    """
    for form in forms(html):
        for name, value in form.buttons:
            if action in (name, value) or action in form.fields.values():
                numbers = dict.fromkeys(form.numbers[:1], str(people)) if people else {}
                pressed = {name: value} if name else {}
                filled = tuple((form.fields | numbers | pressed).items())
                return Press(method=form.method, url=urljoin(page_url, form.action), form=filled)
    return None
