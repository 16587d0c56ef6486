"""The stations of a registry as the rules see them: places to be graded."""

from datetime import timedelta

from dispatcher.registry.model import Registry
from rules.place import Place


def places_of(registry: Registry) -> tuple[Place, ...]:
    """Every station; its interval is the shortest of its variables, in whole seconds."""
    return tuple(
        Place(
            id=station.id,
            type=station.type,
            variables=tuple(variable.name for variable in station.variables),
            interval_s=max(
                1, min((variable.interval for variable in station.variables), default=timedelta(minutes=5)) // timedelta(seconds=1)
            ),
        )
        for station in registry.stations.values()
    )
