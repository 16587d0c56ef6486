"""The rules of a real engine, changed and spoken to while it runs; and forecasts that come in by HTTP and MQTT."""

import asyncio
import json
import shutil
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
import pytest
import yaml

from tests.integration.installation import COUNTY, RIVER, Installation, body, reading
from tests.integration.programs import Programs, Running, rows
from tests.services.mosquitto import Mosquitto

VILLAGE = "990121102205"
FORECAST = """
rules:
- rule: forecast-rain
  version: 1
  title: 短临降雨预报预警
  hazard: flash-flood
  for_each: village
  inputs:
    p50: fc_prob(rain, window=6h, at_least=50, lead=0h..24h)
  ladder:
    blue: p50 >= 0.4
    yellow: p50 >= 0.6
  raise: at_once
  lower: {when: p50 < 0.3, for: 2 runs, to: computed}
  no_data: {after: 8h, grade: expire, tell: duty-room}
"""
ASKING = "lower: {when: z < warn - 0.2 and rise <= 0, for: 0s, to: computed, ask: duty-room}"


def own_county(installed: Installation, **more: object) -> Path:
    """A county of its own, so that its rules can be changed."""
    county = installed.folder / "county"
    shutil.copytree(COUNTY, county)
    deployment = yaml.safe_load(installed.config.read_text("utf-8")) | {"county": "county"} | more
    installed.config.write_text(yaml.safe_dump(deployment), "utf-8")
    return county


def forecast(probability: float, run: int) -> dict[str, Any]:
    """Of the run that was issued at so many minutes past an hour ago; all of them speak of the same six hours."""
    begun = datetime.now(UTC) - timedelta(hours=1)
    hour = begun.replace(minute=0, second=0, microsecond=0) + timedelta(hours=3)
    return {
        "source": "nowcast", "issued_at": (begun + timedelta(minutes=run)).isoformat(), "place": VILLAGE, "variable": "rain",
        "valid_from": hour.isoformat(), "valid_to": (hour + timedelta(hours=6)).isoformat(),
        "exceedance": [{"threshold": 50, "probability": probability}],
    }  # fmt: skip


def changes(installed: Installation) -> list[tuple[Any, ...]]:
    return [tuple(r) for r in rows(installed.database, "SELECT rule, place, before, after FROM changes ORDER BY seq")]


def activations(installed: Installation) -> list[str]:
    return [r["actor"] for r in rows(installed.database, "SELECT actor FROM rule_activations ORDER BY seq")]


def send(installed: Installation, header: dict[str, str], path: str, *items: dict[str, Any]) -> None:
    answer = httpx.post(f"{installed.url}/api/v1/{path}", content=body(*items), headers=header, timeout=30)
    assert answer.status_code == 202, answer.text


def lowered(text: str, by_m: float) -> str:
    """The thresholds of the river, each lower by so much."""
    head, *lines = text.splitlines()
    return "\n".join([head, *(",".join(_less(cell, by_m) for cell in line.split(",")) for line in lines)]) + "\n"


def _less(cell: str, by_m: float) -> str:
    try:
        return f"{float(cell) - by_m:.2f}"
    except ValueError:
        return cell


def test_a_table_that_is_edited_in_mid_flood_decides_from_then_on_by_signal_and_a_bad_one_does_not(programs: Programs) -> None:
    installed = Installation(programs)
    county = own_county(installed, watch_files_s=0)
    header = installed.token()
    engine = installed.start()
    send(installed, header, "readings", reading(212.0))
    table = county / "rules" / "thresholds" / "river_levels.csv"
    right = table.read_text("utf-8")
    table.write_text(right.replace("station", "statoin"), "utf-8")
    engine.signal(signal.SIGHUP)
    engine.until(lambda: "new files refused" in httpx.get(f"{installed.url}/readyz").text, "a word on the bad table")
    assert httpx.get(f"{installed.url}/readyz").status_code == 200, "the old rules do their job"
    assert installed.metrics()["dispatcher_rules_refused"] == 1
    table.write_text(lowered(right, 20), "utf-8")
    engine.signal(signal.SIGHUP)
    engine.until(lambda: activations(installed) == ["start", "signal"], "the new table")
    engine.kill()
    assert changes(installed) == []
    installed.start()
    send(installed, header, "readings", reading(212.0))
    assert changes(installed) == [("river-level", RIVER, 0, 4)]
    assert activations(installed) == ["start", "signal"]


def test_files_are_watched_and_an_administrator_can_have_them_read_at_once(programs: Programs) -> None:
    installed = Installation(programs)
    county = own_county(installed, watch_files_s=0.2)
    officer, admin = installed.token("duty_officer"), installed.token("administrator")
    engine = installed.start()
    rule = county / "rules" / "river-level.yaml"
    rule.write_text(rule.read_text("utf-8").replace("version: ", "version: 9"), "utf-8")
    engine.until(lambda: activations(installed) == ["start", "files"], "the file that was changed")
    assert httpx.post(f"{installed.url}/api/v1/rules/reload", headers=officer).status_code == 403
    token = {"DISPATCHER_TOKEN": admin["Authorization"].removeprefix("Bearer ")}
    ran = programs.run("rules", "reload", "--url", installed.url, "--json", environment=token)
    assert ran.code == 0, ran.err
    assert ran.summary["activated"] is False
    shown = httpx.get(f"{installed.url}/api/v1/rules", headers=officer).json()
    assert [a["by"] for a in shown["activations"]] == ["files", "start"]
    assert shown["refused"] is None
    assert "river-level" in {r["rule"] for r in shown["rules"]}


def test_a_lowering_that_is_proposed_waits_for_the_word_of_a_duty_officer(programs: Programs) -> None:
    installed = Installation(programs)
    county = own_county(installed, watch_files_s=0)
    rule = county / "rules" / "river-level.yaml"
    text = rule.read_text("utf-8")
    at = text.index("  lower:")
    rule.write_text(text[:at] + "  " + ASKING + "\n" + text[text.index("\n", at) + 1 :], "utf-8")
    gauges, officer = installed.token(), installed.token("duty_officer")
    installed.start()
    ago = datetime.now(UTC) - timedelta(minutes=100)
    readings = [reading(level, time=(ago + timedelta(minutes=5 * n)).isoformat()) for n, level in enumerate([218.9] + [200.0] * 19)]
    send(installed, gauges, "readings", *readings)
    assert changes(installed) == [("river-level", RIVER, 0, 4)]
    tasks = httpx.get(f"{installed.url}/api/v1/tasks", headers=officer).json()["items"]
    asked = next(t for t in tasks if t["kind"] == "confirm")
    proposed = httpx.get(f"{installed.url}/api/v1/rules/places?proposed=true", headers=officer).json()["items"]
    assert [(p["place"], p["grade"], p["proposed"]) for p in proposed] == [(RIVER, "red", "none")]
    assert httpx.post(f"{installed.url}/api/v1/tasks/{asked['seq']}/confirm", headers=gauges).status_code == 403
    assert httpx.post(f"{installed.url}/api/v1/tasks/{asked['seq']}/confirm", headers=officer).status_code == 204
    assert changes(installed)[-1] == ("river-level", RIVER, 4, 0)
    assert httpx.post(f"{installed.url}/api/v1/tasks/{asked['seq']}/confirm", headers=officer).status_code == 404
    token = {"DISPATCHER_TOKEN": officer["Authorization"].removeprefix("Bearer ")}
    again = programs.run("rules", "confirm", "river-level", RIVER, "--url", installed.url, environment=token)
    assert (again.code, "does not propose" in again.err) == (1, True)


@pytest.fixture
def forecasting(programs: Programs, mosquitto_with: Callable[..., Mosquitto]) -> tuple[Installation, Running, dict[str, str]]:
    installed = Installation(programs, sources={"mqtt": {"adapter": "mqtt", "port": mosquitto_with().port, "forecasts": ["forecasts/#"]}})
    county = own_county(installed, watch_files_s=0)
    (county / "rules" / "forecast-rain.yaml").write_text(FORECAST, "utf-8")
    header = installed.token()
    return installed, installed.start(), header


def test_a_forecast_becomes_a_change_whichever_way_it_comes_and_two_newer_runs_end_it(
    forecasting: tuple[Installation, Running, dict[str, str]],
) -> None:
    installed, engine, header = forecasting
    send(installed, header, "forecasts", forecast(0.5, 10))
    assert changes(installed) == [("forecast-rain", VILLAGE, 0, 1)]

    async def publish(*items: dict[str, Any]) -> None:
        async with aiomqtt.Client("127.0.0.1", installed.sources["mqtt"]["port"], identifier="model") as client:
            for item in items:
                await client.publish("forecasts/nowcast", json.dumps(item), qos=1)

    asyncio.run(publish(forecast(0.7, 20)))
    engine.until(lambda: changes(installed)[-1] == ("forecast-rain", VILLAGE, 1, 2), "yellow by MQTT")
    asyncio.run(publish(forecast(0.1, 30)))
    time.sleep(1.1)  # runs that come within one second are one moment to the rules
    asyncio.run(publish(forecast(0.1, 40)))
    engine.until(lambda: changes(installed)[-1] == ("forecast-rain", VILLAGE, 2, 0), "the end by two runs that agree")
