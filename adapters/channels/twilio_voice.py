"""Calls through Twilio: a voice says the text, and the person answers with a key.

Twilio fetches what to say from our signed hook (``script``), tells which key was pressed (``key``) and how the call went
(``status``). A machine that picks up hears nothing and has not heard it: what it recorded would be played when it no longer holds.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit
from xml.sax.saxutils import escape, quoteattr

from pydantic import Field

from adapters.channels.twilio_account import ERRORS, Account, AccountSettings, secrets_of
from dispatcher.errors import TooLate
from dispatcher.ports import Adapter, DeliveryState, Heard, HookRequest, Message, Receipt, Reply, Status, World

LOOK_BACK: Final = 50
KEYS: Final = frozenset("1239")
HUMAN: Final = frozenset({"", "human", "unknown"})
REPORTED: Final[Mapping[str, DeliveryState]] = {
    "queued": DeliveryState.ACCEPTED,
    "initiated": DeliveryState.ACCEPTED,
    "ringing": DeliveryState.ACCEPTED,
    "in-progress": DeliveryState.SENT,
    "answered": DeliveryState.SENT,
    "completed": DeliveryState.DELIVERED,
    "busy": DeliveryState.UNDELIVERED,
    "no-answer": DeliveryState.UNDELIVERED,
    "failed": DeliveryState.UNDELIVERED,
    "canceled": DeliveryState.FAILED,
}
REASONS: Final[Mapping[str, str]] = {
    "busy": "the line is busy",
    "no-answer": "nobody picked up",
    "failed": "the call could not be put through",
    "canceled": "the call was cancelled",
}
_THANKS: Final[Mapping[str, str]] = {"zh": "已记录，谢谢。", "en": "Recorded. Thank you."}
_AGAIN: Final[Mapping[str, str]] = {"zh": "没有听清，请按键。", "en": "Please press a key."}
_END: Final = "<Hangup/>"


class VoiceSettings(AccountSettings):
    """Calls through Twilio."""

    voices: dict[str, str] = Field(
        default={"zh": "zh-CN", "en": "en-GB"},
        description="Language of a text to the language of the voice that says it, as Twilio names it.",
    )
    machine_detection: bool = Field(default=True, description="Have answering machines recognised; they have not heard anything.")
    ring_s: int = Field(default=30, ge=5, le=600, description="Seconds to let it ring.")
    key_s: int = Field(default=8, ge=1, le=60, description="Seconds to wait for a key after the text.")
    times: int = Field(default=2, ge=1, le=5, description="How often the text is said in one call.")


class TwilioVoice:
    """Channel ``voice``; an address is a telephone number."""

    name = "voice"

    def __init__(self, settings: VoiceSettings, world: World, secrets: Sequence[str]) -> None:
        """``secrets``: the account, then one or two live tokens. Opens nothing."""
        self._settings = settings
        self._world = world
        self._account = Account(settings, world, secrets, self.name)

    async def send(self, message: Message) -> Receipt:
        """Have the number called. What is said is fetched when somebody picks up."""
        if message.expires_at <= self._world.clock.now():
            raise TooLate
        form = {
            "To": message.address,
            "From": self._settings.sender,
            "Url": self._hook("script", message.delivery),
            "StatusCallback": self._hook("status", message.delivery),
            "StatusCallbackEvent": ["answered", "completed"],
            "Timeout": self._settings.ring_s,
        }
        if self._settings.machine_detection:
            form["MachineDetection"] = "Enable"
        taken = await self._account.create("Calls", form)
        return self._receipt(message.delivery, {"CallStatus": str(taken.get("status")), "CallSid": str(taken.get("sid", ""))})

    async def find(self, message: Message, since: datetime) -> Receipt | None:
        """The newest call to that number since then. A call carries no text: repeats to one number cannot be told apart."""
        try:
            recent = await self._account.client.calls.list_async(to=message.address, limit=LOOK_BACK, page_size=LOOK_BACK)
        except ERRORS as error:
            raise self._account.failure(error, asked_only=True) from None
        earliest = since - timedelta(seconds=1)
        for call in recent:
            if call.date_created is not None and call.date_created >= earliest:
                return self._receipt(message.delivery, {"CallStatus": str(call.status), "CallSid": call.sid or ""})
        return None

    def hear(self, request: HookRequest) -> Heard:
        """How a call goes, which key was pressed, or that somebody picked up and wants to hear it; proven by its signature."""
        self._account.verify(request)
        form = dict(request.form)
        delivery = parse_qs(urlsplit(request.url).query).get("d", [""])[0]
        if request.hook == "status" and form.get("CallStatus") in REPORTED:
            return Heard(receipts=(self._receipt(delivery, form),))
        machine = form.get("AnsweredBy", "") not in HUMAN
        if request.hook == "script":
            return Heard(body=_response(_END)) if machine else Heard(script=delivery)
        if request.hook == "key" and form.get("Digits", "") in KEYS and not machine:
            reply = Reply(
                channel=self.name,
                address=form.get("To", ""),
                text=form["Digits"],
                reference=form.get("CallSid", ""),
                delivery=delivery,
            )
            return Heard(replies=(reply,), body=_response(self._say(_THANKS, self._language_of(request)) + _END))
        if request.hook == "key":
            return Heard(script=delivery)
        return Heard()

    def script(self, message: Message) -> str:
        """What is said when somebody picks up, and that a key is waited for."""
        text = message.text if message.status is Status.ACTUAL else self._account.marked(message.text)
        action = f"{self._hook('key', message.delivery)}&l={quote(message.language)}"
        said = self._said(text, message.language) * self._settings.times
        gather = f'<Gather numDigits="1" timeout="{self._settings.key_s}" action={quoteattr(action)}>{said}</Gather>'
        return _response(gather + self._say(_AGAIN, message.language) + gather + _END)

    async def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        await self._account.close()

    def _hook(self, name: str, delivery: str) -> str:
        return f"{self._account.hooks}/{name}?d={quote(delivery)}"

    def _language_of(self, request: HookRequest) -> str:
        return parse_qs(urlsplit(request.url).query).get("l", ["zh"])[0]

    def _say(self, words: Mapping[str, str], language: str) -> str:
        return self._said(words.get(language, words["en"]), language if language in words else "en")

    def _said(self, text: str, language: str) -> str:
        return f"<Say language={quoteattr(self._settings.voices.get(language, language))}>{escape(text)}</Say>"

    def _receipt(self, delivery: str, form: Mapping[str, str]) -> Receipt:
        status = form.get("CallStatus", "")
        state, code, reason = REPORTED.get(status, DeliveryState.ACCEPTED), "", REASONS.get(status, "")
        if state in {DeliveryState.UNDELIVERED, DeliveryState.FAILED}:
            code = status
        if form.get("AnsweredBy", "") not in HUMAN and state is DeliveryState.DELIVERED:
            state, code, reason = DeliveryState.UNDELIVERED, "machine", "an answering machine picked up; nobody has heard it"
        return Receipt(delivery=delivery, state=state, reference=form.get("CallSid", ""), code=code, reason=reason)


def _response(inner: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>'


def connect(settings: VoiceSettings, world: World, environment: Mapping[str, str] = os.environ) -> TwilioVoice:
    """The channel, with secrets from the environment; opens nothing. ConfigurationError names every variable that is missing."""
    return TwilioVoice(settings, world, secrets_of(settings, environment, "voice"))


adapter = Adapter(settings=VoiceSettings, build=connect)
