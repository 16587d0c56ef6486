"""The formats of an installation: those built in, and those its settings name a file for."""

from pathlib import Path

import yaml

from dispatcher.errors import ConfigurationError, Problem
from dispatcher.files.textfile import read_text
from dispatcher.intake.codecs.choose import SETTINGS, Codecs, built_in, codec_of
from dispatcher.intake.codecs.port import Codec
from dispatcher.settings import AdapterChoice, Deployment, validated


def load_formats(deployment: Deployment) -> Codecs:
    """Every format by its name; ConfigurationError names each mistake in files, and each format that a source asks for in vain."""
    codecs = dict(built_in())
    problems: list[Problem] = []
    for name, file in deployment.formats.items():
        if name in codecs:
            problems.append(Problem(str(file), f"format {name!r} is built in; allowed: another name"))
            continue
        try:
            codecs[name] = read_format(file)
        except ConfigurationError as error:
            problems += error.problems
    allowed = ", ".join([*built_in(), *deployment.formats])
    for name, choice in deployment.sources.items():
        wanted = filter(None, (choice.format, *choice.formats.values()))
        unknown = sorted({w for w in wanted if w not in codecs and w not in deployment.formats})
        problems += [Problem(f"sources.{name}", f"unknown format {w!r}; allowed: {allowed}") for w in unknown]
    problems += _elsewhere(deployment)
    if problems:
        raise ConfigurationError(problems)
    return codecs


def _elsewhere(deployment: Deployment) -> list[Problem]:
    others: dict[str, AdapterChoice | None] = {"broker": deployment.broker, "store": deployment.store}
    others |= {f"channels.{name}": choice for name, choice in deployment.channels.items()}
    what = "a format belongs to a source; allowed: under sources only"
    return [Problem(where, what) for where, choice in others.items() if choice and (choice.format or choice.formats)]


def read_format(file: Path) -> Codec:
    """The codec that a file describes; ConfigurationError names every mistake in it with its line."""
    problems: list[Problem] = []
    text = read_text(file, problems, str(file))
    if problems:
        raise ConfigurationError(problems)
    try:
        body = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise ConfigurationError(
            [Problem(str(file), f"not YAML: {error.problem}", mark.line + 1 if mark else 0, mark.column + 1 if mark else 0)]
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigurationError([Problem(str(file), "not YAML")]) from error
    word = body.get("codec") if isinstance(body, dict) else None
    if not isinstance(word, str) or word not in SETTINGS:
        what = f"codec: {word!r}; needed: one of {', '.join(SETTINGS)}"
        raise ConfigurationError([Problem(str(file), what)])
    return codec_of(validated(SETTINGS[word], body, str(file), text))
