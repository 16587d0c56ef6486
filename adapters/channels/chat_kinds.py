"""The table of chat robots: how each kind is signed, what its messages look like, what its answers mean."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.channels.gateway_codes import UNKNOWN, CodeClass, Meaning
from dispatcher.errors import ConfigurationError, Problem

_OWN = "chat_kinds.yaml"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Signed(_Table):
    """HMAC-SHA256 over ``text`` with ``key``, both with {at}, {secret} and {body} filled in."""

    place: Literal["query", "header", "body"] = Field(alias="in")
    unit: Literal["s", "ms"]
    key: str
    text: str
    at: str
    sign: str
    shape: Literal["base64", "hex"] = "base64"
    prefix: str = ""
    within_s: float = Field(default=3600, gt=0)

    def time(self, now: datetime) -> str:
        """The time as it is written."""
        return str(int(now.timestamp() * (1000 if self.unit == "ms" else 1)))

    def signature(self, at: str, secret: bytes, body: bytes) -> str:
        """The signature as it is written."""
        key, text = (_filled(part, at, secret, body) for part in (self.key, self.text))
        digest = hmac.digest(key, text, hashlib.sha256)
        return self.prefix + (digest.hex() if self.shape == "hex" else base64.b64encode(digest).decode())

    def holds(self, at: str, sign: str, secret: bytes, body: bytes, now: datetime) -> bool:
        """Whether somebody who knows the secret signed this, not long ago."""
        if not (at.isascii() and at.isdecimal() and len(at) < 20):  # noqa: PLR2004 - more digits are no time
            return False
        age_s = abs(now.timestamp() - int(at) / (1000 if self.unit == "ms" else 1))
        expected = self.signature(at, secret, body).encode()
        return hmac.compare_digest(expected, sign.encode("utf-8", "replace")) and age_s <= self.within_s


class Found(_Table):
    """Where in the JSON of a call things are: names with dots between."""

    id: str
    sender: str
    text: str
    answer: str = ""


class Called(_Table):
    """How the platform calls us."""

    signed: Signed
    found: Found


class Result(_Table):
    """Where an answer has its code, and what codes mean."""

    code: str
    codes: dict[str, tuple[CodeClass, str]]

    def meaning(self, code: object) -> Meaning:
        """What a code that is not 0 means."""
        known = self.codes.get(str(code))
        return Meaning(*known) if known else UNKNOWN


class Kind(_Table):
    """One kind of robot."""

    signed: Signed | None = None
    called: Called | None = None
    asks: dict[str, Any]
    informs: dict[str, Any]
    result: Result


def load(path: Path | None) -> Mapping[str, Kind]:
    """The kinds of a file, or those that come with the program; ConfigurationError names every mistake."""
    name = str(path) if path else _OWN
    try:
        text = path.read_text("utf-8") if path else resources.files(__package__).joinpath(_OWN).read_text("utf-8")
        table = yaml.safe_load(text)
        return {str(kind): Kind.model_validate(body) for kind, body in table.items()}
    except (OSError, yaml.YAMLError, AttributeError) as error:
        raise ConfigurationError([Problem(name, f"not a table of chat robots: {error}")]) from error
    except ValidationError as error:
        problems = [Problem(name, f"{'.'.join(map(str, e['loc']))}: {e['msg']}") for e in error.errors()]
        raise ConfigurationError(problems) from error


def filled(shape: object, fields: Mapping[str, object]) -> Any:  # noqa: ANN401 - JSON
    """A message with its fields filled in; a text that is one field alone becomes its value, be it a list."""
    if isinstance(shape, dict):
        return {name: filled(part, fields) for name, part in shape.items()}
    if isinstance(shape, list):
        return [filled(part, fields) for part in shape]
    if not isinstance(shape, str):
        return shape
    if shape.startswith("{") and shape[1:-1] in fields and shape.endswith("}"):
        return fields[shape[1:-1]]
    for name in fields:
        shape = shape.replace(f"{{{name}}}", f"\0{name}\0")  # what a text says is not looked at for fields
    return "".join(str(fields[part]) if n % 2 else part for n, part in enumerate(shape.split("\0")))


def at_path(body: object, path: str) -> str:
    """The text at a path such as ``text.content``; empty when there is none."""
    for name in path.split(".") if path else ():
        body = body.get(name) if isinstance(body, dict) else None
    return str(body) if path and isinstance(body, (str, int)) and not isinstance(body, bool) else ""


def _filled(part: str, at: str, secret: bytes, body: bytes) -> bytes:
    """The body last: what it says is not looked at for fields."""
    return part.encode().replace(b"{at}", at.encode()).replace(b"{secret}", secret).replace(b"{body}", body)
