"""How the rule state is kept: a whole snapshot now and then, and between them only what has changed."""

from dataclasses import dataclass, replace

from rules.engine import Engine

MOST = 30
"""As many snapshots of changes may follow a whole one: a restart reads them all."""


@dataclass(frozen=True, slots=True)
class Link:
    """One snapshot to be kept: whole where ``base_seq`` is its own journal row."""

    seq: int
    base_seq: int
    data: bytes

    @property
    def whole(self) -> bool:
        """Whether it stands for itself: then those before it need not be kept."""
        return self.seq == self.base_seq


@dataclass(frozen=True, slots=True)
class Chain:
    """What is kept at present: a whole snapshot of row ``base_seq``, and how much has followed it."""

    base_seq: int
    base_bytes: int
    count: int = 0
    more_bytes: int = 0

    def after(self, link: Link) -> "Chain":
        """The chain once this is kept, too."""
        return replace(self, count=self.count + 1, more_bytes=self.more_bytes + len(link.data))


def next_link(engine: Engine, seq: int, chain: Chain | None) -> tuple[Link, Chain]:
    """What is to be kept after a row, and the chain once it is.

    If it cannot be kept, go on without a chain: the engine has told its changes and does not tell them again.
    """
    if chain is not None and chain.count < MOST and chain.more_bytes <= chain.base_bytes:
        data = engine.increment()
        if data is not None:
            link = Link(seq, chain.base_seq, data)
            return link, chain.after(link)
    link = Link(seq, seq, engine.checkpoint())
    return link, Chain(seq, len(link.data))
