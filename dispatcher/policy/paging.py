"""Whom a proposal that nobody decided calls: officers at once, the leader on duty when they stay silent."""

import re
from dataclasses import dataclass
from datetime import timedelta

from dispatcher.files.document import Spot
from dispatcher.registry.model import SMS, VOICE

_ROLE = re.compile(r"(?:county|township)\.[a-z_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """``to`` are called at each time-out by all channels of ``by`` together, ``then_to`` too when ``after`` has passed since the first."""

    to: tuple[str, ...] = ("county.releasing_officer",)
    by: tuple[str, ...] = (VOICE, SMS)
    after: timedelta = timedelta(minutes=10)
    then_to: tuple[str, ...] = ("county.leader_on_duty",)

    def next_in(self, within: timedelta, times: int) -> timedelta:
        """How long after the ``times``-th call the next one comes: never later than the leader is due."""
        return min(within, self.after) if times <= 1 else within

    def roles(self, within: timedelta, times: int) -> tuple[str, ...]:
        """Whom the ``times``-th call is for."""
        passed = timedelta(0) if times <= 1 else self.next_in(within, 1) + (times - 2) * within
        return self.to if passed < self.after else (*self.to, *self.then_to)


CALLING = Paging()


def read_paging(spot: Spot | None) -> Paging:
    """``page: {to: [county.releasing_officer], by: [voice, sms], after: 10m, then_to: [county.leader_on_duty]}``, each with a default."""
    if spot is None:
        return CALLING
    found = spot.entries((), ("to", "by", "after", "then_to"))
    after = found["after"].duration() if "after" in found else CALLING.after
    if not after:
        found["after"].wrong("must be longer than 0")
    return Paging(
        to=_roles(found.get("to"), CALLING.to),
        by=tuple(one.word((VOICE, SMS), "channel of a page") for one in found["by"].items()) if "by" in found else CALLING.by,
        after=after,
        then_to=_roles(found.get("then_to"), CALLING.then_to),
    )


def _roles(spot: Spot | None, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    if spot is None:
        return otherwise
    for item in spot.items():
        if not _ROLE.fullmatch(item.text()):
            item.wrong(f"unknown role {item.text()!r}; allowed: a role of the county or a township, such as county.releasing_officer")
    return tuple(item.text() for item in spot.items())
