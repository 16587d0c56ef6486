"""Times as stored: whole milliseconds since 1970-01-01 UTC."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970 of an aware time."""
    return (at - _EPOCH) // _MILLISECOND


def from_ms(ms: int) -> datetime:
    """The aware UTC time of stored milliseconds."""
    return _EPOCH + timedelta(milliseconds=ms)


def stored(at: datetime) -> datetime:
    """A time as it comes back from the store."""
    return from_ms(to_ms(at))
