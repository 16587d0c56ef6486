"""The compose file: valid by the whole specification, and true of this checkout."""

import re
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml

from dispatcher.ports import Status
from dispatcher.settings import find_adapter, load_deployment, validated
from tests.packaging.conftest import ROOT

TEXT = (ROOT / "compose.yaml").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]


def _checked(text: str) -> compose_spec.PyCompose:
    compose = compose_spec.PyCompose.from_yaml(text)
    compose.validate()
    compose.to_spec()
    return compose


def test_it_is_valid() -> None:
    names = {"dispatcher", "mosquitto", "kafka", "postgres", "prometheus", "grafana"}
    assert set(_checked(TEXT).service_names()) == names


def test_the_check_refuses_a_key_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="restrat"):
        _checked(TEXT.replace("restart:", "restrat:", 1))


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_has_a_version(name: str) -> None:
    service = SERVICES[name]
    assert "build" in service or re.fullmatch(r"[a-z/-]+:v?\d[\w.]*", service["image"])


def test_every_file_it_mounts_is_in_the_checkout_and_every_volume_declared() -> None:
    declared = set(yaml.safe_load(TEXT)["volumes"])
    sources = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    assert {s for s in sources if not s.startswith(".")} == declared
    assert [s for s in sources if s.startswith(".") and not (ROOT / s).exists()] == []


def test_what_it_mounts_from_the_checkout_cannot_be_written() -> None:
    mounted = [volume for service in SERVICES.values() for volume in service.get("volumes", ()) if volume.startswith(".")]
    assert [volume for volume in mounted if not volume.endswith(":ro")] == []


def test_who_waits_for_another_waits_for_one_that_exists() -> None:
    for service in SERVICES.values():
        needed = service.get("depends_on", ())
        assert set(needed) <= set(SERVICES)
        healthy = [name for name in needed if isinstance(needed, dict) and needed[name]["condition"] == "service_healthy"]
        assert [name for name in healthy if "healthcheck" not in SERVICES[name]] == []


def test_no_password_has_a_default_and_each_is_named_in_the_example() -> None:
    example = (ROOT / "deploy" / "env.example").read_text(encoding="utf-8")
    secrets = {k: v for s in SERVICES.values() for k, v in (s.get("environment") or {}).items() if "PASSWORD" in k}
    assert secrets
    for value in secrets.values():
        found = re.fullmatch(r"\$\{(\w+):\?[^}]+\}", value)
        assert found
        assert f"{found[1]}=\n" in example


def test_pages_are_published_on_this_machine_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_the_engine_writes_to_its_volume_only_and_has_no_privileges() -> None:
    engine = SERVICES["dispatcher"]
    assert engine["read_only"] is True
    assert engine["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in engine["security_opt"]
    assert [v.split(":")[1] for v in engine["volumes"] if not v.endswith(":ro")] == ["/var/lib/dispatcher"]


def test_the_engine_understands_the_settings_it_is_given_and_has_every_adapter_they_name() -> None:
    deployment = load_deployment(ROOT / "deploy" / "deployment.yaml")
    assert deployment.status is Status.EXERCISE
    for kind, choices in (("sources", deployment.sources), ("channels", deployment.channels), ("stores", {"store": deployment.store})):
        for name, choice in choices.items():
            validated(find_adapter(kind, choice.adapter, name).settings, choice.own(), name)


def test_the_engine_listens_where_the_health_check_and_prometheus_look_for_it() -> None:
    web = load_deployment(ROOT / "deploy" / "deployment.yaml").web
    assert (web.host, web.port) == ("0.0.0.0", 8080)


def test_the_environment_file_with_the_passwords_is_ignored_by_git() -> None:
    assert ".env" in Path(ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
