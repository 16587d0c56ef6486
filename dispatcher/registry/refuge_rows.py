"""One row of shelters.csv, routes.csv or transfers.csv → one object."""

from datetime import timedelta

from dispatcher.files.table import Row
from dispatcher.registry.refuge import Route, Shelter, Transfer
from dispatcher.registry.rows import identifier, number, text

_MOST_PEOPLE = 100_000
_MOST_MINUTES = 1_440


def shelter(row: Row) -> Shelter:
    """A place that takes people in."""
    return Shelter(
        id=identifier(row, "id"),
        village=row["village"],
        name=text(row, "name"),
        name_en=row["name_en"],
        lat=number(row, "lat", -90, 90),
        lon=number(row, "lon", -180, 180),
        capacity=int(number(row, "capacity", 0, _MOST_PEOPLE)),
        keeper=row["keeper"],
    )


def route(row: Row) -> Route:
    """The way to a shelter."""
    return Route(
        village=row["village"],
        group=row["group"],
        shelter=row["shelter"],
        way=text(row, "way"),
        way_en=row["way_en"],
        walk=timedelta(minutes=number(row, "walk_min", 0, _MOST_MINUTES)),
    )


def transfer(row: Row) -> Transfer:
    """Who brings whom."""
    return Transfer(
        village=row["village"],
        group=row["group"],
        contact=row["contact"],
        shelter=row["shelter"],
        people=int(number(row, "people", 0, _MOST_PEOPLE)),
    )
