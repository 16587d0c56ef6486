"""Chance that is the same in every run: drawn from a seed and names, never from a generator with a state."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

T = TypeVar("T")


def draw(*names: object) -> float:
    """A number in [0, 1), evenly spread, fixed by the names."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return int.from_bytes(digest[:7], "big") / (1 << 56)


def between(low_s: float, high_s: float, *names: object) -> timedelta:
    """A duration between two bounds in seconds, fixed by the names."""
    return timedelta(seconds=low_s + (high_s - low_s) * draw(*names))


def pick(choices: Sequence[T], *names: object) -> T:
    """One of the choices, fixed by the names."""
    return choices[int(draw(*names) * len(choices))]


def pick_by_share(shares: Mapping[T, float], *names: object) -> T:
    """One of the keys, each as often as its share of the sum; fixed by the names."""
    left = draw(*names) * sum(shares.values())
    chosen = next(iter(shares))
    for key, share in shares.items():
        if share <= 0:
            continue
        chosen = key
        left -= share
        if left < 0:
            break
    return chosen


def identity(prefix: str, *names: object) -> str:
    """An identifier of Twilio's shape: two letters and 32 hexadecimal digits, fixed by the names."""
    return prefix + hashlib.sha256("/".join(map(str, names)).encode()).hexdigest()[:32]
