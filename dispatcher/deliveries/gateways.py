"""Several gateways for one channel: which takes a message. Decisions, and a small keeper of what is known of each gateway."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from dispatcher.deliveries.breaker import Breaker, Circuit, on_outcome, try_one
from dispatcher.deliveries.limits import Limit, admit, limit_of, wait_s
from rules.grade import Grade

_LEAST_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """One way to serve a channel.

    ``prefixes`` are the beginnings of the numbers it is for, none for all. ``rate`` is in segments, calls or commands a second,
    0 for no limit; ``price`` is what one of them costs.
    """

    name: str
    channel: str
    weight: float = 1.0
    prefixes: tuple[str, ...] = ()
    rate: float = 0.0
    burst: float = 0.0
    price: float = 0.0


class Held(StrEnum):
    """Why nothing takes a message now."""

    LIMIT = "limit"
    CIRCUIT = "circuit"


def order(gateways: Iterable[Gateway], failed: Mapping[str, float], address: str, draw: float) -> list[Gateway]:
    """Whom to ask, best first: the longest prefix that fits, then by chance after weight and what failed lately.

    ``draw`` is in 0…1. A gateway whose tries fail loses its share by itself, down to a little that shows when it is well again.
    """
    gateways = list(gateways)
    if len(gateways) == 1 and not gateways[0].prefixes:
        return gateways  # the usual case, for each of ten thousand messages
    fits: dict[int, list[Gateway]] = {}
    for gateway in gateways:
        found = [len(p) for p in gateway.prefixes if address.startswith(p)]
        if found or not gateway.prefixes:
            fits.setdefault(max(found, default=0), []).append(gateway)
    return [g for length in sorted(fits, reverse=True) for g in _by_share(fits[length], failed, draw)]


def _by_share(gateways: Sequence[Gateway], failed: Mapping[str, float], draw: float) -> list[Gateway]:
    """The one that the draw falls on, then the others by their share."""
    shares = {g.name: g.weight * max(_LEAST_SHARE, (1 - failed.get(g.name, 0.0)) ** 2) for g in gateways}
    rest = sorted(gateways, key=lambda g: -shares[g.name])
    left = draw * sum(shares.values())
    for gateway in rest:
        left -= shares[gateway.name]
        if left <= 0:
            return [gateway, *(g for g in rest if g is not gateway)]
    return rest


@dataclass(slots=True)
class Gateways:
    """What is known of every gateway. ``told`` is called when one opens or closes its circuit."""

    all: Sequence[Gateway]
    told: Callable[[Gateway, Circuit], None] = lambda _gateway, _circuit: None
    _limits: dict[str, Limit] = field(default_factory=dict)
    _breakers: dict[str, Breaker] = field(default_factory=dict)

    def of(self, channel: str) -> list[Gateway]:
        """Those that serve a channel."""
        return [g for g in self.all if g.channel == channel]

    def take(self, channel: str, address: str, grade: Grade, cost: float, now_s: float, draw: float, before: str = "") -> Gateway | Held:
        """The gateway that takes it, its tokens taken; or why it has to wait. ``before`` is the one that may have it already."""
        held = Held.CIRCUIT
        failed = {name: breaker.failed for name, breaker in self._breakers.items()}
        listed = order(self.of(channel), failed, address, draw)
        for gateway in sorted(listed, key=lambda g: g.name != before):
            breaker = try_one(self._breakers.get(gateway.name, Breaker()), now_s)
            if breaker is None:
                continue
            limit = self._limits.get(gateway.name) or limit_of(gateway.rate, gateway.burst, now_s)
            if limit is not None:
                after = admit(limit, cost, grade, now_s)
                if after is None:
                    held = Held.LIMIT
                    continue
                self._limits[gateway.name] = after
            self._note(gateway, breaker)
            return gateway
        return held

    def fitting(self, channel: str, address: str) -> frozenset[str]:
        """The names of those that a message to this address may go through."""
        return frozenset(g.name for g in order(self.of(channel), {}, address, 0.0))

    def may_take(self, channel: str, grade: Grade, now_s: float) -> bool:
        """Whether a message of this grade need not wait for a limit."""
        limits = [(g, self._limits.get(g.name)) for g in self.of(channel)]
        return not limits or any(limit is None or not wait_s(limit, 1, grade, now_s) for _, limit in limits)

    def heard(self, name: str, now_s: float, *, through: bool) -> None:
        """How a try at a gateway ended."""
        for gateway in self.all:
            if gateway.name == name:
                self._note(gateway, on_outcome(self._breakers.get(name, Breaker()), now_s, through=through))

    def _note(self, gateway: Gateway, after: Breaker) -> None:
        before = self._breakers.get(gateway.name, Breaker())
        self._breakers[gateway.name] = after
        if before.circuit is not after.circuit:
            self.told(gateway, after.circuit)
