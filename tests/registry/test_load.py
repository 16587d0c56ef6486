"""What is loaded, and that every mistake is named with its place."""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from dispatcher.errors import ConfigurationError
from dispatcher.registry.load import load_registry
from dispatcher.registry.model import Measure
from tests.registry.tables import GOOD, edited, write


def problems(directory: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_registry(directory)
    return [str(problem) for problem in caught.value.problems]


def test_a_county_is_read_with_names_and_lookups_in_both_languages(tmp_path: Path) -> None:
    registry = load_registry(write(tmp_path))
    assert registry.name_of("990121101201", "zh") == "河口村"
    assert registry.name_of("990121101201", "en") == "Hekou Village"
    assert registry.name_of("R1", "en") == "Hekou rain gauge"
    assert registry.name_of("unknown", "zh") == "unknown"
    assert [link.village for link in registry.villages_of_station("R1")] == ["990121101201", "990121101202"]
    assert registry.villages_of_station("R1")[0].travel_time == timedelta(minutes=10)
    assert registry.township_of("990121101202").name == "石潭镇"
    assert [v.name for v in registry.villages_of_township("990121101000")] == ["河口村", "长滩村"]
    assert [s.id for s in registry.speakers_of("990121101201")] == ["spk-1"]
    assert registry.speakers_of("990121101202") == ()
    assert [c.id for c in registry.contacts_with_phone("+447700900002")] == ["c2"]
    assert [(v.name, v.kind, v.interval) for v in registry.stations["Z1"].variables] == [
        ("level", Measure.INSTANT, timedelta(minutes=5)),
        ("discharge", Measure.INSTANT, timedelta(minutes=10)),
    ]


@pytest.mark.parametrize(
    ("role", "found"),
    [("village.head", ["c2"]), ("township.leader_on_duty", ["c3"]), ("county.duty_room", ["c4"]), ("village.deputy", [])],
    ids=["in the village", "in its township", "in the county", "nobody"],
)
def test_a_role_is_sought_in_the_area_its_first_word_names(tmp_path: Path, role: str, found: list[str]) -> None:
    assert [c.id for c in load_registry(write(tmp_path)).resolve(role, "990121101202")] == found


def test_shelter_and_issuer_fall_back_to_the_local_text(tmp_path: Path) -> None:
    registry = load_registry(write(tmp_path))
    assert registry.shelter_of("990121101201", "en") == "Hekou School"
    assert registry.shelter_of("990121101202", "en") == ""
    assert registry.issuer("zh") == "云岭县"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_a_table_may_be_utf_8_with_or_without_mark_or_gbk(tmp_path: Path, encoding: str) -> None:
    write(tmp_path)
    plain = load_registry(tmp_path)
    (tmp_path / "villages.csv").write_bytes(GOOD["villages.csv"].replace("\n", "\r\n").encode(encoding))
    again = load_registry(tmp_path)
    assert again.villages == plain.villages
    assert again.digest == plain.digest


def test_the_digest_changes_with_any_cell(tmp_path: Path) -> None:
    before = load_registry(write(tmp_path)).digest
    assert load_registry(write(tmp_path, speakers=edited("speakers.csv", "村部", "村口"))).digest != before


MISTAKES = [
    ("areas", "990121000000,township", "990199000000,township", "areas.csv:3:14: parent: '990199000000' is not in areas.csv"),
    ("areas", "990121101000,990121000000", "990121101201,990121000000", "is not the code of a township: it must end in 000"),
    ("areas", "township,石", "hamlet,石", "areas.csv:3:27: level: unknown level 'hamlet'; allowed: county, township"),
    ("villages", "990121101201,河", "99012110120,河", "villages.csv:2:1: code: bad code '99012110120'; allowed: 12 digits"),
    ("villages", "990121101202,长", "990121101201,长", "villages.csv:3:1: code: '990121101201' is given twice; first in line 2"),
    ("villages", "990121101202,长", "990121102202,长", "does not lie in its township '990121101000'"),
    ("villages", "26.3", "126.3", "villages.csv:3:48: lat: bad number '126.3'; allowed: a number from -90 to 90"),
    ("villages", "600,,", "600,", "villages.csv:3: the row has 8 cells; the heading has 9"),
    ("villages", "population", "people", "villages.csv:1: column missing: 'population'; allowed columns: code, name"),
    ("contacts", "+447700900001", "07700900001", "contacts.csv:2:49: phone: not an E.164 number"),
    ("contacts", "c2,", "c1,", "contacts.csv:3:1: id: 'c1' is given twice; first in line 2"),
    ("contacts", "en,sms", "fr,sms", "language: unknown language 'fr'; allowed by county.yaml: zh, en"),
    ("contacts", "en,sms", "en,pigeon", "channels: unknown channel 'pigeon'; allowed: sms, voice, chat, duty_room"),
    ("contacts", "village.head,990121101202", "village.head,990121101299", "area: '990121101299' is not in villages.csv"),
    ("contacts", "village.head,990121101202", "head,990121101202", "role: bad role 'head'; allowed: county, township or village"),
    ("stations", "rain:increment:5m", "rain:sum:5m", "bad variable 'rain:sum:5m'; allowed: name:kind:interval"),
    ("stations", "rain:increment:5m", "rain:increment:5", "interval of rain: '5' is not a length of time"),
    ("links", "Z1,", "Z9,", "links.csv:4:1: station: 'Z9' is not in stations.csv; there are 2: R1, Z1"),
    ("links", "R1,990121101202", "R1,990121101299", "links.csv:2:4: village: '990121101299' is not in villages.csv"),
    ("speakers", "990121101201", "990121101299", "speakers.csv:2:7: village: '990121101299' is not in villages.csv"),
    ("county", "Asia/Shanghai", "Asia/Nowhere", "county.yaml:4:11: unknown time zone 'Asia/Nowhere'"),
    ("county", "timezone", "time_zone", "unknown key 'time_zone'; allowed: code, name, name_en, timezone"),
    ("county", "name: 云岭县", "name: [云岭县", "county.yaml:3:8: not YAML"),
    ("county", "'990121000000'", "990121", "is not the county of county.yaml, '990121'"),
]


@pytest.mark.parametrize(("table", "old", "new", "said"), MISTAKES, ids=[f"{m[0]}: {m[2]}" for m in MISTAKES])
def test_a_mistake_is_named_with_file_line_and_what_is_allowed(tmp_path: Path, table: str, old: str, new: str, said: str) -> None:
    name = "county.yaml" if table == "county" else f"{table}.csv"
    found = problems(write(tmp_path, **{table: edited(name, old, new)}))
    assert any(said in problem for problem in found), found


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    found = problems(
        write(
            tmp_path,
            villages=edited("villages.csv", "26.3", "north"),
            contacts=edited("contacts.csv", "en,sms", "en,smoke"),
            links=edited("links.csv", "Z1,", "Z9,"),
        )
    )
    assert [problem.partition(":")[0] for problem in found] == ["villages.csv", "contacts.csv", "links.csv"]


def test_a_village_that_nobody_can_reach_is_refused(tmp_path: Path) -> None:
    only = "\n".join(line for line in GOOD["contacts.csv"].splitlines() if not line.startswith("c2")) + "\n"
    assert "villages.csv:3:1: code: village '990121101202' has no contact" in problems(write(tmp_path, contacts=only))[0]


def test_a_phone_number_is_never_repeated_in_a_message(tmp_path: Path) -> None:
    assert "07700900001" not in " ".join(problems(write(tmp_path, contacts=edited("contacts.csv", "+447700900001", "07700900001"))))


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "links.csv").unlink()
    assert problems(tmp_path) == ["links.csv: the file is missing"]


def test_bytes_in_no_known_encoding_are_named_with_their_line(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "speakers.csv").write_bytes(b"id,village,name\nspk-1,990121101201,\xff\xff\n")
    assert "speakers.csv:2: the text is neither UTF-8 nor GBK; save the file as UTF-8" in problems(tmp_path)


def test_ten_thousand_villages_and_thirty_thousand_contacts_are_read_whole(tmp_path: Path) -> None:
    townships = [f"990121{100 + n}000" for n in range(100)]
    codes = [f"{township[:9]}{200 + n}" for township in townships for n in range(100)]
    heading = {name: text.splitlines()[0] for name, text in GOOD.items()}
    areas = [f"{t},990121000000,township,镇,Town" for t in townships]
    villages = [f"{c},村{c},Village {c},{c[:9]}000,26.2,111.4,500,小学,School" for c in codes]
    contacts = [
        f"c{n}-{c},陈,Chen,{role},{c},+4477009{n}{i:05d},zh,sms"
        for i, c in enumerate(codes)
        for n, role in enumerate(("village.head", "village.warden", "village.deputy"))
    ]
    write(
        tmp_path,
        areas="\n".join([heading["areas.csv"], *areas]),
        villages="\n".join([heading["villages.csv"], *villages]),
        contacts="\n".join([heading["contacts.csv"], *contacts]),
        links="\n".join([heading["links.csv"], *(f"R1,{c},10" for c in codes)]),
        speakers="\n".join([heading["speakers.csv"], *(f"spk-{c},{c},村部" for c in codes)]),
    )
    start = time.perf_counter()
    registry = load_registry(tmp_path)
    print(f"10,000 villages in {time.perf_counter() - start:.2f} s")  # noqa: T201 a figure to look at, never a condition
    assert (len(registry.villages), len(registry.contacts), len(registry.speakers)) == (10_000, 30_000, 10_000)
    assert len(registry.villages_of_station("R1")) == 10_000
