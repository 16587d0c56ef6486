"""Audits every minute and says so outside: a heartbeat that stays away is the alarm that works when nothing here does."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from dispatcher.auditor.expecting import LOOK_BACK, Amiss, Expected, Finding, Found, expected_of, findings
from dispatcher.errors import BeatFailed, StoreFailed
from dispatcher.house import House
from dispatcher.model.notice import NoticeState
from dispatcher.model.task import Task, TaskKind
from dispatcher.ports import Beacon, Beat, Row
from dispatcher.timestamps import from_ms, to_ms
from dispatcher.warnings.telling import add_tasks
from dispatcher.workplace import Workplace

PART = "auditor"
EVERY_S = 60.0
_RETRY_S = 5.0
_SLACK_S = 30.0
_NAMED = 3


class Auditor:
    """``run`` until cancelled; ``audit`` alone is one round (tests move the clock and call it)."""

    def __init__(self, place: Workplace, beacons: Sequence[Beacon] = (), every_s: float = EVERY_S) -> None:
        """``every_s`` is in real seconds, whatever the clock of the engine does."""
        self._place = place
        self._beacons = beacons
        self._every_s = every_s

    async def run(self) -> None:
        """Audit and beat, round after round."""
        while True:
            try:
                await self.audit()
            except StoreFailed as failure:
                self._place.log.error("store_failed", error=str(failure))
                await asyncio.sleep(_RETRY_S)
                continue
            await self._beat()
            await asyncio.sleep(self._every_s)

    async def audit(self) -> list[Finding]:
        """Hold the log against the rows; what does not agree fails the health check and is a task, once each."""
        place, now = self._place, self._place.clock.now()
        expected, found = await self._load(now)
        amiss = findings(expected, found, now, timedelta(seconds=_SLACK_S * (place.clock.speed - 1)))
        if amiss:
            place.health.set(PART, _said(place.house, amiss))
            async with place.store.write() as tx:
                await add_tasks(tx, place.house, [_task(place.house, one, now) for one in amiss])
            place.broadcast.wake()
        else:
            place.health.clear(PART)
        place.metrics.audit_findings.set(len(amiss))
        return amiss

    async def _load(self, now: datetime) -> tuple[Sequence[Expected], dict[tuple[str, str], Found]]:
        since = {"county": self._place.house.county, "since": to_ms(now - LOOK_BACK)}
        async with self._place.store.read() as reader:
            expected = expected_of(await reader.fetch("auditor.log", since), self._place.house.status)
            alerts = json.dumps(sorted({e.alert for e in expected if e.grade}))
            rows = await reader.fetch("auditor.found", {"alerts": alerts})
        return expected, {(row["alert"], row["village"]): _found(row, now) for row in rows}

    async def _beat(self) -> None:
        """Tell the outside that all is well; while it is not, say nothing: the silence is the message."""
        if self._place.health.problems():
            return
        beat = Beat(county=self._place.house.county, status=self._place.house.status, at=self._place.clock.now())
        for beacon in self._beacons:
            try:
                await beacon.beat(beat)
            except BeatFailed as failure:
                self._place.metrics.beats.labels(beacon.name, "failed").inc()
                self._place.log.warning("beat_failed", beacon=beacon.name, error=str(failure))
            else:
                self._place.metrics.beats.labels(beacon.name, "sent").inc()


def _found(row: Row, now: datetime) -> Found:
    return Found(
        notice=row["id"],
        calling=row["state"] == NoticeState.CALLING,
        holds=row["state"] != NoticeState.SUPERSEDED and from_ms(row["expires_at"]) > now,
        reached=row["reached"],
        answers=row["answers"],
        next_due=None if row["next_due"] is None else from_ms(row["next_due"]),
    )


def _said(house: House, amiss: Sequence[Finding]) -> str:
    names = [house.registry.name_of(f.expected.village, house.registry.county.languages[0]) for f in amiss[:_NAMED]]
    return f"{len(amiss)} villages are not told as the log says they must be: {', '.join(names)}{' …' if len(amiss) > _NAMED else ''}"


def _task(house: House, finding: Finding, now: datetime) -> Task:
    """What a person is asked to do about it, in both languages."""
    zh, en = (house.registry.name_of(finding.expected.village, language) for language in ("zh", "en"))
    since = finding.since.astimezone(house.registry.county.timezone).strftime("%H:%M")
    text_zh, text_en = {
        Amiss.NO_NOTICE: (
            f"{zh}：预警已于{since}签发，但没有生成村级通知",
            f"{en}: a warning was released at {since}, yet there is no notice",
        ),
        Amiss.NOT_REACHED: (
            f"{zh}：{since}签发后任何渠道都没有送达，请人工叫应",
            f"{en}: released at {since}, no channel has reached anybody",
        ),
        Amiss.STALLED: (f"{zh}：{since}应叫下一级，但没有执行", f"{en}: the next people were to be called at {since} and were not"),
    }[finding.amiss]
    return Task(
        key=finding.key,
        county=house.county,
        status=house.status,
        kind=TaskKind.AUDIT,
        village=finding.expected.village,
        text_zh=text_zh,
        text_en=text_en,
        opened_at=now,
    )
