"""What every codec is: bytes in, readings and rejects out."""

from datetime import datetime
from typing import Protocol

from dispatcher.intake.catalogue import Catalogue
from dispatcher.intake.decode import Limits
from dispatcher.model.reject import Decoded
from dispatcher.ports import Item


class Codec(Protocol):
    """One format, configured.

    Total: whatever the bytes, nothing is raised, nothing is left out silently, and time and memory stay in proportion to
    ``limits.body_bytes``. Pure: the same arguments give the same result, because a replay of the journal decodes again.
    """

    def decode(self, item: Item, catalogue: Catalogue, limits: Limits, now: datetime) -> Decoded:
        """What one item holds. ``now`` is when it was taken in, for times that are relative to it."""
        ...
