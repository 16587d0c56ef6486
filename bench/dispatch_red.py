"""How soon the first red text leaves while 50,000 blue ones wait: ``dispatch.red_first_ms``.

A real engine with a gateway in its own process that takes 20 ms for a text and is kept busy by the blue ones. Counted from handing
in the reading that makes a village red until the first red text is handed to the gateway.
"""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from msgspec.structs import replace

from bench.county import Size, station, write_county
from bench.dispatch_acks import COUNTY, deployment_in
from bench.figure import figure
from dispatcher.application import Application, load, open_store
from dispatcher.cli.running import run_async
from dispatcher.clock import SystemClock
from dispatcher.deliveries.duty_room import DutyRoom
from dispatcher.deliveries.sender import Sender
from dispatcher.model.delivery import Delivery
from dispatcher.ports import DeliveryState, Kind, Message, Receipt
from dispatcher.rows import row_of, value_of
from dispatcher.upkeep.log import make_log
from rules.grade import Grade

BLUE = 50_000
_TAKES_S = 0.02
_BUSY_S = 1.0


class Slow:
    """A gateway that takes its time, and notes when the first red text came."""

    name = "sms"

    def __init__(self) -> None:
        """Nothing came yet."""
        self.red = asyncio.Event()
        self.at = 0.0

    async def send(self, message: Message) -> Receipt:
        """Take it."""
        if message.grade is Grade.RED and not self.red.is_set():
            self.at = time.perf_counter()
            self.red.set()
        await asyncio.sleep(_TAKES_S)
        return Receipt(delivery=message.delivery, state=DeliveryState.ACCEPTED)

    async def close(self) -> None:
        """Nothing is open."""


async def _read(app: Application, number: int, value: float) -> None:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    body = {"station": station(number), "variable": "rain", "value": value, "unit": "mm", "time": stamp}
    await app.intake.submit(json.dumps(body).encode(), Kind.READINGS, "bench")


async def once(folder: Path) -> float:
    """Milliseconds."""
    deployment = deployment_in(folder)
    app = Application(deployment, load(deployment), await open_store(deployment), SystemClock(), make_log(as_json=True))
    await app.open()
    slow = Slow()
    app.sender = Sender(app.place, {"sms": slow, "loudspeaker": slow, "duty_room": DutyRoom()})
    try:
        app.begin()
        await _read(app, 1, 90)  # one village becomes red first, to have a delivery to copy
        await slow.red.wait()
        async with app.store.write() as tx:
            one = value_of(Delivery, next(r for r in await tx.fetch("deliveries.all", {"county": COUNTY}) if r["channel"] == "sms"))
            blue = replace(one, grade=Grade.BLUE, state=DeliveryState.PLANNED, accepted_at=None, lease=None, attempts=0, gateway="")
            await tx.run_many("deliveries.add", [row_of(replace(blue, id=f"b{n}", address=f"+9997{n:07d}")) for n in range(BLUE)])
        app.sender.wake()
        await asyncio.sleep(_BUSY_S)
        slow.red.clear()
        began = time.perf_counter()
        await _read(app, 0, 90)
        await asyncio.wait_for(slow.red.wait(), 60)
        return (slow.at - began) * 1000
    finally:
        await app.stop()


def main(runs: int = 5) -> None:
    """Measure and print."""
    results = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as made:
            folder = write_county(Path(made) / "county", Size(villages=20, stations=20, linked=1))
            results.append(run_async(once(folder)))
    note = "reading handed in to the first red text at a gateway that is busy with 50,000 blue ones"
    figure("dispatch.red_first_ms", results, "ms", BLUE, note)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
