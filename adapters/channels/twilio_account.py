"""An account at Twilio: its client, the proof that a call comes from it, and what its errors mean. Shared by texts and calls."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from twilio.base.exceptions import TwilioException
from twilio.request_validator import RequestValidator

from adapters.channels import gateway_codes
from adapters.channels.kept_lines import NoLine
from adapters.channels.twilio_http import TwilioHttp, client_of
from dispatcher.errors import ConfigurationError, DeliveryError, PermanentFailure, Problem, TransientFailure, UnknownOutcome
from dispatcher.ports import HookRefused, HookRequest, World

SIGNATURE_HEADER: Final = "x-twilio-signature"
# Answers that do not say whether it was taken: the request may have been worked on behind a broken front.
AMBIGUOUS: Final = frozenset({500, 502, 504})
ERRORS: Final = (TwilioException, OSError, TimeoutError, ValueError)


class AccountSettings(BaseModel):
    """How to reach the gateway. Secrets are named here and read from the environment."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sender: str = Field(description="Our number (E.164) or messaging service (MG…).")
    base_url: str = Field(
        default="https://api.twilio.com", pattern="^https?://", description="Address of the API; a simulator or a regional one."
    )
    account_sid_env: str = Field(default="TWILIO_ACCOUNT_SID", description="Environment variable that holds the account.")
    auth_token_env: str = Field(default="TWILIO_AUTH_TOKEN", description="Environment variable that holds the live token.")
    auth_token_env_2: str = Field(default="TWILIO_AUTH_TOKEN_2", description="The other live token during a rotation; may be unset.")
    connections: int = Field(default=100, ge=1, le=1000, description="Connections kept open to the gateway at most.")
    connect_timeout_s: float = Field(default=5, gt=0, description="Seconds until a connection stands.")
    timeout_s: float = Field(default=15, gt=0, description="Seconds until the answer is complete.")
    codes: Path | None = Field(default=None, description="Table of error codes (CSV: code,class,reason); default: the one shipped.")
    exercise_marks: tuple[str, ...] = Field(
        default=("【演练】", "[EXERCISE]"), description="How an exercise begins; the first is put before one that does not."
    )


class _Fields(dict[str, list[str]]):
    """A form as the validator wants it, with every value of a repeated field."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


class Account:
    """One account. ``hooks`` is the public address of the channel's hooks, without a slash at its end."""

    def __init__(self, settings: AccountSettings, world: World, secrets: Sequence[str], channel: str) -> None:
        """``secrets``: the account, then one or two live tokens. Opens nothing."""
        self.sid, *tokens = secrets
        self.hooks = f"{world.public_url.rstrip('/')}/hooks/{world.name or channel}"
        self.codes = gateway_codes.load(settings.codes)
        self._validators = [RequestValidator(token) for token in tokens]
        self._http = TwilioHttp(
            connections=settings.connections, connect_timeout_s=settings.connect_timeout_s, timeout_s=settings.timeout_s
        )
        self.client = client_of(self._http, self.sid, tokens[0], settings.base_url)
        self._marks = settings.exercise_marks

    async def create(self, kind: str, form: dict[str, Any]) -> dict[str, Any]:
        """Hand something over (``Messages``, ``Calls``) and give what the gateway answers; DeliveryError otherwise.

        Below ``messages.create_async``, which turns the answer into an object with parsed dates that nobody reads here.
        """
        try:
            taken = await self.client.api.v2010.create_async("POST", f"/Accounts/{self.sid}/{kind}.json", data=form)
        except ERRORS as error:
            # Not chained: Twilio's errors carry the number, and its address the account.
            raise self.failure(error) from None
        return dict(taken)

    def verify(self, request: HookRequest) -> None:
        """HookRefused when the call is not signed with a live token."""
        given = next((value for name, value in request.headers.items() if name.lower() == SIGNATURE_HEADER), "")
        form = _Fields()
        for name, value in request.form:
            form.setdefault(name, []).append(value)
        if not given or not any(validator.validate(request.url, form, given) for validator in self._validators):
            raise HookRefused("the signature of the call does not hold for the configured public URL")

    def marked(self, text: str) -> str:
        """The text of an exercise, which says first that it is one."""
        return text if text.startswith(self._marks) else self._marks[0] + text

    def failure(self, error: Exception, *, asked_only: bool = False) -> DeliveryError:
        """The error of ours for an error of the library; ``asked_only``: the request could not have sent anything."""
        status = getattr(error, "status", None)
        if isinstance(error, TwilioException) and isinstance(status, int) and status not in AMBIGUOUS:
            return self._refusal(status, str(getattr(error, "code", None) or status))
        if isinstance(error, NoLine):
            return TransientFailure("unreachable", "the gateway cannot be reached")
        if asked_only:
            return TransientFailure("no-answer", "the gateway did not answer a question")
        return UnknownOutcome("no-answer", "the request left and no usable answer came")

    def _refusal(self, status: int, code: str) -> DeliveryError:
        meaning = self.codes.get(code, gateway_codes.UNKNOWN)
        if meaning.is_final or meaning.kind is gateway_codes.CodeClass.EXPIRED:
            return PermanentFailure(code, meaning.reason)
        return TransientFailure(code, f"{meaning.reason} (HTTP {status})")

    async def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        await self._http.close()


def secrets_of(settings: AccountSettings, environment: Mapping[str, str], channel: str) -> tuple[str, ...]:
    """Account and live tokens; ConfigurationError names every variable that is missing."""
    needed = (settings.account_sid_env, settings.auth_token_env)
    problems = [
        Problem("environment", f"{name} is not set; the {channel} channel needs it") for name in needed if not environment.get(name)
    ]
    if problems:
        raise ConfigurationError(problems)
    found = (*(environment[name] for name in needed), environment.get(settings.auth_token_env_2, ""))
    return tuple(secret for secret in found if secret)
