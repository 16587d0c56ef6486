"""SIGTERM lets the engine finish what it has in hand; a second one ends it at once, and that is safe too."""

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.integration.installation import OVER_THE_BANK_M, Installation, body, reading
from tests.integration.programs import Programs, count, rows

IN_HAND = "state = 'sending'"


@contextmanager
def silent_gateway(port: int) -> Iterator[threading.Event]:
    """Takes requests and answers none; the event is set once it has one."""
    asked = threading.Event()
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", port), backlog=256) as listening:

        def take() -> None:
            while True:
                try:
                    one, _ = listening.accept()
                except OSError:
                    return
                taken.append(one)
                asked.set()

        threading.Thread(target=take, daemon=True).start()
        yield asked
        listening.shutdown(socket.SHUT_RDWR)
    for one in taken:
        one.close()


@pytest.mark.parametrize("signals", [1, 2], ids=["once", "twice"])
def test_an_engine_that_is_told_to_end_while_its_gateway_hangs_loses_nothing(programs: Programs, signals: int) -> None:
    installed = Installation(programs)
    gauge = installed.token()
    engine = installed.start()
    with silent_gateway(installed.town_port) as asked:
        answer = httpx.post(f"{installed.url}/api/v1/readings", content=body(reading(OVER_THE_BANK_M)), headers=gauge, timeout=60)
        assert answer.status_code == 202
        engine.until(asked.is_set, "a request that the gateway does not answer")
        engine.signal(signal.SIGTERM)
        if signals > 1:
            engine.until(lambda: '"stops"' in engine.err, "the beginning of the end")
            engine.signal(signal.SIGTERM)
        ran = engine.wait(30)
    assert ran.code == (0 if signals == 1 else 130), ran.err
    assert "Traceback" not in ran.err
    planned = {row["id"] for row in rows(installed.database, "SELECT id FROM deliveries WHERE channel = 'sms'")}
    assert planned
    assert count(installed.database, "journal", "kind = 'batch'") == 1

    installed.start_town()
    engine = installed.start()
    engine.until(lambda: planned <= set(installed.told()), "every text in the world")
    marked = {row["id"] for row in rows(installed.database, "SELECT id FROM deliveries WHERE possible_duplicate = 1")}
    assert {delivery for delivery, times in installed.told().items() if times > 1} <= marked
    assert count(installed.database, "changes") == 1
    engine.signal(signal.SIGTERM)
    assert engine.wait(30).code == 0
