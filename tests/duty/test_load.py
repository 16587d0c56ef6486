"""Rosters as files: what they say, and every mistake with its place. And that a role is resolved by them."""

from datetime import date, time
from pathlib import Path

import pytest

from dispatcher.duty.model import Days, Turns
from dispatcher.errors import ConfigurationError
from dispatcher.house import House
from dispatcher.policy.model import Policies
from dispatcher.ports import Status
from dispatcher.registry.load import load_registry
from tests.dispatch.making import SECRET, sample_policy, templates
from tests.duty.test_resolve import at
from tests.registry.tables import write

ROSTERS = """\
holidays: [2026-10-01..2026-10-07]
workdays: [2026-10-10]
rosters:
  - id: town
    name: 石潭镇带班
    name_en: Leader of the town
    role: township.leader_on_duty
    area: "990121101000"
    people: [c1, c2]
    turns: shift
    since: 2026-07-20
    patterns:
      - {name: flood season, from: 04-01, to: 09-30, shifts: {day: "08:00-20:00", night: "20:00-08:00"}}
      - {name: office hours, days: workdays, shifts: {office: "08:30-17:30"}}
"""
DUTY = "roster,day,shift,people\ntown,2026-07-21,day,c3\ntown,2026-07-21,night,\n"


def county(folder: Path, rosters: str = ROSTERS, duty: str = DUTY) -> Path:
    (folder / "rosters.yaml").write_text(rosters, encoding="utf-8")
    (folder / "duty.csv").write_text(duty, encoding="utf-8")
    return write(folder)


def test_rosters_are_read_with_seasons_shifts_holidays_and_single_days(tmp_path: Path) -> None:
    table = load_registry(county(tmp_path)).duty
    town = table.rosters["town"]
    assert (town.turns, town.people, town.size) == (Turns.SHIFT, ("c1", "c2"), 1)
    assert [(p.days, p.first, [(s.name, s.begins, s.ends) for s in p.shifts]) for p in town.patterns] == [
        (Days.EVERY, (4, 1), [("day", time(8), time(20)), ("night", time(20), time(8))]),
        (Days.WORKDAYS, None, [("office", time(8, 30), time(17, 30))]),
    ]
    assert len(table.calendar.holidays) == 7
    assert table.calendar.workdays == {date(2026, 10, 10)}
    assert table.entries["town", date(2026, 7, 21), "day"].people == ("c3",)
    assert str(table.zone) == "Asia/Shanghai"


def test_a_role_with_a_roster_is_whoever_is_on_duty_and_nobody_is_a_gap(tmp_path: Path) -> None:
    policy = sample_policy()
    house = House(
        registry=load_registry(county(tmp_path)), policies=Policies(policies={policy.id: policy}, digest="p"), templates=templates(),
        status=Status.ACTUAL, public_url="https://dispatch.example", secret=SECRET,
    )  # fmt: skip

    def called(moment: str, role: str = "township.leader_on_duty") -> list[str]:
        return [contact.id for contact in house.resolve(role, "990121101201", at(moment))]

    assert called("2026-07-20 09:00") == ["c1"]
    assert called("2026-07-20 21:00") == ["c2"]
    assert called("2026-07-21 09:00") == ["c3"]  # entered for that day
    assert called("2026-07-21 21:00") == []  # entered as nobody
    assert called("2026-11-01 09:00") == []  # a Sunday outside the season
    assert called("2026-11-01 09:00", "village.head") == ["c1"]  # no roster: everybody with the role
    assert called("2026-11-01 09:00", "county.duty_room") == ["c4"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("people: [c1, c2]", "people: [c1, c9]", "rosters.yaml:4:5: town: 'c9' is not in contacts.csv"),
        ('"990121101000"', '"990121000000"', "town: the area '990121000000' is no township of the registry"),
        ('"08:00-20:00"', '"08:00-24:00"', "rosters.yaml:13:68: bad times of a shift; allowed: from-to in 24 hours"),
        ('"20:00-08:00"', '"19:00-08:00"', "rosters.yaml:13:9: shifts overlap"),
        ('"20:00-08:00"', '"20:00-09:00"', "shifts overlap"),
        ("from: 04-01", "from: 04-31", "bad day of the year; allowed: month-day"),
        ("from: 04-01, ", "", "a season needs both 'from' and 'to'"),
        ("2026-10-01..2026-10-07", "2026-10-07..2026-10-01", "rosters.yaml:1:12: bad days"),
        ("turns: shift", "turns: month", "unknown length of a turn 'month'; allowed: shift, day, week"),
        ("days: workdays", "days: weekdays", "unknown kind of days 'weekdays'; allowed: every, workdays, days_off"),
        ("id: town", "id: Town!", "bad id 'Town!'; allowed: small letters"),
        ("since: 2026-07-20", "since: soon", "bad day; allowed: a date such as"),
    ],
)
def test_a_mistake_in_a_roster_is_named_with_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in ROSTERS
    with pytest.raises(ConfigurationError) as caught:
        load_registry(county(tmp_path, rosters=ROSTERS.replace(old, new)))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("town,2026-07-21,day,c9", "duty.csv:2:21: people: 'c9' is not in contacts.csv"),
        ("city,2026-07-21,day,c1", "duty.csv:2:1: roster: 'city' is no roster of rosters.yaml; there are: town"),
        ("town,2026-07-21,noon,c1", "duty.csv:2:17: shift: 'noon' is no shift of 'town'; its shifts: day, night, office"),
        ("town,21 July,day,c1", "duty.csv:2:6: day: bad day '21 July'"),
        ("town,2026-07-21,day,c1\ntown,2026-07-21,day,c2", "duty.csv:3:17: shift: 'day' of 2026-07-21 is given twice"),
    ],
)
def test_a_mistake_in_an_entry_is_named_with_its_place(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_registry(county(tmp_path, duty=f"roster,day,shift,people\n{row}\n"))
    assert said in str(caught.value)


def test_two_rosters_for_one_role_of_one_area_are_refused(tmp_path: Path) -> None:
    second = ROSTERS[ROSTERS.index("  - id") :].replace("id: town", "id: town2")
    with pytest.raises(ConfigurationError, match=r"town2: township\.leader_on_duty of 990121101000 has the roster 'town' already"):
        load_registry(county(tmp_path, rosters=ROSTERS + second))
