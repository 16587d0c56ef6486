"""A drill that plays a storm, in an engine that is killed in the middle of it: it goes on, and decides what it would have decided."""

import json
import time
from pathlib import Path

import httpx

from dispatcher.drills.script import foreseen
from dispatcher.drills.storms import AtWork, Storms
from dispatcher.files.countyfiles import load_county_files
from dispatcher.intake.basis import areas_of, entries_of
from dispatcher.intake.catalogue import catalogue
from tests.integration.installation import COUNTY, Installation
from tests.integration.programs import Programs, ledger, rows

STORM = "before-the-season.scenario.yaml:cloudburst upstream"
SPEED = 120.0
PLAN = {"title": "汛前演练", "areas": ["990121101000"], "minutes": 60, "storm": STORM, "speed": SPEED}
DONE = "SELECT done_at, ends_at FROM drill_scripts"


def expected() -> list[tuple[str, int]]:
    """What the sample's rules make of the storm, by themselves."""
    files = load_county_files(COUNTY)
    known = catalogue(entries_of(files.registry), areas_of(files.registry))
    script = Storms(COUNTY / "drills", lambda: AtWork(files.plan, known)).read(STORM, SPEED)
    return [(c.place, int(c.after)) for c in foreseen(files.plan, script)]


def decided(database: Path) -> list[tuple[str, int]]:
    return [
        (row["place"], row["after"]) for row in rows(database, "SELECT place, after FROM changes WHERE status = 'Exercise' ORDER BY seq")
    ]


def test_a_storm_of_a_drill_goes_on_after_a_power_cut_and_nothing_of_it_is_half(programs: Programs) -> None:
    site = Installation(programs)
    headers = site.token("releasing_officer")
    site.start_town()
    engine = site.start()
    assert STORM in httpx.get(f"{site.url}/api/v1/drills/storms", headers=headers).json()
    made = httpx.post(f"{site.url}/api/v1/drills", json=PLAN, headers=headers)
    assert made.status_code == 201, made.text
    engine.until(lambda: decided(site.database), "a first change of the storm")
    engine.kill()
    half = decided(site.database)
    assert 0 < len(half) < len(expected()), "it was killed in the middle"
    time.sleep(1)  # the storm goes on outside
    engine = site.start()
    engine.until(lambda: [r for r in rows(site.database, DONE) if r["done_at"] == r["ends_at"]], "the end of the storm")
    assert decided(site.database) == expected()
    engine.until(lambda: site.told() and not site.unsettled(), "everything is out")
    report = httpx.get(f"{site.url}/api/v1/drills/{made.json()['id']}/report", headers=headers).json()
    assert report["storm"]["played_min"] == report["storm"]["whole_min"]
    page = httpx.get(f"{site.url}/drills/{made.json()['id']}/report", headers=headers).text
    assert "<svg" in page
    assert "flash-flood-rain: r1h" in page
    assert httpx.get(f"{site.url}/cap/feed.atom").text.count("<entry>") == 0
    texts = [entry["body"] for entry in ledger(site.ledger) if entry["kind"] == "sms.accepted"]
    assert texts
    assert all("演练" in text or "EXERCISE" in text for text in texts), json.dumps(texts[:3], ensure_ascii=False)
