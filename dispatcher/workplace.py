"""What the shells of the engine share."""

from dataclasses import dataclass

from dispatcher.clock import Clock
from dispatcher.house import House
from dispatcher.ports import Store
from dispatcher.upkeep.broadcast import Broadcast
from dispatcher.upkeep.health import Health
from dispatcher.upkeep.log import Log
from dispatcher.upkeep.metrics import Metrics


@dataclass(slots=True)
class Workplace:
    """One engine at work: its house, its store, and what it tells the outside about itself.

    ``house`` is another one after new files have been taken over; whoever decides something reads it once, at the beginning.
    """

    house: House
    store: Store
    clock: Clock
    broadcast: Broadcast
    metrics: Metrics
    health: Health
    log: Log
