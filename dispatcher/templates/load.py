"""Template files → texts and words. Fields are checked here, so that a text can always be rendered.

A directory holds ``words.<language>.yaml`` and any number of text files, each for one hazard in one language.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter

from dispatcher.errors import ConfigurationError, Problem
from dispatcher.files.document import Spot, read_document
from dispatcher.files.textfile import read_tree
from dispatcher.registry.load import digest_of
from dispatcher.registry.model import CHANNELS, LOUDSPEAKER, VOICE
from dispatcher.templates.model import ACTION_FIELDS, ANSWER_FIELDS, EARLY, FIELDS, LIFT, LOWER, Template, Templates, Words
from rules.grade import Grade

GRADE_WORDS = tuple(grade.word for grade in Grade if grade)
_WORDS = ("language", "name", "exercise", "listing", "time_format", "minutes", "at_once", "no_shelter", "grades", "hazards")
_NEEDED_FOR = {"route": "no_route", "transfer_person": "no_transfer_person"}


def load_templates(directory: Path) -> Templates:
    """All texts of ``*.yaml`` below a directory; ConfigurationError carries every mistake."""
    problems: list[Problem] = []
    templates = read_templates(read_tree(directory, {".yaml", ".yml"}, problems), problems)
    if problems:
        raise ConfigurationError(problems)
    return templates


def read_templates(texts: Mapping[str, str], problems: list[Problem], default_language: str = "zh") -> Templates:
    """Texts from file name → content; mistakes are noted, and the result is only good when there are none."""
    found: dict[tuple[str, str, str, str], Template] = {}
    words: dict[str, Words] = {}
    spots: dict[tuple[str, str, str, str], Spot] = {}
    for file, text in texts.items():
        document = read_document(text, file, problems)
        if document is None:
            continue
        if file.rpartition("/")[2].startswith("words."):
            entry = read_words(document)
            words[entry.language] = entry
            continue
        for template in read_texts(document):
            key = (template.hazard, template.occasion, template.channel, template.language)
            if key in found:
                document.wrong(f"the text {template.id} is given in two files")
            found[key] = template
            spots[key] = document
    for key, template in found.items():
        for name in missing_words(template, words):
            spots[key].wrong(f"{template.id} names what a village may lack: words.{template.language}.yaml needs {name!r} for then")
    return Templates(texts=found, words=words, digest=digest_of(dict(texts)), default_language=default_language)


def missing_words(template: Template, words: Mapping[str, Words]) -> Iterator[str]:
    """The words of its language that a text needs and that are not given."""
    given = words.get(template.language)
    used = template.fields | {name for _, name, _, _ in Formatter().parse(template.action) if name}
    return (word for name, word in _NEEDED_FOR.items() if given and name in used and not getattr(given, word))


def read_words(document: Spot) -> Words:
    """The words of one language."""
    spots = document.entries(_WORDS, tuple(_NEEDED_FOR.values()))
    plain = {key: spot.text() for key, spot in spots.items() if key not in {"grades", "hazards"}}
    grades = spots["grades"].entries([grade.word for grade in Grade]) if "grades" in spots else {}
    hazards = spots["hazards"].pairs() if "hazards" in spots else []
    if "minutes" in spots:
        fields_of(spots["minutes"], plain["minutes"], frozenset({"minutes"}))
    return Words(
        **{key: plain.get(key, "") for key in (*_WORDS, *_NEEDED_FOR.values()) if key not in {"grades", "hazards"}},
        grades={Grade.from_word(word): spot.text() for word, spot in grades.items()},
        hazards={key.text(): value.text() for key, value in hazards},
    )


def read_texts(document: Spot) -> list[Template]:
    """The texts of one hazard in one language, for every occasion."""
    found = document.entries(("hazard", "language", "version", "texts"))
    if "texts" not in found:
        return []
    hazard = found["hazard"].text() if "hazard" in found else ""
    language = found["language"].text() if "language" in found else ""
    version = found["version"].whole(1, 999_999) if "version" in found else 1
    return [
        Template(
            hazard=hazard, occasion=occasion, channel=channel, language=language, version=version, text=text, action=action, fields=fields
        )
        for occasion, spot in found["texts"].entries((*GRADE_WORDS, LOWER, LIFT), (EARLY,)).items()
        for channel, text, action, fields in read_occasion(occasion, spot)
    ]


def read_occasion(occasion: str, spot: Spot) -> Iterator[tuple[str, str, str, frozenset[str]]]:
    """Channel, text, action and fields of each text of one occasion."""
    asks = occasion in {*GRADE_WORDS, EARLY}
    entries = spot.entries(("action",) if asks else (), CHANNELS if asks else ("action", *CHANNELS))
    action = entries.pop("action").text() if "action" in entries else ""
    if action:
        fields_of(spot, action, ACTION_FIELDS)
    for channel, entry in entries.items():
        text = entry.text()
        fields = fields_of(entry, text, allowed_fields(occasion, channel))
        if "action" in fields and not action:
            entry.wrong(f"the text uses {{action}}, but {occasion} has no 'action'")
        yield channel, text, action, fields


def allowed_fields(occasion: str, channel: str) -> frozenset[str]:
    """Lowering and lifting ask for nothing, a loudspeaker cannot be answered and a call is by a key: no code and no link there."""
    return FIELDS - ANSWER_FIELDS if occasion in {LOWER, LIFT} or channel in {LOUDSPEAKER, VOICE} else FIELDS


def fields_of(spot: Spot, text: str, allowed: frozenset[str]) -> frozenset[str]:
    """The fields a text names; anything but a plain allowed ``{field}`` is a mistake."""
    shown = ", ".join(f"{{{name}}}" for name in sorted(allowed))
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        spot.wrong(f"braces do not match ({error}); allowed fields: {shown}")
        return frozenset()
    named: set[str] = set()
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if name not in allowed or form or conversion:
            spot.wrong(f"unknown field {{{name}}} here; allowed: {shown}")
            continue
        named.add(name)
    return frozenset(named)
