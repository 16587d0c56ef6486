"""A small, correct county as texts, for tests that break one thing in it."""

from pathlib import Path

GOOD = {
    "county.yaml": "code: '990121000000'\nname: 云岭县\nname_en: Yunling County\ntimezone: Asia/Shanghai\nlanguages: [zh, en]\n",
    "areas.csv": (
        "code,parent,level,name,name_en\n990121000000,,county,云岭县,Yunling County\n"
        "990121101000,990121000000,township,石潭镇,Shitan Town\n"
    ),
    "villages.csv": (
        "code,name,name_en,township,lat,lon,population,shelter,shelter_en\n"
        "990121101201,河口村,Hekou Village,990121101000,26.2,111.4,500,河口小学,Hekou School\n"
        "990121101202,长滩村,Changtan Village,990121101000,26.3,111.4,600,,\n"
    ),
    "contacts.csv": (
        "id,name,name_en,role,area,phone,language,channels\n"
        "c1,陈春生,Chunsheng Chen,village.head,990121101201,+447700900001,zh,sms\n"
        "c2,李桂英,Guiying Li,village.head,990121101202,+447700900002,en,sms\n"
        "c3,周水清,Shuiqing Zhou,township.leader_on_duty,990121101000,+447700900003,zh,sms\n"
        "c4,值班室,Duty room,county.duty_room,990121000000,,zh,duty_room\n"
    ),
    "stations.csv": (
        "id,name,name_en,type,variables,lat,lon\n"
        "R1,河口雨量站,Hekou rain gauge,rain_gauge,rain:increment:5m,26.2,111.4\n"
        "Z1,石潭河站,Shitan station,river_gauge,level:instant:5m discharge:instant:10m,26.2,111.4\n"
    ),
    "links.csv": "station,village,travel_time_min\nR1,990121101202,30\nR1,990121101201,10\nZ1,990121101201,5\n",
    "speakers.csv": "id,village,name\nspk-1,990121101201,村部\n",
}


def write(directory: Path, **changed: str) -> Path:
    """Write the county, with some files replaced (``villages`` stands for ``villages.csv``)."""
    names = {name.partition(".")[0]: name for name in GOOD}
    for name, text in (GOOD | {names[key]: text for key, text in changed.items()}).items():
        (directory / name).write_text(text, encoding="utf-8")
    return directory


def edited(name: str, old: str, new: str) -> str:
    """One file of the county with one piece changed."""
    assert old in GOOD[name], f"{old!r} is not in {name}"
    return GOOD[name].replace(old, new)
