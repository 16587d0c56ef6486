"""Says in the log, once each, that a part's loop hangs or goes on again. ``/readyz`` says it as long as it lasts."""

import asyncio

from dispatcher.upkeep.health import Health
from dispatcher.upkeep.log import Log

LOOK_EVERY_S = 5.0


async def watch(health: Health, log: Log) -> None:
    """Look now and then, until cancelled."""
    known: set[str] = set()
    while True:
        known = look(health, log, known)
        await asyncio.sleep(LOOK_EVERY_S)


def look(health: Health, log: Log, known: set[str]) -> set[str]:
    """Say what has changed since the last look; gives the parts that hang now."""
    hanging = health.hanging()
    for part in hanging.keys() - known:
        log.error("part_hangs", part=part, what=hanging[part])
    for part in known - hanging.keys():
        log.info("part_goes_on", part=part)
    return set(hanging)
