"""SMS through Twilio's own async client: sends, hears its webhooks, and asks what became of a text."""

import base64
import logging
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

import aiohttp
from pydantic import BaseModel, ConfigDict, Field
from twilio.auth_strategy.auth_type import AuthType
from twilio.base.exceptions import TwilioException
from twilio.credential.credential_provider import CredentialProvider
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from adapters.channels import gateway_codes
from dispatcher.errors import ConfigurationError, DeliveryError, PermanentFailure, Problem, TransientFailure, UnknownOutcome
from dispatcher.ports import Adapter, DeliveryState, Heard, HookRefused, HookRequest, Message, Receipt, Reply, Status, World

SIGNATURE_HEADER: Final = "x-twilio-signature"
VALIDITY_MAX_S: Final = 36_000
LOOK_BACK: Final = 200
REPORTED: Final[Mapping[str, DeliveryState]] = {
    "accepted": DeliveryState.ACCEPTED,
    "scheduled": DeliveryState.ACCEPTED,
    "queued": DeliveryState.ACCEPTED,
    "sending": DeliveryState.ACCEPTED,
    "sent": DeliveryState.SENT,
    "delivered": DeliveryState.DELIVERED,
    "read": DeliveryState.DELIVERED,
    "undelivered": DeliveryState.UNDELIVERED,
    "failed": DeliveryState.UNDELIVERED,
    "canceled": DeliveryState.FAILED,
}
# Answers that do not say whether the text was taken: the request may have been worked on behind a broken front.
AMBIGUOUS: Final = frozenset({500, 502, 504})


class TwilioSettings(BaseModel):
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


class _Session:
    """aiohttp's session with our time-outs: Twilio's client passes none, and aiohttp takes that for 'wait for ever'."""

    def __init__(self, settings: TwilioSettings) -> None:
        connector = aiohttp.TCPConnector(limit=settings.connections, keepalive_timeout=60)
        self._session = aiohttp.ClientSession(connector=connector)
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=settings.connect_timeout_s, sock_read=settings.timeout_s)

    async def request(self, **request: Any) -> aiohttp.ClientResponse:  # noqa: ANN401  # whatever Twilio's client passes
        return await self._session.request(**(request | {"timeout": self._timeout}))

    async def close(self) -> None:
        await self._session.close()


class _Basic(CredentialProvider):
    """Account and token as a ready header. Twilio's own way goes through a class that aiohttp has announced to remove."""

    def __init__(self, account: str, token: str) -> None:
        super().__init__(AuthType.BASIC)
        self._header = "Basic " + base64.b64encode(f"{account}:{token}".encode()).decode()

    def to_auth_strategy(self) -> "_Basic":
        return self

    def get_auth_string(self) -> str:
        return self._header


class _Fields(dict[str, list[str]]):
    """A form as the validator wants it, with every value of a repeated field."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


class TwilioSms:
    """Channel ``sms``. The delivery id travels in the StatusCallback, so that a late report still finds its delivery."""

    name = "sms"

    def __init__(self, settings: TwilioSettings, world: World, secrets: tuple[str, ...]) -> None:
        """``secrets``: the account, then one or two live tokens. Opens nothing."""
        self._settings = settings
        self._world = world
        self._account, *tokens = secrets
        self._token = tokens[0]
        self._validators = [RequestValidator(token) for token in tokens]
        self._codes = gateway_codes.load(settings.codes)
        self._client: Client | None = None
        self._session: _Session | None = None

    async def send(self, message: Message) -> Receipt:
        """Hand over one text; its validity ends with the message's, at most 10 h later."""
        left_s = int((message.expires_at - self._world.clock.now()).total_seconds())
        if left_s < 1:
            raise PermanentFailure("expired", "the message had expired before it could be handed over")
        by = "messaging_service_sid" if self._settings.sender.startswith("MG") else "from_"
        try:
            taken = await self._api().messages.create_async(
                to=message.address,
                body=self._body(message),
                status_callback=f"{self._world.public_url.rstrip('/')}/hooks/sms/status?d={quote(message.delivery)}",
                validity_period=min(left_s, VALIDITY_MAX_S),
                **{by: self._settings.sender},
            )
        except (TwilioException, aiohttp.ClientError, TimeoutError, ValueError) as error:
            # Not chained: Twilio's errors carry the number, and its address the account.
            raise self._failure(error) from None
        return self._receipt(message.delivery, taken.status, taken.sid, taken.error_code)

    async def find(self, message: Message, since: datetime) -> Receipt | None:
        """Look among the texts to that number taken since then; None when there is none with this body.

        Compared by creation: what still waits in Twilio's queue has no sending date to filter by.
        """
        body = self._body(message)
        try:
            recent = await self._api().messages.list_async(to=message.address, limit=LOOK_BACK, page_size=LOOK_BACK)
        except (TwilioException, aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise self._failure(error, asked_only=True) from None
        earliest = since - timedelta(seconds=1)  # Twilio's dates have whole seconds
        for text in recent:
            if text.date_created is not None and text.date_created >= earliest and text.body is not None and text.body.endswith(body):
                return self._receipt(message.delivery, text.status, text.sid, text.error_code)
        return None

    def hear(self, request: HookRequest) -> Heard:
        """A status (hook ``status``) or a reply (hook ``inbound``), once its signature is proven with a live token."""
        self._verify(request)
        form = dict(request.form)
        if request.hook == "inbound":
            reply = Reply(channel=self.name, address=form.get("From", ""), text=form.get("Body", ""), reference=form.get("MessageSid", ""))
            return Heard(replies=(reply,))
        delivery = parse_qs(urlsplit(request.url).query).get("d", [""])[0]
        status = form.get("MessageStatus", "")
        if request.hook != "status" or status not in REPORTED:
            return Heard()
        return Heard(receipts=(self._receipt(delivery, status, form.get("MessageSid", ""), form.get("ErrorCode")),))

    async def close(self) -> None:
        """Close the connections; a later send opens new ones."""
        session, self._session, self._client = self._session, None, None
        if session is not None:
            await session.close()

    def _verify(self, request: HookRequest) -> None:
        given = next((value for name, value in request.headers.items() if name.lower() == SIGNATURE_HEADER), "")
        form = _Fields()
        for name, value in request.form:
            form.setdefault(name, []).append(value)
        if not given or not any(validator.validate(request.url, form, given) for validator in self._validators):
            raise HookRefused("the signature of the call does not hold for the configured public URL")

    def _api(self) -> Client:
        if self._client is None:
            # A logger of its own: the library writes numbers into its log at level INFO.
            http = AsyncTwilioHttpClient(pool_connections=False, logger=logging.Logger("twilio", logging.ERROR))  # noqa: LOG001
            self._session = _Session(self._settings)
            http.session = self._session  # type: ignore[assignment]
            credentials = _Basic(self._account, self._token)
            self._client = Client(account_sid=self._account, http_client=http, credential_provider=credentials)
            self._client.api.base_url = self._settings.base_url
        return self._client

    def _body(self, message: Message) -> str:
        if message.status is Status.ACTUAL or message.text.startswith(self._settings.exercise_marks):
            return message.text
        return self._settings.exercise_marks[0] + message.text

    def _receipt(self, delivery: str, status: object, reference: str | None, code: object) -> Receipt:
        state = REPORTED.get(str(status), DeliveryState.ACCEPTED)
        meaning = self._codes.get(str(code), gateway_codes.UNKNOWN) if code else None
        if meaning is not None and meaning.is_final and state is DeliveryState.UNDELIVERED:
            state = DeliveryState.FAILED
        reason = meaning.reason if meaning else ""
        return Receipt(delivery=delivery, state=state, reference=reference or "", code=str(code or ""), reason=reason)

    def _failure(self, error: Exception, *, asked_only: bool = False) -> DeliveryError:
        """The error of ours for an error of the library; ``asked_only``: the request could not have sent anything."""
        status = getattr(error, "status", None)
        if isinstance(error, TwilioException) and isinstance(status, int) and status not in AMBIGUOUS:
            return self._refusal(status, str(getattr(error, "code", None) or status))
        if isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)):
            return TransientFailure("unreachable", "the gateway cannot be reached")
        if asked_only:
            return TransientFailure("no-answer", "the gateway did not answer a question")
        return UnknownOutcome("no-answer", "the request left and no usable answer came")

    def _refusal(self, status: int, code: str) -> DeliveryError:
        meaning = self._codes.get(code, gateway_codes.UNKNOWN)
        if meaning.is_final or meaning.kind is gateway_codes.CodeClass.EXPIRED:
            return PermanentFailure(code, meaning.reason)
        return TransientFailure(code, f"{meaning.reason} (HTTP {status})")


def connect(settings: TwilioSettings, world: World, environment: Mapping[str, str] = os.environ) -> TwilioSms:
    """The channel, with secrets from the environment; opens nothing. ConfigurationError names every variable that is missing."""
    needed: Sequence[str] = (settings.account_sid_env, settings.auth_token_env)
    problems = [Problem("environment", f"{name} is not set; the SMS channel needs it") for name in needed if not environment.get(name)]
    if problems:
        raise ConfigurationError(problems)
    secrets = (*(environment[name] for name in needed), environment.get(settings.auth_token_env_2, ""))
    return TwilioSms(settings, world, tuple(secret for secret in secrets if secret))


adapter = Adapter(settings=TwilioSettings, build=connect)
