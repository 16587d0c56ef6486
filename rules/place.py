"""What a rule grades. For now a place is a station."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """One station: ``for_each: rain_gauge`` takes the places of that type. It reports every ``interval_s`` seconds."""

    id: str
    type: str
    variables: tuple[str, ...]
    interval_s: int

    def __post_init__(self) -> None:
        """An interval is at least one second."""
        if self.interval_s < 1:
            raise ValueError(f"the reporting interval of {self.id!r} must be at least 1 second, not {self.interval_s}")
