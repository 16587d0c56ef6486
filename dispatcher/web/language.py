"""The words of the pages, one catalogue per language, and the choice of the language."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import yaml
from starlette.requests import HTTPConnection

LANGUAGES: Final = ("zh", "en")
COOKIE: Final = "lang"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The words of one language. A missing word is an error, never a blank."""

    language: str
    words: Mapping[str, str]

    def say(self, key: str, **fields: object) -> str:
        """The text of a key with its fields filled in; KeyError for an unknown key."""
        text = self.words[key]
        return text.format(**fields) if fields else text


def load_catalogues() -> dict[str, Catalogue]:
    """All catalogues, by language."""
    folder = files("dispatcher.web") / "messages"
    return {lang: Catalogue(lang, yaml.safe_load((folder / f"{lang}.yaml").read_text(encoding="utf-8"))) for lang in LANGUAGES}


def choose(connection: HTTPConnection, first: str, known: str = "") -> str:
    """``?lang=``, else the cookie, else what is known of the reader, else Accept-Language, else the county's first language."""
    wanted = [connection.query_params.get("lang", ""), connection.cookies.get(COOKIE, ""), known]
    wanted += [part.partition(";")[0].strip() for part in connection.headers.get("accept-language", "").split(",")]
    spoken = (w[:2].lower() for w in [*wanted, first])
    return next((language for language in spoken if language in LANGUAGES), LANGUAGES[0])
