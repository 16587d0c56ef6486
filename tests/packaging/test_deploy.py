"""What an operator is given beside the engine: settings of the broker, of Prometheus and of Grafana."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from dispatcher.upkeep.metrics import Metrics
from tests.packaging.conftest import ROOT
from tests.services.mosquitto import Mosquitto

DEPLOY = ROOT / "deploy"
DASHBOARDS = sorted((ROOT / "config" / "grafana" / "dashboards").glob("*.json"))
SUFFIXES = re.compile(r"_(total|bucket|sum|count|created)$")


def _declared() -> dict[str, set[str]]:
    """Every metric of the engine with its labels."""
    families = (value for value in vars(Metrics()).values() if isinstance(value, MetricWrapperBase))
    declared = {SUFFIXES.sub("", family._name): set(family._labelnames) for family in families}
    return declared | {family.name: set(family._labelnames) for family in Metrics().lags.collect()}


def _faults(expression: str) -> list[str]:
    """Metrics and labels of an expression that the engine does not have."""
    declared = _declared()
    names = {SUFFIXES.sub("", name) for name in re.findall(r"\bdispatcher_[a-z0-9_]+", expression)}
    labels = {label.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(",")}
    labels |= set(re.findall(r"[{,](\w+)=", expression))
    unknown = sorted(names - set(declared))
    known = {"le", "job"}.union(*(declared[name] for name in names & set(declared)))
    return [*unknown, *sorted(labels - known)]


def _panels(path: Path) -> list[dict[str, Any]]:
    panels: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["panels"]
    return panels


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_shows_only_metrics_that_the_engine_has(path: Path) -> None:
    expressions = [target["expr"] for panel in _panels(path) for target in panel.get("targets", ())]
    assert expressions
    assert {e: faults for e in expressions if (faults := _faults(e))} == {}


def test_an_alert_looks_only_at_metrics_that_the_engine_has() -> None:
    groups = yaml.safe_load((DEPLOY / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    expressions = [rule["expr"] for group in groups for rule in group["rules"]]
    assert expressions
    assert {e: faults for e in expressions if (faults := _faults(e))} == {}


def test_a_metric_or_a_label_that_the_engine_does_not_have_is_found() -> None:
    assert _faults("sum by (colour) (rate(dispatcher_floods_total[1m]))") == ["dispatcher_floods", "colour"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_asks_the_data_source_that_is_provided_and_no_panel_covers_another(path: Path) -> None:
    sources = yaml.safe_load((DEPLOY / "grafana" / "datasources" / "prometheus.yaml").read_text(encoding="utf-8"))
    uids = {source["uid"] for source in sources["datasources"]}
    cells: set[tuple[int, int]] = set()
    for panel in _panels(path):
        assert panel["type"] == "row" or panel["datasource"]["uid"] in uids
        at = panel["gridPos"]
        covered = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not covered & cells, panel["title"]
        cells |= covered
    assert max(x for x, _ in cells) < 24


def test_prometheus_looks_for_the_engine_where_the_compose_file_has_it() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus.yml").read_text(encoding="utf-8"))
    (job,) = config["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["dispatcher:8080"]}]
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    token = Path(job["authorization"]["credentials_file"])
    assert token.parent == Path("/run/secrets")
    assert services["prometheus"]["secrets"] == [token.name]


def _lines() -> tuple[str, ...]:
    """The broker's settings without the lines that say where, which a test decides."""
    text = (DEPLOY / "mosquitto.conf").read_text(encoding="utf-8")
    keep = [line for line in text.splitlines() if line and not line.startswith(("#", "listener", "persistence", "log_dest"))]
    return tuple(line for line in keep if line.split()[0] not in {"set_tcp_nodelay", "max_inflight_messages", "max_queued_messages"})


def test_a_real_mosquitto_starts_with_the_settings_we_recommend(mosquitto_with: Callable[..., Mosquitto]) -> None:
    broker = mosquitto_with(*_lines())
    assert broker.pid
    assert "Error" not in broker.log.read_text(encoding="utf-8")


def test_the_settings_we_recommend_hold_more_than_mosquitto_would_by_itself() -> None:
    lines = (DEPLOY / "mosquitto.conf").read_text(encoding="utf-8").splitlines()
    settings = dict(line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))
    assert settings["persistence"] == "true"
    assert int(settings["max_inflight_messages"]) >= 500
    assert settings["max_queued_messages"] == "0"
