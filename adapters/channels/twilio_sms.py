"""SMS through Twilio's own async client: sends, hears its webhooks or asks instead, and asks what became of a text."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from urllib.parse import parse_qs, quote, urlsplit

from pydantic import Field

from adapters.channels import gateway_codes
from adapters.channels.twilio_account import ERRORS, Account, AccountSettings, secrets_of
from adapters.channels.twilio_polling import Inquiry
from dispatcher.errors import TooLate
from dispatcher.ports import Adapter, Awaited, DeliveryState, Heard, HookRequest, Look, Message, Receipt, Reply, Status, World

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


class TwilioSettings(AccountSettings):
    """Texts through Twilio."""

    receipts: Literal["callback", "poll"] = Field(
        default="callback",
        description="callback: Twilio calls our hooks. poll: we ask Twilio, where nothing outside can reach us.",
    )
    poll_s: float = Field(default=10, ge=1, description="Seconds between two looks, with poll.")


class TwilioSms:
    """Channel ``sms``. The delivery id travels in the StatusCallback, so that a late report still finds its delivery."""

    name = "sms"

    def __init__(self, settings: TwilioSettings, world: World, secrets: Sequence[str]) -> None:
        """``secrets``: the account, then one or two live tokens. Opens nothing."""
        self._settings = settings
        self._world = world
        self._account = Account(settings, world, secrets, self.name)
        self.poll_every = timedelta(seconds=settings.poll_s) if settings.receipts == "poll" else None
        self._inquiry = Inquiry(self._account, settings.sender, self.name, self._report)

    async def send(self, message: Message) -> Receipt:
        """Hand over one text; its validity ends with the message's, at most 10 h later."""
        left_s = int((message.expires_at - self._world.clock.now()).total_seconds())
        if left_s < 1:
            raise TooLate
        form = {
            "To": message.address,
            "Body": self._body(message),
            "ValidityPeriod": min(left_s, VALIDITY_MAX_S),
            "MessagingServiceSid" if self._settings.sender.startswith("MG") else "From": self._settings.sender,
        }
        if self.poll_every is None:
            form["StatusCallback"] = f"{self._account.hooks}/status?d={quote(message.delivery)}"
        taken = await self._account.create("Messages", form)
        return self._receipt(message.delivery, taken.get("status"), taken.get("sid"), taken.get("error_code"))

    async def find(self, message: Message, since: datetime) -> Receipt | None:
        """Look among the texts to that number taken since then; None when there is none with this body.

        Compared by creation: what still waits in Twilio's queue has no sending date to filter by.
        """
        body = self._body(message)
        try:
            recent = await self._account.client.messages.list_async(to=message.address, limit=LOOK_BACK, page_size=LOOK_BACK)
        except ERRORS as error:
            raise self._account.failure(error, asked_only=True) from None
        earliest = since - timedelta(seconds=1)  # Twilio's dates have whole seconds
        for text in recent:
            if text.date_created is not None and text.date_created >= earliest and text.body is not None and text.body.endswith(body):
                return self._receipt(message.delivery, text.status, text.sid, text.error_code)
        return None

    async def look(self, mark: str, awaited: Sequence[Awaited]) -> Look:
        """Replies since the mark, and what became of texts; bounded, so that there may be more."""
        now = self._world.clock.now()
        replies, after = await self._inquiry.replies(mark, now)
        receipts = await self._inquiry.reports(awaited, now)
        return Look(heard=Heard(tuple(receipts), tuple(replies)), mark=after.text(), more=after.until is not None)

    def hear(self, request: HookRequest) -> Heard:
        """A status (hook ``status``) or a reply (hook ``inbound``), once its signature is proven with a live token.

        Where replies are asked for, one that is called as well is left to the asking: it must not count twice.
        """
        self._account.verify(request)
        form = dict(request.form)
        if request.hook == "inbound" and self.poll_every is not None:
            return Heard()
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
        await self._account.close()

    def _body(self, message: Message) -> str:
        return message.text if message.status is Status.ACTUAL else self._account.marked(message.text)

    def _report(self, delivery: str, message: Any) -> Receipt:  # noqa: ANN401 - the library's own resource
        return replace(self._receipt(delivery, message.status, message.sid, message.error_code), at=message.date_updated)

    def _receipt(self, delivery: str, status: object, reference: str | None, code: object) -> Receipt:
        state = REPORTED.get(str(status), DeliveryState.ACCEPTED)
        meaning = self._account.codes.get(str(code), gateway_codes.UNKNOWN) if code else None
        if meaning is not None and meaning.is_final and state is DeliveryState.UNDELIVERED:
            state = DeliveryState.FAILED
        reason = meaning.reason if meaning else ""
        return Receipt(delivery=delivery, state=state, reference=reference or "", code=str(code or ""), reason=reason)


def connect(settings: TwilioSettings, world: World, environment: Mapping[str, str] = os.environ) -> TwilioSms:
    """The channel, with secrets from the environment; opens nothing. ConfigurationError names every variable that is missing."""
    return TwilioSms(settings, world, secrets_of(settings, environment, "SMS"))


adapter = Adapter(settings=TwilioSettings, build=connect)
