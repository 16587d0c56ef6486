"""A key at a village's speaker: which notices of the village it answers."""

import json
from collections.abc import Sequence

from dispatcher.model.notice import Notice, NoticeState, Purpose
from dispatcher.ports import Reader, Reply
from dispatcher.registry.model import Registry, Speaker
from dispatcher.rows import value_of


def speaker_of(registry: Registry, reply: Reply) -> Speaker | None:
    """The speaker at which it was pressed; None for what is no key, or at a speaker that nobody listed."""
    return registry.speakers.get(reply.address) if reply.channel == "loudspeaker" else None


async def told_by(reader: Reader, speaker: Speaker, delivery: str) -> list[Notice]:
    """The notices that this very command told, at this very speaker, and that still ask."""
    rows = await reader.fetch("deliveries.by_ids", {"ids": json.dumps([delivery])})
    if not any(row["address"] == speaker.id for row in rows):
        return []  # no speaker answers for what another one said
    told = [value_of(Notice, row) for row in await reader.fetch("notices.of_delivery", {"delivery": delivery})]
    return [n for n in told if n.purpose is Purpose.WARN and n.state is not NoticeState.SUPERSEDED]


def for_status(notices: Sequence[Notice], reply: Reply) -> list[Notice]:
    """Those that the key may answer: one pressed at the end of an exercise answers exercises only."""
    return [n for n in notices if reply.status is None or n.status is reply.status]


def who_pressed(speaker: Speaker) -> str:
    """Who answers by it: the contact who looks after the speaker, else the speaker itself."""
    return speaker.owner or speaker.id
