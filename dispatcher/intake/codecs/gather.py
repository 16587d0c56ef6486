"""Collects what one item held, for every codec alike: judged readings, and rejects that stay small however many there are."""

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from dispatcher.intake.catalogue import Catalogue
from dispatcher.intake.decode import Limits
from dispatcher.intake.examine import Examiner
from dispatcher.model.reject import Decoded, Fault, Reject, RejectCode, digest, show
from dispatcher.ports import Item
from rules.reading import Reading

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Gathering:
    """Fill it with ``take`` and ``refuse``, then ask for ``decoded``."""

    item: Item
    catalogue: Catalogue
    limits: Limits
    _readings: list[Reading] = field(default_factory=list)
    _rejects: list[Reject] = field(default_factory=list)
    _more: int = 0

    def take(self, fields: dict[str, Any], where: str, index: int, excerpt: bytes = b"") -> None:
        """A reading in the fields of our own format, judged as ours are; ``where`` says its place in the item."""
        result = Examiner(self.catalogue, self.limits.bounds).judge(fields)
        if isinstance(result, Fault):
            self.refuse(result, where, index, excerpt)
        else:
            self._readings.append(result)

    def refuse(self, fault: Fault, where: str = "", index: int = 0, excerpt: bytes = b"", count: int = 1, *, line: int = 0) -> None:
        """A reason why something is no reading; those beyond the limit are only counted."""
        if len(self._rejects) >= self.limits.rejects:
            self._more += count
            return
        place = show(self.item.subject)[1:-1] + (f", {where}" if where else "")
        self._rejects.append(
            Reject(
                code=fault.code,
                message=f"{place}: {fault.message}",
                subject=self.item.subject,
                index=index,
                line=line,
                excerpt=(excerpt or self.item.body)[: self.limits.excerpt_bytes],
                sha256=self._rejects[0].sha256 if self._rejects else digest(self.item.body),
                size_bytes=len(self.item.body),
                count=count,
            )
        )

    @property
    def count(self) -> int:
        """How many readings and rejects there are so far."""
        return len(self._readings) + len(self._rejects) + self._more

    def too_large(self) -> bool:
        """Refuse the whole when it is over the bound of one body."""
        if len(self.item.body) <= self.limits.body_bytes:
            return False
        what = f"a body of at least {len(self.item.body):,} bytes; allowed: at most {self.limits.body_bytes:,}; nothing in it was read"
        self.refuse(Fault(RejectCode.TOO_LARGE, what))
        return True

    def decoded(self) -> Decoded:
        """All of it, in its order."""
        if self._more and self._rejects:
            what = f"{self._more:,} more refused after the first {self.limits.rejects:,}, each for a reason of its own"
            message = f"{show(self.item.subject)[1:-1]}: {what}"
            self._rejects.append(
                replace(self._rejects[0], code=RejectCode.TOO_MANY, message=message, excerpt=b"", index=0, count=self._more)
            )
            self._more = 0
        return Decoded(self._readings, self._rejects)


def iso(at_s: float) -> str:
    """Seconds since 1970-01-01 UTC as the text of a time; of what is no time, a text that will be refused as one."""
    if not math.isfinite(at_s):
        return repr(at_s)
    try:
        return (_EPOCH + timedelta(seconds=math.floor(at_s))).isoformat()
    except OverflowError:
        return repr(at_s)
