"""A believable afternoon in the sample county, written straight into the store."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path as FilePath
from typing import Any

from dispatcher.files.countyfiles import load_county_files
from dispatcher.model.answer import Answer, Path, Said
from dispatcher.model.delivery import Delivery, delivery_id
from dispatcher.model.notice import Notice, NoticeState, Purpose
from dispatcher.model.task import FeedKind, FeedLine, Task, TaskKind
from dispatcher.model.warning import Alert, MessageType, VillageGrade, Warning, WarningState  # noqa: A004
from dispatcher.policy.load import load_policies
from dispatcher.policy.model import Policies
from dispatcher.policy.snapshot import plan_as_json
from dispatcher.ports import DeliveryState, Status, Store
from dispatcher.registry.load import load_registry
from dispatcher.registry.model import Registry, Village
from dispatcher.rows import row_of
from dispatcher.templates.load import load_templates
from dispatcher.templates.model import Templates
from rules.grade import Grade
from rules.plan import Plan

SAMPLE = FilePath(__file__).parents[2] / "config" / "sample"
NOW = datetime(2026, 7, 20, 9, 12, 40, tzinfo=UTC)  # 17:12:40 in the county
HAZARD = "flash-flood"


@cache
def registry() -> Registry:
    return load_registry(SAMPLE)


@cache
def texts() -> Templates:
    return load_templates(SAMPLE / "templates")


@cache
def rules() -> Plan:
    return load_county_files(SAMPLE).plan


@cache
def policies() -> Policies:
    return load_policies(SAMPLE / "policies")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a village has done: the last action reported, minutes ago released and answered, and by which path."""

    grade: Grade
    said: Said | None = None
    ago_min: int = 6
    answered_min: int = 2
    path: Path = Path.SMS
    people: int | None = None
    behalf: str = ""
    steps: int = 3
    failed: int = 0
    left: bool = True
    revision: int = 1
    help_wanted: bool = False


_SAID_STATE = {
    None: NoticeState.CALLING,
    Said.RECEIVED: NoticeState.ANSWERED,
    Said.EVACUATING: NoticeState.ACTING,
    Said.EVACUATED: NoticeState.DONE,
}
CASES: tuple[Case, ...] = (
    Case(grade=Grade.RED, ago_min=9, steps=5, failed=1),
    Case(grade=Grade.RED, said=Said.RECEIVED, ago_min=9, answered_min=6, help_wanted=True),
    Case(grade=Grade.RED, ago_min=3),
    Case(grade=Grade.RED, said=Said.RECEIVED, ago_min=9, answered_min=7),
    Case(grade=Grade.RED, said=Said.EVACUATING, ago_min=9, answered_min=3, path=Path.LINK, people=120),
    Case(grade=Grade.RED, said=Said.EVACUATED, ago_min=19, answered_min=4, people=352, revision=2),
    Case(grade=Grade.RED, said=Said.EVACUATED, ago_min=19, answered_min=8, path=Path.DUTY_ROOM, people=86, behalf="chen"),
    Case(grade=Grade.ORANGE, ago_min=8, failed=3, left=False),
    Case(grade=Grade.ORANGE, said=Said.RECEIVED, ago_min=25, answered_min=22),
    Case(grade=Grade.ORANGE, said=Said.RECEIVED, ago_min=25, answered_min=20, path=Path.LINK),
    Case(grade=Grade.YELLOW, said=Said.RECEIVED, ago_min=40, answered_min=35),
    Case(grade=Grade.YELLOW, ago_min=6),
    Case(grade=Grade.BLUE, ago_min=50),
)


def notice_of(number: int, village: Village, case: Case, warning: str) -> Notice:
    plan = policies().for_hazard(HAZARD).grades[case.grade]
    state = _SAID_STATE[case.said] if plan.actions else NoticeState.INFORMED
    released = NOW - timedelta(minutes=case.ago_min)
    open_still = case.left and state is not NoticeState.DONE and bool(plan.actions)
    return Notice(
        id=f"{warning}/{village.code}/{case.revision}",
        alert=f"{warning}/alert-1",
        warning=warning,
        county=registry().county.code,
        status=Status.ACTUAL,
        hazard=HAZARD,
        village=village.code,
        revision=case.revision,
        grade=case.grade,
        before=Grade.NONE,
        purpose=Purpose.WARN,
        state=state,
        released_at=released,
        expires_at=released + timedelta(hours=6),
        code=f"{4000 + number}",
        plan=f"plan-{int(case.grade)}",
        reason_zh="石潭河上游站 3 小时雨量 86 毫米，达到红色 80 毫米" if case.grade is Grade.RED else "1 小时雨量 41 毫米",
        reason_en="3 h of rain at Shitan upper gauge 86 mm, red from 80 mm" if case.grade is Grade.RED else "41 mm of rain in 1 h",
        steps_done=case.steps if plan.actions else 1,
        next_due=NOW + timedelta(minutes=2, seconds=20) if open_still else None,
    )


def deliveries_of(notice: Notice, case: Case) -> list[Delivery]:
    people = [c for c in registry().contacts.values() if c.area == notice.village and c.phone][:3]
    places = [("sms", c.id, c.role, c.phone) for c in people]
    places += [("loudspeaker", "", "village.speakers", s.id) for s in registry().speakers_of(notice.village)]
    found = []
    for n, (channel, person, role, address) in enumerate(places):
        bad = channel == "sms" and n < case.failed
        quiet = channel == "sms" and n == len(people) - 1 and case.said is None and not bad
        found.append(
            Delivery(
                id=delivery_id((notice.id,), channel, address, 0, 0),
                notice=notice.id,
                county=notice.county,
                status=notice.status,
                village=notice.village,
                channel=channel,
                person=person,
                role=role,
                address=address,
                language="zh",
                grade=notice.grade,
                text="",
                state=DeliveryState.FAILED if bad else DeliveryState.SENT if quiet else DeliveryState.DELIVERED,
                step=0,
                repeat=0,
                fallbacks=(),
                planned_at=notice.released_at,
                due=notice.released_at,
                expires_at=notice.expires_at,
                updated_at=notice.released_at + timedelta(seconds=9),
                attempts=1,
                code="30005" if bad else "",
                reason="unknown destination handset" if bad else "",
                accepted_at=notice.released_at,
            )
        )
    return found


def answers_of(notice: Notice, case: Case) -> list[Answer]:
    if case.said is None or notice.state is NoticeState.INFORMED:
        return []
    plan = policies().for_hazard(HAZARD).grades[case.grade]
    last = [Said.RECEIVED, Said.EVACUATING, Said.EVACUATED].index(case.said)
    person = next((c.id for c in registry().contacts.values() if c.area == notice.village), "")
    found = []
    for n, said in enumerate([Said.RECEIVED, Said.EVACUATING, Said.EVACUATED][: last + 1]):
        at = NOW - timedelta(minutes=case.answered_min + 2 * (last - n))
        found.append(
            Answer(
                notice=notice.id,
                warning=notice.warning,
                county=notice.county,
                status=notice.status,
                village=notice.village,
                revision=notice.revision,
                person=person,
                on_behalf_by=case.behalf,
                action=said,
                path=case.path,
                people=case.people if n == last else None,
                note="by telephone" if case.behalf else "",
                at=max(at, notice.released_at + timedelta(seconds=40)),
            )
        )
    if case.help_wanted:
        found.append(replace(found[-1], action=Said.HELP, at=found[-1].at + timedelta(minutes=1), note="三户被困，需要冲锋舟"))
    return [a for a in found if plan.actions]


async def seed(
    store: Store, cases: tuple[Case, ...] = CASES, villages: list[Village] | None = None, status: Status = Status.ACTUAL
) -> None:
    """Two warnings: flash flood over the first township (half the cases), the rest over the second."""
    places = villages or [*registry().villages.values()]
    half = max(1, sum(c.grade is Grade.RED for c in cases))
    first = places[0].township
    second = next((v.township for v in places if v.township != first), first)
    in_first = [v for v in places if v.township == first] if villages is None else places
    in_second = [v for v in places if v.township == second] if villages is None else places[half:]
    for area, group, where in ((first, cases[:half], in_first), (second, cases[half:], in_second)):
        if group:
            await _seed_warning(store, area, list(zip(where, group, strict=False)), status)
    async with store.write() as tx:
        for grade, plan in policies().for_hazard(HAZARD).grades.items():
            row = {"digest": f"plan-{int(grade)}", "policy": "p", "version": 1, "body": plan_as_json(plan)}
            await tx.run("notices.add_plan", row)
        await tx.run_many("desk.add_task", [row_of(t) for t in _tasks(places, status)])
        await tx.run_many("desk.add_feed", [row_of(line) for line in _feed(places, status)])


async def _seed_warning(store: Store, area: str, pairs: list[tuple[Village, Case]], status: Status) -> None:
    county = registry().county.code
    opened = NOW - timedelta(minutes=max(c.ago_min for _, c in pairs))
    top = max(c.grade for _, c in pairs)
    warning = Warning(
        id=f"{HAZARD}/{area}/20260720-1",
        county=county,
        status=status,
        hazard=HAZARD,
        area=area,
        state=WarningState.OPEN,
        grade=top,
        opened_at=opened,
        updated_at=NOW,
        alerts=1,
    )
    notices = [replace(notice_of(n + int(area[6:9]), v, c, warning.id), status=status) for n, (v, c) in enumerate(pairs)]
    standing = [
        VillageGrade(
            warning=warning.id,
            village=n.village,
            county=county,
            status=status,
            grade=n.grade,
            told=n.grade,
            revision=n.revision,
            reason_zh=n.reason_zh,
            reason_en=n.reason_en,
        )
        for n in notices
    ]
    alert = Alert(
        id=f"{warning.id}/alert-1",
        warning=warning.id,
        county=county,
        status=status,
        message_type=MessageType.ALERT,
        sent_at=opened,
        expires_at=opened + timedelta(hours=6),
        refs=(),
        places=tuple((n.village, 0, int(n.grade)) for n in notices),
        released_by="auto",
    )
    async with store.write() as tx:
        await tx.run("warnings.save", row_of(warning))
        await tx.run("warnings.add_alert", row_of(alert))
        await tx.run_many("warnings.save_village", [row_of(v) for v in standing])
        await tx.run_many("notices.add", [row_of(n) for n in notices])
        paired = [(n, c) for n, (_, c) in zip(notices, pairs, strict=True)]
        await tx.run_many("deliveries.add", [row_of(d) for n, c in paired for d in deliveries_of(n, c)])
        await tx.run_many("desk.add_answer", [row_of(a) for n, c in paired for a in answers_of(n, c)])
        station = next(s for s in registry().links if s.village == notices[0].village).station
        await tx.run("warnings.add_change", _change(warning, station, top, opened))


def _change(warning: Warning, station: str, grade: Grade, at: datetime) -> dict[str, Any]:
    ms = int(at.timestamp() * 1000)
    return {
        "id": f"seed/{warning.id}",
        "county": warning.county,
        "status": warning.status.value,
        "mode": "live",
        "rule": "flash-flood-rain",
        "hazard": HAZARD,
        "place": station,
        "before": 0,
        "after": int(grade),
        "at": ms,
        "decided_at": ms,
        "reason_zh": "3 小时雨量 86 毫米，达到红色 80 毫米",
        "reason_en": "3 h of rain 86 mm, red from 80 mm",
        "record": json.dumps({}),
    }


def _tasks(places: list[Village], status: Status) -> list[Task]:
    zh, en = places[1].name, places[1].name_en
    county = registry().county.code
    help_ = Task(
        key="help/1",
        kind=TaskKind.HELP,
        village=places[1].code,
        text_zh=f"{zh}求助：三户被困，需要冲锋舟",
        text_en=f"{en} wants help: three houses cut off, a boat is needed",
        opened_at=NOW - timedelta(minutes=5),
        county=county,
        status=status,
    )
    silent = Task(
        key="no_data/1",
        kind=TaskKind.NO_DATA,
        village="",
        text_zh="石潭河中游雨量站 20 分钟没有数据",
        text_en="Shitan Stream middle gauge: no data for 20 minutes",
        opened_at=NOW - timedelta(minutes=14),
        county=county,
        status=status,
    )
    return [silent, help_]


def _feed(places: list[Village], status: Status) -> list[FeedLine]:
    said = [
        (19, FeedKind.CHANGE, Grade.ORANGE, "石潭河上游站 橙色：1 小时雨量 52 毫米", "Shitan upper gauge orange: 52 mm in 1 h"),
        (9, FeedKind.CHANGE, Grade.RED, "石潭河上游站 红色：3 小时雨量 86 毫米", "Shitan upper gauge red: 86 mm in 3 h"),
        (9, FeedKind.ALERT, Grade.RED, "石潭镇 山洪 红色预警，7 个村", "Shitan Town: red flash-flood warning, 7 villages"),
        (7, FeedKind.ANSWER, Grade.RED, f"{places[3].name} 收到（短信）", f"{places[3].name_en}: received (SMS)"),
        (5, FeedKind.ANSWER, Grade.RED, f"{places[1].name} 求助：三户被困", f"{places[1].name_en}: help wanted"),
        (
            4,
            FeedKind.ESCALATION,
            Grade.RED,
            f"{places[0].name} 超时未答，叫应镇值班领导",
            f"{places[0].name_en}: step 5, township leader called",
        ),
        (4, FeedKind.ANSWER, Grade.RED, f"{places[5].name} 已转移 352 人", f"{places[5].name_en}: 352 people evacuated"),
        (3, FeedKind.ANSWER, Grade.RED, f"{places[4].name} 正在转移（链接）", f"{places[4].name_en}: evacuating (link)"),
    ]
    return [
        FeedLine(
            county=registry().county.code,
            status=status,
            at=NOW - timedelta(minutes=ago),
            kind=kind,
            grade=grade,
            subject="",
            text_zh=zh,
            text_en=en,
        )
        for ago, kind, grade, zh, en in said
    ]
