"""A small county, its house, changes and notices for the tests of the core. Numbers are from the range kept for drama."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path as FilePath
from zoneinfo import ZoneInfo

from dispatcher.house import House
from dispatcher.model.answer import Answer, Path, Said
from dispatcher.model.notice import Notice, NoticeState, Purpose
from dispatcher.policy.load import load_policies
from dispatcher.policy.model import Action, GradePlan, Policies, Policy, Step
from dispatcher.policy.release import DEFAULT, Origin, ReleaseRule
from dispatcher.ports import Status
from dispatcher.registry.model import Area, Contact, County, Level, Link, Measure, Registry, Speaker, Station, Variable, Village
from dispatcher.templates.load import load_templates
from dispatcher.templates.model import Templates
from rules.change import Change, Evidence, Mode
from rules.grade import Grade

SAMPLE = FilePath(__file__).parents[2] / "config" / "sample"
HAZARD = "flash-flood"
COUNTY, EAST, WEST = "990121000000", "990121101000", "990121102000"
V1, V2, V3 = "990121101201", "990121101202", "990121102201"
START = datetime(2026, 7, 20, 8, 0, tzinfo=UTC)
SECRET = b"a secret of the tests"
SECRETARY, HEAD, WARDEN, DEPUTY = "+447700900011", "+447700900012", "+447700900013", "+447700900014"
TOWNSHIP_LEADER, COUNTY_LEADER = "+447700900021", "+447700900022"
GAUGES: Mapping[str, tuple[str, ...]] = {"G1": (V1, V2), "G2": (V2,), "G3": (V3,)}


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def contact(name: str, role: str, area: str, phone: str, language: str = "zh") -> Contact:
    return Contact(id=name, name=f"{name}甲", name_en=f"Mx {name}", role=role, area=area, phone=phone, language=language, channels=("sms",))


CONTACTS = (
    contact("secretary", "village.party_secretary", V1, SECRETARY),
    contact("head", "village.head", V1, HEAD, "en"),
    contact("warden", "village.warden", V1, WARDEN),
    contact("deputy", "village.deputy", V1, DEPUTY),
    contact("head2", "village.head", V2, "+447700900032"),
    contact("warden2", "village.warden", V2, "+447700900033"),
    contact("warden3", "village.warden", V3, "+447700900043"),
    contact("leader", "township.leader_on_duty", EAST, TOWNSHIP_LEADER),
    contact("leader3", "township.leader_on_duty", WEST, "+447700900023"),
    contact("county", "county.leader_on_duty", COUNTY, COUNTY_LEADER),
)


def registry(contacts: Sequence[Contact] = CONTACTS) -> Registry:
    villages = {
        code: Village(
            code=code, name=f"村{code[-3:]}", name_en=f"Village {code[-3:]}", township=code[:9] + "000", lat=26.0, lon=111.0,
            population=300, shelter="小学", shelter_en="the school",
        )
        for code in (V1, V2, V3)
    }  # fmt: skip
    areas = {COUNTY: Area(code=COUNTY, parent="", level=Level.COUNTY, name="云岭县", name_en="Yunling County")}
    for code, name in ((EAST, "东镇"), (WEST, "西镇")):
        areas[code] = Area(code=code, parent=COUNTY, level=Level.TOWNSHIP, name=name, name_en=f"Town {code[6:9]}")
    for v in villages.values():
        areas[v.code] = Area(code=v.code, parent=v.township, level=Level.VILLAGE, name=v.name, name_en=v.name_en)
    rain = (Variable(name="rain", kind=Measure.INCREMENT, interval=minutes(5)),)
    return Registry(
        county=County(
            code=COUNTY, name="云岭县", name_en="Yunling County", timezone=ZoneInfo("Asia/Shanghai"), languages=("zh", "en"),
            issuer="云岭县防办", issuer_en="Yunling flood office",
        ),
        areas=areas,
        villages=villages,
        contacts={c.id: c for c in contacts},
        stations={g: Station(id=g, name=f"站{g}", name_en=g, type="rain_gauge", lat=26.0, lon=111.0, variables=rain) for g in GAUGES},
        links=tuple(Link(station=g, village=v, travel_time=minutes(20)) for g, reached in GAUGES.items() for v in reached),
        speakers={"spk-1": Speaker(id="spk-1", village=V1, name="村部")},
        digest="small",
    )  # fmt: skip


@cache
def templates() -> Templates:
    return load_templates(SAMPLE / "templates")


@cache
def sample_policy() -> Policy:
    return load_policies(SAMPLE / "policies").for_hazard(HAZARD)


def unreviewed(origin: Origin) -> Policy:
    """The sample policy, but what comes from there needs nobody to release it and holds for a day."""
    policy, free = sample_policy(), dict(DEFAULT) | {origin: ReleaseRule()}
    return replace(policy, grades={g: replace(p, release=free, valid_for=timedelta(hours=24)) for g, p in policy.grades.items()})


def house(
    *,
    contacts: Sequence[Contact] = CONTACTS,
    policy: Policy | None = None,
    status: Status = Status.ACTUAL,
    coalesce: timedelta = timedelta(seconds=10),
) -> House:
    chosen = policy or sample_policy()
    return House(
        registry=registry(contacts),
        policies=Policies(policies={chosen.id: chosen}, digest="p"),
        templates=templates(),
        status=status,
        public_url="https://dispatch.example",
        secret=SECRET,
        coalesce=coalesce,
    )


def change(
    after: Grade,
    gauge: str = "G1",
    *,
    before: Grade = Grade.NONE,
    rule: str = "rain",
    issued_by: str = "township",
    mode: Mode = Mode.LIVE,
    at: datetime = START,
    step: int = 0,
) -> Change:
    why = Evidence(row="r1h", value=86.0, unit="mm", met=after, thresholds=(35, 45, 60, 80), inputs=(("r1h", "sum(rain, 1h)"),))
    return Change(
        id=f"{rule}/{gauge}/{int(at.timestamp() * 1000)}/{step}", rule=rule, version=1, table="", hazard=HAZARD, place=gauge,
        before=before, after=after, at=at, decided_at=at, because=(why,), issued_by=issued_by, mode=mode,
    )  # fmt: skip


def notice(grade: Grade = Grade.RED, *, before: Grade = Grade.NONE, village: str = V1, code: str = "4217", revision: int = 1) -> Notice:
    purpose = Purpose.WARN if grade > before else Purpose.LOWER if grade else Purpose.LIFT
    return Notice(
        id=f"w/{village}/{revision}", alert="w.1", warning="w", county=COUNTY, status=Status.ACTUAL, hazard=HAZARD, village=village,
        revision=revision, grade=grade, before=before, purpose=purpose, state=NoticeState.CALLING, released_at=START,
        expires_at=START + timedelta(hours=6), code=code if purpose is Purpose.WARN else "", plan="digest",
        reason_zh="1小时雨量86毫米", reason_en="86 mm of rain in 1 h",
    )  # fmt: skip


def answer(said: Said, person: str = "warden", *, to: Notice | None = None, on_behalf_by: str = "", at: datetime = START) -> Answer:
    asked = to or notice()
    return Answer(
        notice=asked.id, warning=asked.warning, county=COUNTY, status=asked.status, village=asked.village, revision=asked.revision,
        person=person, on_behalf_by=on_behalf_by, action=said, path=Path.SMS, people=None, note="", at=at,
    )  # fmt: skip


def step(
    after_min: float, *roles: str, by: tuple[tuple[str, ...], ...] = (("sms",),), action: Action = Action.RECEIVED, task: str = ""
) -> Step:
    return Step(after=minutes(after_min), to=roles, by=by, action=action, task=task)


def red_plan() -> GradePlan:
    return sample_policy().grades[Grade.RED]
