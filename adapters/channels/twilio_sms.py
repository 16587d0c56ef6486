"""SMS through Twilio's own async client: sends, hears its webhooks, and asks what became of a text."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

import aiohttp
from pydantic import BaseModel, ConfigDict, Field
from twilio.base.exceptions import TwilioException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from adapters.channels import gateway_codes
from adapters.channels.twilio_http import TwilioHttp, client_of
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
        self._http = TwilioHttp(
            connections=settings.connections, connect_timeout_s=settings.connect_timeout_s, timeout_s=settings.timeout_s
        )
        self._client: Client = client_of(self._http, self._account, self._token, settings.base_url)

    async def send(self, message: Message) -> Receipt:
        """Hand over one text; its validity ends with the message's, at most 10 h later."""
        left_s = int((message.expires_at - self._world.clock.now()).total_seconds())
        if left_s < 1:
            raise PermanentFailure("expired", "the message had expired before it could be handed over")
        form = {
            "To": message.address,
            "Body": self._body(message),
            "StatusCallback": f"{self._world.public_url.rstrip('/')}/hooks/sms/status?d={quote(message.delivery)}",
            "ValidityPeriod": min(left_s, VALIDITY_MAX_S),
            "MessagingServiceSid" if self._settings.sender.startswith("MG") else "From": self._settings.sender,
        }
        try:
            # Below ``messages.create_async``, which turns the answer into an object with parsed dates that nobody reads here.
            taken = await self._client.api.v2010.create_async("POST", f"/Accounts/{self._account}/Messages.json", data=form)
        except (TwilioException, aiohttp.ClientError, TimeoutError, ValueError) as error:
            # Not chained: Twilio's errors carry the number, and its address the account.
            raise self._failure(error) from None
        return self._receipt(message.delivery, taken.get("status"), taken.get("sid"), taken.get("error_code"))

    async def find(self, message: Message, since: datetime) -> Receipt | None:
        """Look among the texts to that number taken since then; None when there is none with this body.

        Compared by creation: what still waits in Twilio's queue has no sending date to filter by.
        """
        body = self._body(message)
        try:
            recent = await self._client.messages.list_async(to=message.address, limit=LOOK_BACK, page_size=LOOK_BACK)
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
        await self._http.close()

    def _verify(self, request: HookRequest) -> None:
        given = next((value for name, value in request.headers.items() if name.lower() == SIGNATURE_HEADER), "")
        form = _Fields()
        for name, value in request.form:
            form.setdefault(name, []).append(value)
        if not given or not any(validator.validate(request.url, form, given) for validator in self._validators):
            raise HookRefused("the signature of the call does not hold for the configured public URL")

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
