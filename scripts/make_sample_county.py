"""Writes the tables of the invented county under config/sample. Deterministic: the same script gives the same files.

Codes begin with 9901, which no province has (GB/T 2260). Persons are invented from lists of surnames and given names;
numbers are from +447700900000 to +447700900999, which are reserved for fiction.

    python -m scripts.make_sample_county [DIRECTORY]
"""

import csv
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from math import cos, hypot, radians, sin
from pathlib import Path

from scripts.design_storm import Gauge, River, storm_rows

COUNTY = "990121000000"
SEAT = (26.240, 111.420)
KM_PER_DEGREE = 111.2
FLOOD_WAVE_KM_PER_MIN = 0.15  # 2.5 m/s, a fast small stream
BACKWATER_KM = 2.0  # so far up its streams the main river pushes
ENGLISH_WARDEN = 4
SLOPE_TIME_MIN = 8  # from rain on the slope to water in the gully


@dataclass(frozen=True)
class Valley:
    """One township along its stream: it leaves the seat in ``bearing`` degrees and climbs for ``length`` km.

    ``villages`` are listed from the mouth up, each with its two names.
    """

    code: str
    name: str
    name_en: str
    stream: str
    stream_en: str
    bearing: float
    length: float
    villages: str


@dataclass(frozen=True)
class Place:
    """A village on its stream; ``above`` is km of stream from the seat."""

    code: str
    name: str
    name_en: str
    valley: Valley
    above: float
    at: tuple[float, float]
    number: int


VALLEYS = (
    Valley(
        "990121101000", "石潭镇", "Shitan Town", "石潭河", "Shitan Stream", 320, 21,
        (
            "河口村 Hekou, 长滩村 Changtan, 石桥头村 Shiqiaotou, 下坪村 Xiaping, 枫树坳村 Fengshu'ao, 水碓村 Shuidui, 岩背村 Yanbei, "
            "杨梅冲村 Yangmeichong, 黄泥塘村 Huangnitang, 鹰嘴岩村 Yingzuiyan, "
            "上坪村 Shangping, 老屋场村 Laowuchang, 云盘村 Yunpan, 源头村 Yuantou"
        ),
    ),
    Valley(
        "990121102000", "双河镇", "Shuanghe Town", "双河", "Shuang River", 20, 18,
        (
            "双河村 Shuanghe, 大湾村 Dawan, 桃花渡村 Taohuadu, 樟木村 Zhangmu, 沙洲村 Shazhou, 金竹村 Jinzhu, 梅子坪村 Meiziping, "
            "洞口桥村 Dongkouqiao, 青石板村 Qingshiban, 白果村 Baiguo, 牛角冲村 Niujiaochong, 高寨村 Gaozhai, 天池村 Tianchi"
        ),
    ),
    Valley(
        "990121201000", "竹坪乡", "Zhuping Township", "竹溪", "Zhu Creek", 85, 16,
        (
            "竹坪村 Zhuping, 溪口村 Xikou, 田心村 Tianxin, 油榨村 Youzha, 龙头村 Longtou, 马鞍村 Ma'an, 荷叶塘村 Heyetang, "
            "苦竹冲村 Kuzhuchong, 火石坳村 Huoshi'ao, 麻石村 Mashi, 杉木坪村 Shanmuping, 雷打石村 Leidashi, 界牌村 Jiepai"
        ),
    ),
)  # fmt: skip

RAIN_AT = (0.15, 0.42, 0.70, 0.95)  # shares of a valley's length, from the mouth up
RAIN_NAMES = (("河口", "mouth"), ("中游", "middle"), ("上游", "upper"), ("源头", "head"))

SURNAMES = (
    ("陈", "Chen"), ("李", "Li"), ("周", "Zhou"), ("唐", "Tang"), ("蒋", "Jiang"), ("何", "He"), ("邓", "Deng"), ("谭", "Tan"),
    ("欧阳", "Ouyang"), ("彭", "Peng"), ("莫", "Mo"), ("盘", "Pan"), ("赵", "Zhao"),
)  # fmt: skip
GIVEN = (
    ("春生", "Chunsheng"), ("桂英", "Guiying"), ("建国", "Jianguo"), ("秀兰", "Xiulan"), ("志明", "Zhiming"), ("水清", "Shuiqing"),
    ("玉梅", "Yumei"), ("大山", "Dashan"), ("冬莲", "Donglian"), ("国栋", "Guodong"), ("满香", "Manxiang"), ("石根", "Shigen"),
    ("晓燕", "Xiaoyan"), ("永福", "Yongfu"), ("田妹", "Tianmei"), ("荣华", "Ronghua"), ("小满", "Xiaoman"),
)  # fmt: skip

SHELTERS = (
    ("{}小学", "{} Primary School"), ("{}村部后山", "the hill behind {} village office"), ("{}祠堂坪", "{} Ancestral Hall yard"),
    ("{}文化广场", "{} Square"),
)  # fmt: skip

WAYS = (
    ("沿村道向上，不走河边", "up the village road, not along the stream"),
    ("走后山石阶，不过桥", "up the steps behind the houses, not over the bridge"),
    ("沿机耕道向高处走", "along the field track to high ground"),
)
SHELTER_KM = 0.25


def at(valley: Valley, above: float, aside: float = 0.0) -> tuple[float, float]:
    """A point ``above`` km up the stream and ``aside`` km to its right, in degrees."""
    turn = radians(valley.bearing)
    north, east = above * cos(turn) - aside * sin(turn), above * sin(turn) + aside * cos(turn)
    return SEAT[0] + north / KM_PER_DEGREE, SEAT[1] + east / (KM_PER_DEGREE * cos(radians(SEAT[0])))


def km_between(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Distance of two near points in km."""
    return hypot((a[0] - b[0]) * KM_PER_DEGREE, (a[1] - b[1]) * KM_PER_DEGREE * cos(radians(SEAT[0])))


def places() -> list[Place]:
    """All villages, valley by valley, from the mouth up."""
    found: list[Place] = []
    for valley in VALLEYS:
        names = valley.villages.split(", ")
        for index, both in enumerate(names):
            name, name_en = both.split()
            above = valley.length * (index + 0.6) / len(names)
            point = at(valley, above, 0.35 * (-1) ** index)
            found.append(Place(f"{valley.code[:9]}{201 + index}", name, f"{name_en} Village", valley, above, point, len(found)))
    return found


def villages() -> Iterable[Sequence[object]]:
    """Rows of villages.csv."""
    for p in places():
        short, short_en = p.name.removesuffix("村"), p.name_en.removesuffix(" Village")
        shelter, shelter_en = SHELTERS[p.number % len(SHELTERS)]
        people = 380 + (p.number * 397) % 1500
        lat, lon = (f"{x:.5f}" for x in p.at)
        yield p.code, p.name, p.name_en, p.valley.code, lat, lon, people, shelter.format(short), shelter_en.format(short_en)


def person(number: int) -> tuple[str, str]:
    """An invented name; 13 × 17 names before one comes again."""
    surname, given = SURNAMES[number % len(SURNAMES)], GIVEN[number % len(GIVEN)]
    return surname[0] + given[0], f"{given[1]} {surname[1]}"


def contacts() -> Iterable[Sequence[object]]:
    """Rows of contacts.csv: three people per village, a deputy in two of five, and those on duty above them."""
    number = count(1)

    def row(role: str, area: str, channels: str = "sms", language: str = "zh") -> Sequence[object]:
        n = next(number)
        name, name_en = person(n)
        return f"c{n:03d}", name, name_en, role, area, f"+447700900{n:03d}", language, channels

    yield ("duty-room", "县防办值班室", "County duty room", "county.duty_room", COUNTY, "+447700900000", "zh", "duty_room")
    yield row("county.leader_on_duty", COUNTY)
    yield row("county.leader_on_duty", COUNTY, language="en")
    for valley in VALLEYS:
        yield row("township.leader_on_duty", valley.code)
        yield row("township.leader_on_duty", valley.code)
    for p in places():
        yield row("village.party_secretary", p.code)
        yield row("village.head", p.code)
        # Every ninth village has a warden who reads English, so that both languages are seen at work.
        yield row("village.warden", p.code, language="en" if p.number % 9 == ENGLISH_WARDEN else "zh")
        if p.number % 5 in {0, 3}:
            yield row("village.deputy", p.code)


def people_of(village: str) -> dict[str, str]:
    """Role to contact's id, of one village."""
    return {str(row[3]): str(row[0]) for row in contacts() if row[4] == village}


def speakers() -> Iterable[Sequence[object]]:
    """Rows of speakers.csv: one at the village office, a second in large villages; two villages have none, a gap to be seen."""
    for p in places():
        warden = people_of(p.code)["village.warden"]
        if p.name in {"老屋场村", "火石坳村"}:
            continue
        yield f"spk-{p.code}-1", p.code, "村部", warden
        if p.number % 4 == 1:
            yield f"spk-{p.code}-2", p.code, "村口", warden


def shelters() -> Iterable[Sequence[object]]:
    """Rows of shelters.csv: the shelter that villages.csv names, above the village; the warden has its key."""
    for p in places():
        shelter, shelter_en = SHELTERS[p.number % len(SHELTERS)]
        short, short_en = p.name.removesuffix("村"), p.name_en.removesuffix(" Village")
        lat, lon = at(p.valley, p.above + SHELTER_KM, SHELTER_KM)
        capacity = 200 + (p.number * 131) % 400
        names = shelter.format(short), shelter_en.format(short_en)
        yield f"sh-{p.code}", p.code, *names, f"{lat:.5f}", f"{lon:.5f}", capacity, people_of(p.code)["village.warden"]


def routes() -> Iterable[Sequence[object]]:
    """Rows of routes.csv: away from the water and up."""
    for p in places():
        way, way_en = WAYS[p.number % len(WAYS)]
        yield p.code, "", f"sh-{p.code}", way, way_en, 8 + (p.number * 7) % 18


def households() -> Iterable[Sequence[object]]:
    """Rows of households.csv: one or two households in every third village; the helper is the village's head or deputy."""
    needs = ("独居老人", "行动不便", "孕妇", "视力障碍", "低龄儿童")
    for p in places():
        if p.number % 3:
            continue
        people = people_of(p.code)
        for n in range(1 + p.number % 2):
            name, _ = person(100 + p.number * 2 + n)
            helper = people.get("village.deputy", people["village.head"])
            yield (
                f"h-{p.code}-{n + 1}",
                p.code,
                ("一组", "二组")[n],
                name,
                f"{p.number + 3 + n}号",
                1 + (p.number + n) % 3,
                needs[(p.number + n) % 5],
                helper,
            )


def transfers() -> Iterable[Sequence[object]]:
    """Rows of transfers.csv: the head of the village brings the first group, its warden the second."""
    for p in places():
        people = people_of(p.code)
        for group, role, share in (("一组", "village.head", 31), ("二组", "village.warden", 23)):
            yield p.code, group, people[role], f"sh-{p.code}", share + p.number % 9


def rain_gauges() -> list[tuple[Gauge, Valley, float, str, str]]:
    """Gauges with their valley, km above the seat and both names."""
    found: list[tuple[Gauge, Valley, float, str, str]] = []
    for v, valley in enumerate(VALLEYS):
        for index, (share, (word, word_en)) in enumerate(zip(RAIN_AT, RAIN_NAMES, strict=True)):
            above = share * valley.length
            lat, lon = at(valley, above, -0.5)
            gauge = Gauge(f"990121R{v + 1}{index + 1}", lat, lon)
            found.append((gauge, valley, above, f"{valley.stream}{word}雨量站", f"{valley.stream_en} {word_en} rain gauge"))
    return found


def rivers() -> list[tuple[River, Valley | None, float, str, str]]:
    """River stations: one low in each valley, one on the main river at the seat."""
    found: list[tuple[River, Valley | None, float, str, str]] = []
    areas = (86.0, 64.0, 48.0)
    zeros = (212.0, 205.0, 198.0)
    for v, (valley, area, zero) in enumerate(zip(VALLEYS, areas, zeros, strict=True)):
        above = 0.30 * valley.length
        own = tuple(f"990121R{v + 1}{index}" for index in (2, 3, 4))
        lat, lon = at(valley, above)
        river = River(f"990121Z{v + 1}1", lat, lon, own, area, storage_h=1.1, delay_min=20, zero_m=zero, width_m=22.0)
        found.append((river, valley, above, f"{valley.stream}水文站", f"{valley.stream_en} level station"))
    every = tuple(f"990121R{v}{index}" for v in (1, 2, 3) for index in (1, 2, 3, 4))
    main = River("990121Z01", *SEAT, every, sum(areas) * 1.15, storage_h=2.4, delay_min=50, zero_m=182.0, width_m=70.0)
    found.append((main, None, 0.0, "云江县城水文站", "Yun River county seat level station"))
    return found


def stations() -> Iterable[Sequence[object]]:
    """Rows of stations.csv."""
    for gauge, _, _, name, name_en in rain_gauges():
        yield gauge.id, name, name_en, "rain_gauge", "rain:increment:5m", f"{gauge.lat:.5f}", f"{gauge.lon:.5f}"
    for river, _, _, name, name_en in rivers():
        yield river.id, name, name_en, "river_gauge", "level:instant:5m", f"{river.lat:.5f}", f"{river.lon:.5f}"


def links() -> Iterable[Sequence[object]]:
    """Rows of links.csv: the two rain gauges nearest upstream, and every level station upstream in the same valley."""
    for p in places():
        up = sorted((g for g in rain_gauges() if g[1] is p.valley), key=lambda g: abs(g[2] - p.above - 2.0))
        for gauge, _, above, _, _ in up[:2]:
            yield gauge.id, p.code, SLOPE_TIME_MIN + round(max(0.0, above - p.above) / FLOOD_WAVE_KM_PER_MIN)
        for river, valley, above, _, _ in rivers():
            if valley is p.valley and p.above <= above + 0.5:
                yield river.id, p.code, 5 + round(max(0.0, above - p.above) / FLOOD_WAVE_KM_PER_MIN)
            if valley is None and p.above <= BACKWATER_KM:
                yield river.id, p.code, 15


ROSTER = """\
  - id: {id}
    name: {name}带班领导
    name_en: {name_en}, leader on duty
    role: {role}
    area: "{area}"
    people: [{people}]
    turns: {turns}
    since: 2026-01-05
    patterns:
      - {{name: 汛期 flood season, from: 04-01, to: 09-30, shifts: {{day: "08:00-20:00", night: "20:00-08:00"}}}}
      - {{name: 工作日 workdays, days: workdays, shifts: {{office: "08:00-17:30", on_call: "17:30-08:00"}}}}
      - {{name: 节假日 days off, days: days_off, shifts: {{whole_day: "08:00-08:00"}}}}
"""


def rosters() -> str:
    """rosters.yaml: somebody leads in the county and in each township at every hour, in flood season by two shifts."""
    parts = [("county-leader", "云岭县", "Yunling County", "county.leader_on_duty", COUNTY, "week")]
    names = ("shitan", "shuanghe", "zhuping")
    parts += [(f"{n}-leader", v.name, v.name_en, "township.leader_on_duty", v.code, "day") for n, v in zip(names, VALLEYS, strict=True)]
    text = (
        "# Who leads when. Made by scripts/make_sample_county.py; the form is described in docs/registry.md.\n"
        "holidays: [2026-10-01..2026-10-07]\nworkdays: [2026-09-27, 2026-10-10]\nrosters:\n"
    )
    for id_, name, name_en, role, area, turns in parts:
        people = ", ".join(str(row[0]) for row in contacts() if row[3] == role and row[4] == area)
        text += ROSTER.format(id=id_, name=name, name_en=name_en, role=role, area=area, people=people, turns=turns)
    return text


def write(path: Path, heading: str, rows: Iterable[Sequence[object]]) -> None:
    """Write one table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(heading.split(","))
        table.writerows(rows)


def main(directory: Path) -> None:
    """Write every table and the design storm."""
    areas = [(COUNTY, "", "county", "云岭县", "Yunling County"), *((v.code, COUNTY, "township", v.name, v.name_en) for v in VALLEYS)]
    write(directory / "areas.csv", "code,parent,level,name,name_en", areas)
    write(directory / "villages.csv", "code,name,name_en,township,lat,lon,population,shelter,shelter_en", villages())
    write(directory / "contacts.csv", "id,name,name_en,role,area,phone,language,channels", contacts())
    write(directory / "stations.csv", "id,name,name_en,type,variables,lat,lon", stations())
    write(directory / "links.csv", "station,village,travel_time_min", links())
    write(directory / "speakers.csv", "id,village,name,owner", speakers())
    write(directory / "shelters.csv", "id,village,name,name_en,lat,lon,capacity,keeper", shelters())
    write(directory / "routes.csv", "village,group,shelter,way,way_en,walk_min", routes())
    write(directory / "households.csv", "id,village,part,name,address,people,needs,helper", households())
    write(directory / "transfers.csv", "village,group,contact,shelter,people", transfers())
    (directory / "rosters.yaml").write_text(rosters(), encoding="utf-8")
    storm = storm_rows([g[0] for g in rain_gauges()], [r[0] for r in rivers()])
    write(directory / "storm.csv", "station,variable,value,unit,time", storm)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "config" / "sample")
