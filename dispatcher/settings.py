"""The settings of one installation: ``deployment.yaml``. Each adapter declares its own part."""

import os
import secrets
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from dispatcher.errors import ConfigurationError, Problem
from dispatcher.ports import Adapter, Status

_SECRET_BYTES = 32
M = TypeVar("M", bound=BaseModel)


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AdapterChoice(BaseModel):
    """``adapter`` names an entry point; all other keys are that adapter's own settings."""

    model_config = ConfigDict(extra="allow", frozen=True)

    adapter: str = Field(description="Name of the adapter, as its package registered it.")
    format: str = Field(default="", description="Sources only: the format of what comes in; default as the source marks it, else json.")
    formats: dict[str, str] = Field(default_factory=dict, description="Sources only: formats by topic (+ and # as in MQTT), first fit.")

    serves: str = Field(default="", description="Channels only: the channel of call plans that this gateway serves; default its own name.")
    weight: float = Field(default=1, gt=0, description="Channels only: its share of the messages, beside other gateways of the channel.")
    prefixes: tuple[str, ...] = Field(
        default=(), description="Channels only: beginnings of the numbers it is for, which it then takes first; default all."
    )
    rate: float = Field(default=0, ge=0, description="Channels only: segments (SMS), calls or commands a second at most; 0 is no limit.")
    burst: float = Field(default=0, ge=0, description="Channels only: how many of them at once; default what one second allows.")

    price: float = Field(default=0, ge=0, description="Channels only: what one segment, call or command costs, for the preview.")

    def own(self) -> dict[str, Any]:
        """The adapter's own settings."""
        return dict(self.model_extra or {})


class WebSettings(_Settings):
    """The duty-room page and the API."""

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(default=8080, description="TCP port; 0 takes a free one.")
    public_url: str = Field(default="", description="What the outside calls us, without a slash at the end; default http://host:port.")


class Deployment(_Settings):
    """One installation. Paths are relative to the file."""

    county: Path = Field(default=Path(), description="Directory with county.yaml, its tables, policies/ and templates/.")
    rules: Path | None = Field(default=None, description="Directory of the rule pack; default <county>/rules.")
    status: Status = Field(default=Status.ACTUAL, description="Actual, or Exercise for an installation that only drills.")
    coalesce_s: float = Field(
        default=10, ge=0, description="Seconds in which changes of one warning become one alert; red waits for nothing."
    )
    cap_sender: Annotated[str, Field(pattern=r"^[^\s,<&]*$")] = Field(
        default="", description="Our name in CAP messages, such as an e-mail address or OID; default alerts@ and the host of public_url."
    )
    watch_files_s: float = Field(
        default=5,
        ge=0,
        description="Seconds between looks at the county's files; changed ones are checked, then decide. 0: only when told.",
    )
    journal_days: float = Field(
        default=7, ge=0, description="Days for which what came in is kept as it came; longer where a rule looks back further."
    )
    secret_env: str = Field(default="DISPATCHER_SECRET", description="Environment variable with the secret that signs links and sessions.")
    state_dir: Path = Field(default=Path("var"), description="Where the engine keeps its own files; relative to the working directory.")
    worker: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{0,32}$")] = Field(
        default="",
        description="Name of this process among several on one PostgreSQL: one decides, the others send and stand by. Without a name it"
        " is alone, and a second is refused.",
    )
    web: WebSettings = Field(default=WebSettings(), description="The duty-room page and the API; see below.")
    broker: AdapterChoice | None = Field(default=None, description="A broker to run in our own process; none in earnest.")
    store: AdapterChoice = Field(default=AdapterChoice(adapter="sqlite"), description="Where everything with a life is kept.")
    formats: dict[str, Path] = Field(default_factory=dict, description="Formats beside json, senml and sl651: name to YAML file.")
    sources: dict[str, AdapterChoice] = Field(
        default_factory=dict, description="Sources by a name of their own; each may also say its `format`."
    )
    channels: dict[str, AdapterChoice] = Field(default_factory=dict, description="Channels by the name that call plans use.")
    printer: AdapterChoice | None = Field(
        default=AdapterChoice(adapter="pdf"), description="What makes PDFs of reports; needs the extra `pdf`."
    )
    outlets: dict[str, AdapterChoice] = Field(
        default_factory=dict, description="Where other programs hear of changes and rejects, by a name of their own."
    )
    beacons: dict[str, AdapterChoice] = Field(
        default_factory=dict, description="Where the engine says every minute that all is well; a beat that stays away is the alarm."
    )


def load_deployment(file: Path) -> Deployment:
    """Read a deployment file; ConfigurationError names every mistake with what is allowed."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([Problem(str(file), f"cannot be read: {error}")]) from error
    try:
        body = yaml.safe_load(text) or {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = Problem(str(file), f"not YAML: {error.problem}", mark.line + 1 if mark else 0, mark.column + 1 if mark else 0)
        raise ConfigurationError([where]) from error
    deployment = validated(Deployment, body, str(file), text)
    return deployment.model_copy(
        update={
            "county": file.parent / deployment.county,
            "rules": file.parent / deployment.rules if deployment.rules else None,
            "formats": {name: file.parent / path for name, path in deployment.formats.items()},
        }
    )


def check_adapters(deployment: Deployment, file: Path) -> None:
    """ConfigurationError with every mistake in the parts that adapters declare; opens nothing and reads no secret."""
    text = file.read_text(encoding="utf-8")
    chosen = [("brokers", "broker", deployment.broker), ("stores", "store", deployment.store)]
    chosen += [("sources", f"sources.{name}", choice) for name, choice in deployment.sources.items()]
    chosen += [("channels", f"channels.{name}", choice) for name, choice in deployment.channels.items()]
    chosen += [("outlets", f"outlets.{name}", choice) for name, choice in deployment.outlets.items()]
    chosen += [("beacons", f"beacons.{name}", choice) for name, choice in deployment.beacons.items()]
    problems: list[Problem] = []
    for kind, where, choice in chosen:
        if choice is None:
            continue
        try:
            validated(find_adapter(kind, choice.adapter, str(file)).settings, choice.own(), str(file), text)
        except ConfigurationError as error:
            problems += [replace(p, message=f"{where}: {p.message}") for p in error.problems]
    if problems:
        raise ConfigurationError(problems)


def validated(model: type[M], body: object, file: str, text: str = "") -> M:
    """The model of a body; ConfigurationError with one problem per mistake."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise ConfigurationError([_problem(model, e, file, text) for e in error.errors()]) from error


def _problem(model: type[BaseModel], error: ErrorDetails, file: str, text: str) -> Problem:
    path = ".".join(str(part) for part in error["loc"])
    message = f"{path}: {error['msg']}"
    if error["type"] == "extra_forbidden":
        message = f"{path}: unknown setting; allowed: {', '.join(_fields_at(model, error['loc'][:-1]))}"
    return Problem(file, message, _line_of(str(error["loc"][-1]), text) if error["loc"] else 0)


def _fields_at(model: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    """The settings that the model has at this place."""
    for part in path:
        below = model.model_fields[str(part)].annotation if part in model.model_fields else None
        if isinstance(below, type) and issubclass(below, BaseModel):
            model = below
    return list(model.model_fields)


def _line_of(key: str, text: str) -> int:
    """The line on which a key stands, 0 when it stands nowhere (it is missing)."""
    return next((n for n, line in enumerate(text.splitlines(), 1) if line.strip().lstrip("- ").startswith(f"{key}:")), 0)


def find_adapter(kind: str, name: str, where: str) -> Adapter[Any, Any]:
    """The adapter of an entry point ``dispatcher.<kind>``; ConfigurationError names those there are."""
    found = {point.name: point for point in entry_points(group=f"dispatcher.{kind}")}
    if name not in found:
        raise ConfigurationError([Problem(where, f"unknown adapter {name!r}; there are: {', '.join(sorted(found)) or 'none'}")])
    return _load(found[name], where)


def _load(point: EntryPoint, where: str) -> Adapter[Any, Any]:
    try:
        loaded: Adapter[Any, Any] = point.load()
    except ImportError as error:
        raise ConfigurationError([Problem(where, f"adapter {point.name!r} cannot be loaded: {error}")]) from error
    return loaded


def secret_of(deployment: Deployment) -> bytes:
    """The secret from the environment, else one made once and kept in the state directory, readable by us alone."""
    given = os.environ.get(deployment.secret_env)
    if given:
        return given.encode()
    file = deployment.state_dir / "secret"
    if not file.exists():
        deployment.state_dir.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(_SECRET_BYTES), encoding="ascii")
    return file.read_text(encoding="ascii").strip().encode()
