"""Publishers that cost little: MQTT 3.1.1 packets written straight to a socket, QoS 1, with a window of unacknowledged ones.

``python -m bench.gauges PORT COUNT PER_SECOND PUBLISHERS`` publishes readings and ends when all are acknowledged.
"""

import asyncio
import sys
import time
from collections.abc import Callable

from bench.county import station

STATIONS = 10_000
_WINDOW = 200
_BURST = 20
_CONNECT, _PUBLISH_QOS1 = 0x10, 0x32
_PUBACK_BYTES = 4


def line(k: int) -> bytes:
    """The ``k``-th reading: its station's next five minutes, mostly drizzle, one in a hundred a cloudburst; ``id`` is when it was sent."""
    slot = int(time.time()) // 300 * 300 - 300 * (40 - k // STATIONS)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(slot))
    value = 40 if k % 100 == 0 else 0.2
    body = f'"station":"{station(k % STATIONS)}","variable":"rain","value":{value},"unit":"mm","time":"{stamp}"'
    return f'{{{body},"id":"{time.time():.6f}"}}'.encode()


def connect(name: str) -> bytes:
    """A CONNECT packet: clean session, no keep-alive."""
    client = name.encode()
    rest = b"\x00\x04MQTT\x04\x02\x00\x00" + len(client).to_bytes(2, "big") + client
    return bytes((_CONNECT, len(rest))) + rest


def packet(topic: bytes, number: int, payload: bytes) -> bytes:
    """A PUBLISH packet of QoS 1, below 16 KiB."""
    rest = len(topic).to_bytes(2, "big") + topic + (number % 65_535 + 1).to_bytes(2, "big") + payload
    length = bytes((len(rest) & 0x7F | 0x80, len(rest) >> 7)) if len(rest) > 0x7F else bytes((len(rest),))
    return bytes((_PUBLISH_QOS1,)) + length + rest


async def publisher(port: int, number: int, publishers: int, count: int, per_second: float, payload: Callable[[int], bytes] = line) -> None:
    """Publish every ``publishers``-th reading, at most a window ahead of the acknowledgements."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(connect(f"gauges-{number}-{time.time_ns()}"))
    await reader.readexactly(4)
    topic = f"readings/{number}".encode()
    began = time.perf_counter()
    sent = acknowledged = 0
    mine = range(number, count, publishers)
    left = b""
    while acknowledged < len(mine):
        burst = min(_BURST, len(mine) - sent, _WINDOW - (sent - acknowledged))
        if per_second:
            burst = min(burst, int((time.perf_counter() - began) * per_second / publishers) - sent + 1)
        if burst > 0:
            writer.write(b"".join(packet(topic, sent + i, payload(mine[sent + i])) for i in range(burst)))
            sent += burst
        if burst <= 0 and sent - acknowledged < _WINDOW and sent < len(mine):
            await asyncio.sleep(max(0.001, sent * publishers / per_second - (time.perf_counter() - began)))
            continue
        if sent - acknowledged >= _WINDOW or sent == len(mine):
            left += await reader.read(65_536)
            acknowledged += len(left) // _PUBACK_BYTES
            left = left[len(left) // _PUBACK_BYTES * _PUBACK_BYTES :]
        else:
            await asyncio.sleep(0)
    writer.close()


async def main(port: int, count: int, per_second: float, publishers: int) -> None:
    """All publishers at once."""
    await asyncio.gather(*(publisher(port, n, publishers, count, per_second) for n in range(publishers)))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
