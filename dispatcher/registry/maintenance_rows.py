"""Rows of ``maintenance.csv``: one announced work each."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dispatcher.files.table import Row
from dispatcher.registry.maintenance import Maintenance
from dispatcher.registry.relations import Placed, known, once

_LONGEST = timedelta(days=31)
"""Longer is no maintenance: a slip of the year would silence a station for good."""
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)


def maintenance(row: Row, zone: ZoneInfo) -> Maintenance:
    """One announced work; times without an offset are the county's."""
    since, until = _moment(row, "from", zone), _moment(row, "to", zone)
    if since is not None and until is not None and not since < until <= since + _LONGEST:
        days = _LONGEST.days
        row.wrong(
            "to", f"{row['to']!r} is not within {days} days after {row['from']!r}; a station that is out for longer leaves stations.csv"
        )
    return Maintenance(station=row["station"], since=since or _NEVER, until=until or _NEVER + _LONGEST, note=row["note"])


def check_maintenance(found: list[Placed[Maintenance]], stations: Collection[str]) -> None:
    """Every station exists, and no work is announced twice."""
    once(found, "from", lambda m: f"{m.station} {m.since.isoformat()}")
    for p in found:
        known(p.row, "station", p.value.station, stations, "stations.csv")


def _moment(row: Row, column: str, zone: ZoneInfo) -> datetime | None:
    text = row[column]
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        row.wrong(column, f"bad time {text!r}; allowed: a local time such as 2026-07-20T09:00, or one with its offset")
        return None
    if found.tzinfo is not None:
        return found.astimezone(UTC)
    local = found.replace(tzinfo=zone)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        row.wrong(column, f"{text!r} is not one moment in {zone.key}: the clocks are changed then; give the offset")
    return local.astimezone(UTC)
