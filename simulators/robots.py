"""Chat groups with robots as a program: ``python -m simulators.robots --help``.

Four kinds, by the address of the robot. Each checks the signature of a message and its time, writes it into the group, and knows
who is mentioned. Whoever has an answering habit writes the code to the robot, or presses a button where there are some.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

from simulators import chance, ledger, options, recording_time, wording
from simulators.ledger import Entry, Kind
from simulators.robot_signature import dingtalk_sign, feishu_sign, fresh, plain_sign, same

MINUTE_S = 60.0
PATIENCE_S = 30.0
_GOOD = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """``secret`` is that of every robot, ``callback`` where what members write is posted, ``answers`` who answers."""

    ledger: Path
    host: str
    port: int
    secret: str
    callback: str
    callback_kind: str
    callback_secret: str
    answers: tuple[str, ...]
    per_minute: int
    clock: recording_time.RecordingTime


@dataclass(frozen=True, slots=True)
class Posted:
    """A message as the group sees it. ``buttons`` are those that call back, by their title."""

    text: str
    mentioned: tuple[str, ...]
    delivery: str = ""
    buttons: Mapping[str, str] | None = None


class Robots:
    """The groups."""

    def __init__(self, given: Options, book: ledger.Ledger, session: aiohttp.ClientSession) -> None:
        """Nobody has posted anything yet."""
        self._given = given
        self._book = book
        self._session = session
        self._recent: list[float] = []
        self._writing: set[asyncio.Task[None]] = set()
        self._asked: set[tuple[str, str]] = set()

    def application(self) -> web.Application:
        """The addresses of the robots."""
        app = web.Application()
        app.router.add_post("/robot/send", self.dingtalk)
        app.router.add_post("/cgi-bin/webhook/send", self.wecom)
        app.router.add_post("/open-apis/bot/v2/hook/{token}", self.feishu)
        app.router.add_post("/plain/{token}", self.plain)
        return app

    async def dingtalk(self, request: web.Request) -> web.Response:
        """DingTalk's custom robot, with a signature in the address."""
        at, sign = request.query.get("timestamp", ""), request.query.get("sign", "")
        if not request.query.get("access_token"):
            return self._refused("300001", {"errcode": 300001, "errmsg": "token is not exist"})
        if not (self._fresh(at, 1000) and same(sign, dingtalk_sign(self._given.secret, at))):
            return self._refused("310000", {"errcode": 310000, "errmsg": "sign not match"})
        if self._too_many():
            return self._refused("130101", {"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"})
        body = await request.json()
        shown = Posted(body["markdown"]["text"], tuple(body.get("at", {}).get("atMobiles", ())))
        return self._take("dingtalk", shown, {"errcode": 0, "errmsg": "ok"})

    async def wecom(self, request: web.Request) -> web.Response:
        """WeCom's group robot: its key is all that proves anything."""
        if not request.query.get("key"):
            return self._refused("93000", {"errcode": 93000, "errmsg": "invalid webhook url"})
        if self._too_many():
            return self._refused("45009", {"errcode": 45009, "errmsg": "api freq out of limit"})
        text = (await request.json())["text"]
        if len(text["content"].encode()) > 2048:  # noqa: PLR2004 - its limit
            return self._refused("45002", {"errcode": 45002, "errmsg": "content size out of limit"})
        return self._take("wecom", Posted(text["content"], tuple(text.get("mentioned_mobile_list", ()))), {"errcode": 0, "errmsg": "ok"})

    async def feishu(self, request: web.Request) -> web.Response:
        """Feishu's custom robot, with a signature in the message."""
        body = await request.json()
        at = str(body.get("timestamp", ""))
        if not (self._fresh(at, 1) and same(str(body.get("sign", "")), feishu_sign(self._given.secret, at))):
            return self._refused("19021", {"code": 19021, "msg": "sign match fail or timestamp is not within one hour from current time"})
        if self._too_many():
            return self._refused("11232", {"code": 11232, "msg": "frequency limited"})
        (text, *_) = [part["content"] for part in body["card"]["elements"] if part["tag"] == "markdown"]
        return self._take("feishu", Posted(text, ()), {"code": 0, "msg": "success", "data": {}})

    async def plain(self, request: web.Request) -> web.Response:
        """Signed JSON."""
        raw = await request.read()
        at, sign = request.headers.get("Dispatcher-Timestamp", ""), request.headers.get("Dispatcher-Signature", "")
        if not (self._fresh(at, 1) and same(sign, plain_sign(self._given.secret, at, raw))):
            return self._refused("401", {"code": 401})
        body = json.loads(raw)
        buttons = {button["title"]: button["answer"] for button in body.get("buttons", ()) if button["answer"]}
        return self._take("plain", Posted(body["text"], (body["phone"],), body["id"], buttons), {"code": 0})

    def _take(self, kind: str, shown: Posted, answer: dict[str, object]) -> web.Response:
        who = ",".join(shown.mentioned)
        entry = Entry(
            at=self._given.clock.now(), kind=Kind.CHAT_POSTED, delivery=shown.delivery, to=who, body=shown.text, more={"kind": kind}
        )
        self._book.write(entry)
        for member in shown.mentioned:
            for question in wording.questions(shown.text) if member in self._given.answers else ():
                if (member, question.key) not in self._asked:
                    self._asked.add((member, question.key))
                    task = asyncio.create_task(self._answer(member, question, shown))
                    self._writing.add(task)
                    task.add_done_callback(self._writing.discard)
        return web.json_response(answer)

    async def _answer(self, member: str, question: wording.Question, shown: Posted) -> None:
        """Write or press, again until somebody hears it."""
        reference = chance.identity("msg", 0, member, question.key)
        button = next(iter((shown.buttons or {}).values()), "")
        text = "" if button else f"收到 {question.code}"
        body = self._call(reference, member, text, button)
        until = time.monotonic() + PATIENCE_S
        status = 0
        while self._given.callback and status not in range(200, 500) and time.monotonic() < until:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with self._session.post(self._given.callback, data=body, headers=self._proof(body)) as response:
                    status = response.status
            await asyncio.sleep(0.2)
        code = "" if status in range(200, _GOOD) else f"http-{status}"
        self._book.write(Entry(at=self._given.clock.now(), kind=Kind.CHAT_ANSWERED, to=member, body=text, reference=reference, code=code))

    def _call(self, reference: str, member: str, text: str, button: str) -> bytes:
        if self._given.callback_kind == "dingtalk":
            said = {"msgId": reference, "msgtype": "text", "senderStaffId": member, "senderNick": "某人", "text": {"content": f" {text}"}}
        else:
            said = {"id": reference, "sender": member, "text": text, "answer": button}
        return json.dumps(said, ensure_ascii=False).encode()

    def _proof(self, body: bytes) -> dict[str, str]:
        seconds, secret = self._given.clock.now().timestamp(), self._given.callback_secret
        if self._given.callback_kind == "dingtalk":
            at = str(int(seconds * 1000))
            proof = {"timestamp": at, "sign": dingtalk_sign(secret, at)}
        else:
            at = str(int(seconds))
            proof = {"Dispatcher-Timestamp": at, "Dispatcher-Signature": plain_sign(secret, at, body)}
        return proof | {"Content-Type": "application/json; charset=utf-8"}

    def _refused(self, code: str, answer: dict[str, object]) -> web.Response:
        self._book.write(Entry(at=self._given.clock.now(), kind=Kind.CHAT_REFUSED, code=code))
        return web.json_response(answer)

    def _fresh(self, at: str, per_s: int) -> bool:
        return fresh(at, per_s, self._given.clock.now().timestamp())

    def _too_many(self) -> bool:
        """More than a robot may post in a minute."""
        now = time.monotonic()
        self._recent = [at for at in self._recent if now - at < MINUTE_S]
        if self._given.per_minute and len(self._recent) >= self._given.per_minute:
            return True
        self._recent.append(now)
        return False


async def run(given: Options) -> int:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    book = ledger.Ledger(given.ledger)
    async with aiohttp.ClientSession() as session:
        runner = web.AppRunner(Robots(given, book, session).application(), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, given.host, given.port, backlog=1024).start()
        port = runner.addresses[0][1]
        sys.stdout.write(json.dumps({"ready": True, "robots": f"http://{given.host}:{port}", "port": port}) + "\n")
        sys.stdout.flush()
        await stop.wait()
        await runner.cleanup()
    book.close()
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Keep the groups until told to stop."""
    return asyncio.run(run(parse(arguments)))


def parse(arguments: Sequence[str] | None, environment: Mapping[str, str] = os.environ) -> Options:
    """Read the command line; secrets come from ROBOT_SECRET and ROBOT_CALLBACK_SECRET."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.robots", description="Chat groups with robots, and a ledger of what they show."
    )
    add = parser.add_argument
    add("--ledger", type=Path, required=True, metavar="FILE", help="JSON lines, appended to")
    add("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    add("--port", type=int, default=0, help="port; 0 takes a free one (default)")
    add("--callback-url", default="", metavar="URL", help="where what members write to the robot is posted")
    add("--callback-kind", default="plain", choices=["plain", "dingtalk"], help="how it is posted (default %(default)s)")
    add("--answers", default="", metavar="NUMBERS", help="who answers, as he is mentioned, separated by commas")
    add("--per-minute", type=int, default=0, metavar="N", help="messages a minute before a robot refuses more; 0 is no limit (default)")
    options.add_clock(parser)
    given = parser.parse_args(arguments)
    return Options(
        ledger=given.ledger,
        host=given.host,
        port=given.port,
        secret=environment.get("ROBOT_SECRET", ""),
        callback=given.callback_url,
        callback_kind=given.callback_kind,
        callback_secret=environment.get("ROBOT_CALLBACK_SECRET", ""),
        answers=tuple(filter(None, given.answers.split(","))),
        per_minute=given.per_minute,
        clock=options.clock_of(parser, given),
    )


if __name__ == "__main__":
    sys.exit(main())
