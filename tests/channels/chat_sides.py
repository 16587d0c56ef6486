"""The far side of the chat channel: running groups, one for each kind of robot."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

from adapters.channels import chat
from dispatcher.ports import Message, Receipt
from simulators.ledger import Kind
from tests.channels.far_sides import message, world
from tests.simulators.chats import ADDRESSES, CALLBACK_SECRET, ROBOT_SECRET, ROBOT_TOKEN, StartRobots
from tests.simulators.towns import RunningTown

MEMBER = "+447700900004"
PUBLIC = "https://warn.example.org"
ENVIRONMENT = {"ROBOT_SECRET": ROBOT_SECRET, "CALLBACK_SECRET": CALLBACK_SECRET}


def robot(kind: str, url: str, *, secret: str = ROBOT_SECRET, signs: bool = True, **more: object) -> chat.Chat:
    """The chat channel with one group, of which the robot is there."""
    group = {"url_env": "ROBOT_URL", "secret_env": "ROBOT_SECRET" if signs else None}
    settings = {"kind": kind, "groups": [group], "country": "+44", "callback_secret_env": "CALLBACK_SECRET"}
    environment = ENVIRONMENT | {"ROBOT_URL": f"{url}{ADDRESSES[kind]}", "ROBOT_SECRET": secret}
    return chat.connect(chat.ChatSettings.model_validate(settings | more), world(PUBLIC), environment)


class Noting:
    """The channel, with a note of every receipt: a robot reports nothing later."""

    def __init__(self, side: "ChatSide") -> None:
        self._side = side
        self.name = side.chat.name

    async def send(self, sent: Message) -> Receipt:
        receipt = await self._side.chat.send(sent)
        self._side.receipts.append(receipt)
        return receipt

    async def close(self) -> None:
        await self._side.chat.close()


@dataclass
class ChatSide:
    """Groups of one kind."""

    robots: RunningTown
    start: StartRobots
    chat: chat.Chat
    receipts: list[Receipt] = field(default_factory=list)
    secrets: Sequence[str] = (ROBOT_SECRET, CALLBACK_SECRET, ROBOT_TOKEN)

    def channel(self) -> Noting:
        return Noting(self)

    def message(self, delivery: str) -> Message:
        return replace(message(delivery, MEMBER), village="990299999001")

    def hopeless(self, delivery: str) -> Message:
        return message(delivery, "12345")

    def arrived(self, delivery: str) -> int:
        return sum(f"({delivery})" in entry.body for entry in self.robots.entries(Kind.CHAT_POSTED))

    def arrived_as_exercise(self, delivery: str) -> bool:
        return any(f"({delivery})" in e.body and e.body.startswith("【演练】") for e in self.robots.entries(Kind.CHAT_POSTED))

    def reported(self, delivery: str) -> Sequence[Receipt]:
        return [receipt for receipt in self.receipts if receipt.delivery == delivery]

    async def break_off(self) -> None:
        await asyncio.to_thread(self.robots.stop)

    async def mend(self) -> None:
        self.robots = await self.start("--port", str(self.robots.ready["port"]))


@contextlib.asynccontextmanager
async def chat_side(start: StartRobots, kind: str) -> AsyncIterator[ChatSide]:
    robots = await start()
    side = ChatSide(robots, start, robot(kind, robots.url))
    yield side
    await side.chat.close()
