"""What the shells of the engine share."""

from dataclasses import dataclass

from dispatcher.broadcast import Broadcast
from dispatcher.clock import Clock
from dispatcher.health import Health
from dispatcher.house import House
from dispatcher.log import Log
from dispatcher.metrics import Metrics
from dispatcher.ports import Store


@dataclass(frozen=True, slots=True)
class Workplace:
    """One engine at work: its house, its store, and what it tells the outside about itself."""

    house: House
    store: Store
    clock: Clock
    broadcast: Broadcast
    metrics: Metrics
    health: Health
    log: Log
