"""A county of any size for benchmarks: invented, written as the files an operator would write."""

import csv
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLE = Path(__file__).resolve().parent.parent / "config" / "sample"
_PER_TOWNSHIP = 500
_ROLES = ("village.party_secretary", "village.head", "village.warden")

RULE = """
rules:
- rule: bench-rain
  version: 1
  title: 雨量
  hazard: flash-flood
  for_each: rain_gauge
  issued_by: county
  mode: {mode}
  inputs: {{r1h: "sum(rain, 1h)", r3h: "sum(rain, 3h)", r6h: "sum(rain, 6h)", r24h: "sum(rain, 24h)"}}
  ladder:
    r1h:  [35, 45, 60, 80]
    r3h:  [55, 75, 100, 120]
    r6h:  [70, 95, 120, 150]
    r24h: [100, 130, 160, 200]
  raise: at_once
  lower: {{when: r3h < 30, for: 1h, to: computed}}
  no_data: {{after: 48h, grade: hold, tell: duty-room}}
  quality: {{range: [0, 200]}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How big. ``linked`` villages depend on the first station; ``mode`` is that of the one rule."""

    villages: int
    stations: int
    linked: int
    contacts: int = 3
    speakers: bool = True
    mode: str = "live"


def write_county(folder: Path, size: Size) -> Path:
    """Write it and give the folder back. Phones are of the unassigned country code +999."""
    shutil.copytree(SAMPLE / "templates", folder / "templates")
    shutil.copytree(SAMPLE / "policies", folder / "policies")
    shutil.copy(SAMPLE / "county.yaml", folder / "county.yaml")
    (folder / "rules").mkdir()
    (folder / "rules" / "bench.yaml").write_text(RULE.format(mode=size.mode), encoding="utf-8")
    codes = village_codes(size.villages)
    townships = sorted({code[:9] + "000" for code in codes})
    county = [("990121000000", "", "county", "云岭县", "Yunling County")]
    areas = [(t, "990121000000", "township", f"乡{t[6:9]}", f"Township {t[6:9]}") for t in townships]
    _table(folder / "areas.csv", "code,parent,level,name,name_en", [*county, *areas])
    villages = [(c, f"村{c[6:]}", f"Village {c[6:]}", c[:9] + "000", 26.2, 111.4, 400, "村小学", "the school") for c in codes]
    _table(folder / "villages.csv", "code,name,name_en,township,lat,lon,population,shelter,shelter_en", villages)
    _table(folder / "contacts.csv", "id,name,name_en,role,area,phone,language,channels", _contacts(codes, townships, size.contacts))
    stations = [(station(n), f"站{n}", f"Gauge {n}", "rain_gauge", "rain:increment:5m", 26.2, 111.4) for n in range(size.stations)]
    _table(folder / "stations.csv", "id,name,name_en,type,variables,lat,lon", stations)
    links = [(station(0 if n < size.linked else 1 + n % max(1, size.stations - 1)), c, 30) for n, c in enumerate(codes)]
    _table(folder / "links.csv", "station,village,travel_time_min", links)
    _table(folder / "speakers.csv", "id,village,name", [(f"spk-{c}", c, "村部") for c in codes] if size.speakers else [])
    return folder


def station(number: int) -> str:
    """The id of a station."""
    return f"B{number:06d}"


def village_codes(count: int) -> list[str]:
    """12-digit codes: townships 100 … 599, villages 200 … 699 in each."""
    return [f"990121{100 + n // _PER_TOWNSHIP:03d}{200 + n % _PER_TOWNSHIP:03d}" for n in range(count)]


def _contacts(codes: Sequence[str], townships: Sequence[str], per_village: int) -> Iterable[Sequence[object]]:
    yield ("duty-room", "值班室", "Duty room", "county.duty_room", "990121000000", "", "zh", "duty_room")
    yield ("leader", "县领导", "County leader", "county.leader_on_duty", "990121000000", "+99900000001", "zh", "sms")
    for n, township in enumerate(townships):
        yield (f"t{n}", "乡领导", "Township leader", "township.leader_on_duty", township, f"+9991{n:07d}", "zh", "sms")
    for n, code in enumerate(codes):
        for k, role in enumerate(_ROLES[:per_village]):
            yield (f"v{n}-{k}", "村干部", "Contact", role, code, f"+999{2 + k}{n:07d}", "zh", "sms")
        if n == 0:
            yield ("deputy", "副主任", "Deputy", "village.deputy", code, "+99900000002", "zh", "sms")


def _table(file: Path, header: str, rows: Iterable[Sequence[object]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(header.split(","))
        writer.writerows(rows)
