"""Messages to chat groups through their robots (DingTalk, WeCom, Feishu, or any that takes signed JSON).

The person is mentioned in the group of his village, with the link that answers for him; where the platform calls us, what
is written to the robot, or a signed button, is an answer too. That a message stands in the group is a receipt, never an answer.
"""

import base64
import hmac
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote_plus

import aiohttp
from pydantic import BaseModel, ConfigDict, Field
from yarl import URL

from adapters.channels import chat_kinds, gateway_codes
from adapters.channels.chat_kinds import Kind, at_path, filled
from dispatcher.errors import ConfigurationError, PermanentFailure, Problem, TooLate, TransientFailure, UnknownOutcome
from dispatcher.ports import Adapter, DeliveryState, Heard, HookRefused, HookRequest, Message, Receipt, Reply, Status, World

ANSWER: Final = "answer"
NUMBER: Final = re.compile(r"\+[1-9]\d{6,14}")
LINK: Final = re.compile(r"https?://[^\s，。；]+/a/[A-Za-z0-9._~%=-]*[A-Za-z0-9_~=-]")
AMBIGUOUS: Final = frozenset({500, 502, 504})
COLOURS: Final = {"red": "red", "orange": "orange", "yellow": "yellow", "blue": "blue", "none": "green"}
WORDS: Final = {
    "zh": ("答复", {"1": "收到", "2": "正在转移", "3": "已转移", "9": "求助"}),
    "en": ("Answer", {"1": "Received", "2": "Moving", "3": "All moved", "9": "Need help"}),
}
_GOOD = 200
_TITLE = 40


class GroupSettings(BaseModel):
    """One group with its robot."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url_env: str = Field(description="Environment variable with the robot's address: it holds the robot's token.")
    secret_env: str | None = Field(default=None, description="Environment variable with the robot's secret, where its kind signs.")
    areas: tuple[str, ...] = Field(default=(), description="Beginnings of the codes of its villages; none for all others.")


class ChatSettings(BaseModel):
    """Groups and their robots. Addresses and secrets are named here and read from the environment."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str = Field(description="dingtalk, wecom, feishu, plain, or one of your own table.")
    groups: Annotated[tuple[GroupSettings, ...], Field(min_length=1)] = Field(
        description="Groups: `url_env`, `secret_env`, and `areas`, the beginnings of their villages' codes; the longest fit is taken."
    )
    kinds: Path | None = Field(default=None, description="Table of robots (YAML); default: the one shipped.")
    callback_secret_env: str | None = Field(
        default=None, description="Environment variable with the secret of what the platform sends to our hook; unset: by links only."
    )
    members: dict[str, str] = Field(
        default_factory=dict, description="Who writes to the robot: his name at the platform to his number (E.164)."
    )
    country: str = Field(default="+86", description="Prefix that is left out of the number of somebody who is mentioned.")
    connect_timeout_s: float = Field(default=5, gt=0, description="Seconds until a connection stands.")
    timeout_s: float = Field(default=15, gt=0, description="Seconds until the answer is complete.")
    exercise_marks: tuple[str, ...] = Field(
        default=("【演练】", "[EXERCISE]"), description="How an exercise begins; the first is put before one that does not."
    )


class Chat:
    """Channel ``chat``; an address is the number under which somebody is known at the platform."""

    name = "chat"

    def __init__(self, settings: ChatSettings, world: World, kind: Kind, secrets: Mapping[str, bytes]) -> None:
        """``secrets`` by the names of their variables. Opens nothing."""
        self._settings = settings
        self._world = world
        self._kind = kind
        self._secrets = secrets
        self._session: aiohttp.ClientSession | None = None

    async def send(self, message: Message) -> Receipt:
        """Write it into the group of its village, once."""
        if message.expires_at <= self._world.clock.now():
            raise TooLate
        if not NUMBER.fullmatch(message.address):
            raise PermanentFailure("bad-address", "somebody in a group is mentioned by a number in international form")
        group = self._group_of(message.village)
        if group is None:
            raise PermanentFailure("no-group", "no group is set up for this village")
        url, headers, body = self._signed(group, self._shown(message))
        status, answer = await self._post(url, headers, body)
        return self._receipt(message.delivery, status, answer)

    def hear(self, request: HookRequest) -> Heard:
        """What somebody wrote to the robot, or which button he pressed, once the platform's signature is proven."""
        called, secret = self._kind.called, self._secrets.get(self._settings.callback_secret_env or "")
        if called is None or secret is None or request.hook != ANSWER:
            raise HookRefused("nothing is expected here")
        headers = {name.lower(): value for name, value in request.headers.items()}
        at, sign = (headers.get(name.lower(), "") for name in (called.signed.at, called.signed.sign))
        if not called.signed.holds(at, sign, secret, request.body, self._world.clock.now()):
            raise HookRefused("the signature of the call does not hold, or it is old")
        try:
            body = json.loads(request.body)
        except ValueError:
            return Heard()
        reference = at_path(body, called.found.id)
        delivery, key = self._pressed(at_path(body, called.found.answer))
        if delivery:
            return _heard(Reply(channel=self.name, address="", text=key, reference=reference, delivery=delivery))
        number = self._settings.members.get(at_path(body, called.found.sender), "")
        text = at_path(body, called.found.text)
        return _heard(Reply(channel=self.name, address=number, text=text, reference=reference)) if number and text else Heard(body="{}")

    async def close(self) -> None:
        """Close the connections; a later send opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _group_of(self, village: str) -> GroupSettings | None:
        fits = [(len(area), n) for n, g in enumerate(self._settings.groups) for area in g.areas or ("",) if village.startswith(area)]
        return self._settings.groups[max(fits, key=lambda fit: (fit[0], -fit[1]))[1]] if fits else None

    def _shown(self, message: Message) -> dict[str, Any]:
        marks, actual = self._settings.exercise_marks, message.status is Status.ACTUAL
        text = message.text if actual or message.text.startswith(marks) else marks[0] + message.text
        link = LINK.search(text)
        answer, words = WORDS.get(message.language, WORDS["en"])
        fields = {
            "title": text[:_TITLE],
            "text": text,
            "link": link[0] if link else "",
            "answer": answer,
            "phone": message.address,
            "mobile": message.address.removeprefix(self._settings.country),
            "delivery": message.delivery,
            "grade": message.grade.word,
            "colour": COLOURS[message.grade.word],
            "buttons": [{"title": word, "answer": self._button(message.delivery, key)} for key, word in words.items()],
        }
        shown: dict[str, Any] = filled(self._kind.asks if link else self._kind.informs, fields)
        return shown

    def _signed(self, group: GroupSettings, shown: dict[str, Any]) -> tuple[str, dict[str, str], bytes]:
        """Address, headers and bytes of a message to this group."""
        url, headers = self._secrets[group.url_env].decode(), {"Content-Type": "application/json; charset=utf-8"}
        signed, secret = self._kind.signed, self._secrets.get(group.secret_env or "")
        body = json.dumps(shown, ensure_ascii=False).encode()
        if signed is None or secret is None:
            return url, headers, body
        at = signed.time(self._world.clock.now())
        proof = {signed.at: at, signed.sign: signed.signature(at, secret, body)}
        if signed.place == "header":
            return url, headers | proof, body
        if signed.place == "body":
            return url, headers, json.dumps(proof | shown, ensure_ascii=False).encode()
        query = "&".join(f"{name}={quote_plus(value)}" for name, value in proof.items())
        return f"{url}{'&' if '?' in url else '?'}{query}", headers, body

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        if self._session is None:
            wait = aiohttp.ClientTimeout(total=None, sock_connect=self._settings.connect_timeout_s, sock_read=self._settings.timeout_s)
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=wait)
        try:
            # Encoded already: the signature is escaped by us, as the platform wants it.
            async with self._session.post(URL(url, encoded=True), data=body, headers=headers, allow_redirects=False) as response:
                return response.status, await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise TransientFailure("unreachable", "the chat platform cannot be reached") from None
        except (aiohttp.ClientError, TimeoutError, ValueError):
            raise UnknownOutcome("no-answer", "the request left and no usable answer came") from None

    def _receipt(self, delivery: str, status: int, answer: bytes) -> Receipt:
        if status in AMBIGUOUS:
            raise UnknownOutcome("no-answer", "the platform does not say whether it was taken")
        try:
            code = at_path(json.loads(answer), self._kind.result.code)
        except ValueError:
            code = ""
        if status == _GOOD and code == "0":
            return Receipt(delivery=delivery, state=DeliveryState.DELIVERED, reference=delivery, reason="it stands in the group")
        meaning = self._kind.result.meaning(code) if code else gateway_codes.UNKNOWN
        if meaning.is_final:
            raise PermanentFailure(code, meaning.reason)
        raise TransientFailure(code or str(status), f"{meaning.reason} (HTTP {status})")

    def _button(self, delivery: str, key: str) -> str:
        secret = self._secrets.get(self._settings.callback_secret_env or "", b"")
        mac = hmac.digest(secret, f"chat-answer\n{delivery}.{key}".encode("utf-8", "replace"), "sha256")
        return f"{delivery}.{key}.{base64.urlsafe_b64encode(mac[:12]).decode()}" if secret else ""

    def _pressed(self, token: str) -> tuple[str, str]:
        """The delivery and key of a button of ours; empty for anything else."""
        delivery, _, key = token.rpartition(".")[0].rpartition(".")
        genuine = bool(delivery) and hmac.compare_digest(self._button(delivery, key).encode(), token.encode("utf-8", "replace"))
        return (delivery, key) if genuine else ("", "")


def _heard(reply: Reply) -> Heard:
    return Heard(replies=(reply,), body="{}", once=bool(reply.reference))


def connect(settings: ChatSettings, world: World, environment: Mapping[str, str] = os.environ) -> Chat:
    """The channel, with addresses and secrets from the environment; opens nothing. ConfigurationError names what is missing."""
    kinds = chat_kinds.load(settings.kinds)
    if settings.kind not in kinds:
        raise ConfigurationError([Problem("channels", f"unknown kind of robot {settings.kind!r}; allowed: {', '.join(sorted(kinds))}")])
    kind = kinds[settings.kind]
    named = [name for g in settings.groups for name in (g.url_env, g.secret_env if kind.signed else None)] + [settings.callback_secret_env]
    missing = [name for name in dict.fromkeys(named) if name and not environment.get(name)]
    problems = [Problem("environment", f"{name} is not set; the chat channel names it") for name in missing]
    if problems:
        raise ConfigurationError(problems)
    return Chat(settings, world, kind, {name: environment[name].encode() for name in named if name})


adapter = Adapter(settings=ChatSettings, build=connect)
