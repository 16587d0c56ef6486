"""The HTTP face of the phone network: Twilio's Messages API, and two pages for people."""

import asyncio
import base64
import hmac
import re
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import NoReturn

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from simulators import calls, faults, forms, ground, ledger, listing, phone_network, rush, twilio_words
from simulators.ledger import Entry, Kind

NUMBER = re.compile(r"\+[1-9]\d{6,14}")
BODY_MAX = 1600
VALID_MAX_S = 36_000
PAGE_MAX = 1000
HANGS_S = 3600.0
_JSON = {"Content-Type": "application/json; charset=utf-8"}
_encode = msgspec.json.Encoder().encode


class Refusal(Exception):
    """The request is answered with this error of Twilio's."""

    def __init__(self, code: int) -> None:
        """``code`` is Twilio's."""
        super().__init__(str(code))
        self.code = code


class Rate:
    """A token bucket in real seconds: ``per_s`` on average, that many at once; 0 is no limit."""

    def __init__(self, per_s: float) -> None:
        """Start full."""
        self._per_s = per_s
        self._left = per_s
        self._at = time.monotonic()

    def admits(self) -> bool:
        """Take one token if there is one."""
        if not self._per_s:
            return True
        now = time.monotonic()
        self._left = min(max(self._per_s, 1.0), self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Gateway:
    """Handlers for one account."""

    def __init__(
        self,
        *,
        on: ground.Ground,
        token: str,
        network: phone_network.PhoneNetwork,
        telephone: calls.Telephone,
        wrong: faults.Faults,
        rate: Rate,
        crowd: rush.Rush,
    ) -> None:
        """The account and its ``token`` are the basic authentication asked for."""
        self._on = on
        self._secret = "Basic " + base64.b64encode(f"{on.account}:{token}".encode()).decode()
        self._network = network
        self._telephone = telephone
        self._wrong = wrong
        self._rate = rate
        self._crowd = crowd
        self._seen = len(network.records)

    def application(self) -> web.Application:
        """The routes."""
        app = web.Application(middlewares=[_refusing])
        messages = f"/{twilio_words.API_VERSION}/Accounts/{{account}}/Messages"
        app.router.add_post(f"{messages}.json", self.create)
        app.router.add_get(f"{messages}.json", self.list)
        app.router.add_get(f"{messages}/{{sid}}.json", self.fetch)
        calls = f"/{twilio_words.API_VERSION}/Accounts/{{account}}/Calls"
        app.router.add_post(f"{calls}.json", self.call)
        app.router.add_get(f"{calls}.json", self.calls)
        app.router.add_get("/ledger/summary", self.summary)
        app.router.add_get("/healthz", self.health)
        return app

    async def create(self, request: web.Request) -> web.StreamResponse:
        """POST Messages.json."""
        self._authenticate(request)
        form = forms.fields(await request.text())
        if not self._rate.admits():
            self._refuse(form, 20429)
        try:
            valid = _checked(form)
        except Refusal as refusal:
            self._refuse(form, refusal.code)
        self._seen += 1
        self._crowd.note()
        return await self._take(request, form, valid)

    async def _take(self, request: web.Request, form: Mapping[str, str], valid: timedelta) -> web.StreamResponse:
        fault = self._wrong.on_create(self._seen)
        if fault is not None:
            self._on.book.write(Entry(at=self._on.clock.now(), kind=Kind.FAULT, to=form.get("To", ""), code=fault))
        if fault is faults.Fault.HANG:
            await asyncio.sleep(HANGS_S)
        if fault in {faults.Fault.HANG, faults.Fault.REFUSE}:
            self._refuse(form, 20503)
        sms = self._network.make(form, valid)
        swallowed = self._wrong.swallows(self._seen)
        record = phone_network.Record(sms) if swallowed else self._network.take(sms)
        if fault is faults.Fault.ANSWER_LATE:
            await asyncio.sleep(faults.ANSWER_LATE_S)
        if fault is faults.Fault.LOSE_ANSWER and request.transport is not None:
            request.transport.abort()
        return _json(twilio_words.message(record, self._on.account), status=201)

    async def list(self, request: web.Request) -> web.Response:
        """GET Messages.json: newest first, by ``To``, ``From`` and ``DateSent``.

        A text not yet sent has no such date; it is found by the time it was taken, so that one may look for what was just handed over.
        """
        self._authenticate(request)
        asked = {name: value for name, value in request.query.items() if name not in {"Page", "PageSize", "PageToken"}}
        try:
            size = min(max(int(request.query.get("PageSize", "50")), 1), PAGE_MAX)
            number = max(int(request.query.get("Page", "0")), 0)
            found = listing.listed(self._known(asked.get("To", "")), asked)
        except ValueError:
            raise Refusal(20001) from None
        shown = [self._shown(one) for one in found[number * size : (number + 1) * size]]
        return _json(twilio_words.page("Messages", shown, len(found), self._on.account, asked, number, size))

    def _known(self, to: str) -> Iterator[listing.Listed]:
        """All messages there are, or those to one number."""
        for record in reversed(self._network.by_number.get(to, ()) if to else tuple(self._network.records.values())):
            yield listing.Listed(record.sent_at or record.sms.accepted_at, record.sms.sender, record.sms.to, record)
        for text in self._network.written.values():
            yield listing.Listed(text.at, text.sender, text.to, text)

    def _shown(self, one: object) -> dict[str, object]:
        if isinstance(one, listing.Inbound):
            return twilio_words.inbound(one, self._on.account)
        assert isinstance(one, phone_network.Record)  # noqa: S101 - there are only these two
        return twilio_words.message(one, self._on.account)

    async def call(self, request: web.Request) -> web.Response:
        """POST Calls.json."""
        self._authenticate(request)
        form = forms.fields(await request.text())
        try:
            _check_call(form, admitted=self._rate.admits())
        except Refusal as refusal:
            self._on.book.write(Entry(at=self._on.clock.now(), kind=Kind.CALL_REFUSED, to=form.get("To", ""), code=str(refusal.code)))
            raise
        return _json(twilio_words.call(self._telephone.take(form), self._on.account), status=201)

    async def calls(self, request: web.Request) -> web.Response:
        """GET Calls.json: newest first, by ``To``."""
        self._authenticate(request)
        number = request.query.get("To", "")
        known = self._telephone.by_number.get(number, []) if number else list(self._telephone.records.values())
        found = [twilio_words.call(record, self._on.account) for record in reversed(known)][:PAGE_MAX]
        return _json(twilio_words.page("Calls", found, len(found), self._on.account, {"To": number}, 0, PAGE_MAX))

    async def fetch(self, request: web.Request) -> web.Response:
        """GET Messages/{Sid}.json."""
        self._authenticate(request)
        sid = request.match_info["sid"]
        found = self._network.records.get(sid) or self._network.written.get(sid)
        if found is None:
            raise Refusal(20404)
        return _json(self._shown(found))

    async def summary(self, _: web.Request) -> web.Response:
        """The figures of the whole ledger."""
        found = await asyncio.to_thread(lambda: ledger.summary(ledger.read(self._on.book.path)))
        return _json(found)

    async def health(self, _: web.Request) -> web.Response:
        """Alive, and what time it is here."""
        return _json({"status": "ok", "time": self._on.clock.now().isoformat(), "messages": len(self._network.records)})

    def _authenticate(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), self._secret.encode()) or request.match_info["account"] != self._on.account:
            raise Refusal(20003)

    def _refuse(self, form: Mapping[str, str], code: int) -> NoReturn:
        self._on.book.write(Entry(at=self._on.clock.now(), kind=Kind.SMS_REFUSED, to=form.get("To", ""), code=str(code)))
        raise Refusal(code)


@web.middleware
async def _refusing(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        status, body = twilio_words.error(refusal.code)
        return _json(body, status=status)


def _json(found: object, status: int = 200) -> web.Response:
    return web.Response(body=_encode(found), status=status, headers=_JSON)


def _checked(form: Mapping[str, str]) -> timedelta:
    """The validity asked for; Refusal when the form is not one that Twilio would take."""
    wrong = {
        21604: not form.get("To"),
        21211: not NUMBER.fullmatch(form.get("To", "")),
        21603: not (form.get("From") or form.get("MessagingServiceSid")),
        21602: not form.get("Body"),
        21617: len(form.get("Body", "")) > BODY_MAX,
        21609: not form.get("StatusCallback", "http://").startswith(("http://", "https://")),
    }
    code = next((code for code, holds in wrong.items() if holds), None)
    if code is not None:
        raise Refusal(code)
    valid_s = form.get("ValidityPeriod", str(VALID_MAX_S))
    if not valid_s.isdigit() or not 1 <= int(valid_s) <= VALID_MAX_S:
        raise Refusal(20001)
    return timedelta(seconds=int(valid_s))


def _check_call(form: Mapping[str, str], *, admitted: bool) -> None:
    """Refusal when the form is not one that Twilio would take, or comes too fast."""
    wrong = {
        20429: not admitted,
        21604: not form.get("To"),
        21211: not NUMBER.fullmatch(form.get("To", "")),
        21603: not form.get("From"),
        21205: not form.get("Url", "").startswith(("http://", "https://")),
        20001: not form.get("Timeout", "60").isdigit(),
    }
    code = next((code for code, holds in wrong.items() if holds), None)
    if code is not None:
        raise Refusal(code)
