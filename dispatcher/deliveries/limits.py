"""How much a sender may hand over: token buckets that delay and never discard. Decisions only; seconds are real ones.

Orange and red have a bucket of their own, which nothing else empties: they wait for each other and for nobody below them. What
they take is taken from the bucket of the lower grades too, so that a carrier's limit holds over time.
"""

from dataclasses import dataclass, replace

from rules.grade import Grade

URGENT = Grade.ORANGE


@dataclass(frozen=True, slots=True)
class Bucket:
    """``level`` tokens at ``at_s``, growing by ``rate`` a second up to ``burst``. Below zero it is in debt."""

    rate: float
    burst: float
    level: float
    at_s: float


@dataclass(frozen=True, slots=True)
class Limit:
    """The two buckets of one sender."""

    urgent: Bucket
    lower: Bucket


def limit_of(rate: float, burst: float, now_s: float) -> Limit | None:
    """A full limit; a rate of 0 is no limit. A burst of 0 is what one second allows, at least one token."""
    if not rate:
        return None
    most = burst or max(rate, 1.0)
    full = Bucket(rate, most, most, now_s)
    return Limit(full, full)


def admit(limit: Limit, cost: float, grade: Grade, now_s: float) -> Limit | None:
    """The limit after handing over what costs so many tokens; None when it must wait."""
    if grade < URGENT:
        lower = _taken(limit.lower, cost, now_s)
        return replace(limit, lower=lower) if lower else None
    urgent = _taken(limit.urgent, cost, now_s)
    return Limit(urgent, _charged(limit.lower, cost, now_s)) if urgent else None


def wait_s(limit: Limit, cost: float, grade: Grade, now_s: float) -> float:
    """Seconds until this would be admitted if nothing else came."""
    bucket = filled(limit.lower if grade < URGENT else limit.urgent, now_s)
    return max(0.0, (min(cost, bucket.burst) - bucket.level) / bucket.rate)


def filled(bucket: Bucket, now_s: float) -> Bucket:
    """The bucket at a later time; a clock that goes back changes nothing."""
    passed = max(0.0, now_s - bucket.at_s)
    return replace(bucket, level=min(bucket.burst, bucket.level + passed * bucket.rate), at_s=max(bucket.at_s, now_s))


def _taken(bucket: Bucket, cost: float, now_s: float) -> Bucket | None:
    """What costs more than a full bucket goes when it is full, and leaves a debt: nothing waits for ever."""
    full = filled(bucket, now_s)
    return replace(full, level=full.level - cost) if full.level >= min(cost, full.burst) else None


def _charged(bucket: Bucket, cost: float, now_s: float) -> Bucket:
    full = filled(bucket, now_s)
    return replace(full, level=full.level - cost)
