"""From what somebody wants to exercise to a drill with its participants, and to what it says of villages. Decisions only."""

import math
from dataclasses import replace
from datetime import datetime, timedelta

from dispatcher.drills.model import Drill, DrillPlan
from dispatcher.drills.script import Foreseen, highest
from dispatcher.errors import NotAllowed
from dispatcher.house import House
from dispatcher.model.saying import Saying
from dispatcher.policy.release import Origin
from dispatcher.warnings.drafting import issuing_area, villages_named
from rules.grade import Grade

LONGEST = timedelta(hours=24)
_SHORTEST_MIN = 5


def planned(house: House, plan: DrillPlan, drill_id: str, by: str, now: datetime, storm: Foreseen | None = None) -> Drill:
    """The drill; NotAllowed says what is wrong with the plan. Of a ``storm``, hazard and grade are the worst that it brings."""
    plan = by_storm(house, plan, storm) if storm is not None else plan
    known = sorted(h for p in house.policies.policies.values() for h in p.hazards)
    if plan.hazard not in known:
        raise NotAllowed(
            f"no policy for hazard {plan.hazard!r}; there are policies for: {', '.join(known)}", f"灾种 {plan.hazard} 没有预案"
        )
    if not plan.grade:
        raise NotAllowed("a drill has a grade from blue to red", "演练级别须为蓝、黄、橙、红")
    if not plan.title.strip():
        raise NotAllowed("a drill needs a title", "须写明演练名称")
    if not _SHORTEST_MIN <= plan.minutes <= LONGEST / timedelta(minutes=1):
        raise NotAllowed("a drill lasts from 5 minutes to 24 hours", "演练时长须为5分钟至24小时")
    villages = villages_named(house, plan.areas)
    areas = set(villages)
    if plan.township:
        areas |= {house.registry.villages[v].township for v in villages}
    if plan.county:
        areas.add(house.county)
    people = tuple(sorted(c.id for c in house.registry.contacts.values() if c.area in areas))
    if not people:
        raise NotAllowed("nobody is listed in these villages; a drill needs participants", "这些村没有登记人员，无法演练")
    speakers = tuple(sorted(s.id for v in villages for s in house.registry.speakers_of(v))) if plan.speakers else ()
    return Drill(
        id=drill_id,
        county=house.county,
        title=plan.title.strip()[:200],
        hazard=plan.hazard,
        grade=plan.grade,
        villages=tuple(villages),
        people=people,
        speakers=speakers,
        started_at=now,
        started_by=by,
        ends_at=now + timedelta(minutes=plan.minutes),
        storm=plan.storm,
    )


def by_storm(house: House, plan: DrillPlan, storm: Foreseen) -> DrillPlan:
    """The plan with what its storm brings to the villages that take part; NotAllowed when that is nothing, or there is no time for it."""
    if timedelta(minutes=plan.minutes) < storm.script.lasts:
        needed = math.ceil(storm.script.lasts / timedelta(minutes=1))
        raise NotAllowed(
            f"this storm takes {needed} minutes at this speed, the drill has {plan.minutes}", f"脚本需{needed}分钟，演练时长不足"
        )
    villages, known = set(villages_named(house, plan.areas)), {h for p in house.policies.policies.values() for h in p.hazards}
    links = house.registry.villages_of_station
    found = [c for c in storm.changes if c.hazard in known and any(link.village in villages for link in links(c.place))]
    hazard, grade = highest(found)
    if not grade:
        raise NotAllowed("by the rules this storm warns none of these villages", "按现行规则，该脚本不会使这些村进入预警")
    return replace(plan, hazard=hazard, grade=grade)


def sayings_of(house: House, drill: Drill, grade: Grade, now: datetime) -> list[Saying]:
    """What a drill by hand says of its villages; grade none ends it."""
    area = issuing_area(house, list(drill.villages))
    if grade:
        zh, en = f"演练：{drill.title}", f"Exercise: {drill.title}"
    else:
        zh, en = f"演练结束：{drill.title}", f"The exercise is over: {drill.title}"
    return [
        Saying(
            hazard=drill.hazard,
            village=village,
            contributor=f"drill:{drill.id}",
            area=area,
            grade=grade,
            since=now,
            reason_zh=zh,
            reason_en=en,
            origin=Origin.OBSERVED,
            expires_at=drill.ends_at if grade else None,
        )
        for village in drill.villages
    ]
