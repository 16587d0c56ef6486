"""A registry is imported while the engine runs and decides at once; it is there after a restart; an edited directory goes before it."""

import json
import os
import shutil
import signal
from pathlib import Path

import httpx
import yaml

from tests.integration.installation import COUNTY, Installation
from tests.integration.programs import Programs, Running

VILLAGE = "990121101201"


def renamed(folder: Path, name: str, new: str) -> Path:
    shutil.copytree(COUNTY, folder / name)
    table = folder / name / "villages.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("河口村", new), encoding="utf-8")
    return folder / name


def stopped(running: Running) -> None:
    running.signal(signal.SIGTERM)
    assert running.wait().code == 0


def test_an_import_goes_through_the_engine_decides_at_once_and_survives_a_restart(programs: Programs, tmp_path: Path) -> None:
    made = Installation(programs)
    county = shutil.copytree(COUNTY, tmp_path / "county")
    deployment = yaml.safe_load(made.config.read_text("utf-8"))
    made.config.write_text(yaml.safe_dump(deployment | {"county": os.path.relpath(county, made.folder)}), "utf-8")
    config = ("-c", str(made.config))
    token = programs.run("user", "token", "import", "--role", "administrator", *config).out.strip()
    other = renamed(tmp_path, "other", "新河口村")

    def name() -> str:
        answer = httpx.get(f"{made.url}/api/v1/registry/villages", headers={"Authorization": f"Bearer {token}"}, timeout=30)
        return str(next(v["name"] for v in answer.json() if v["code"] == VILLAGE))

    running = made.start()
    assert name() == "河口村"
    refused = programs.run("registry", "import", str(other), *config)
    assert (refused.code, "DISPATCHER_TOKEN" in refused.err) == (3, True)
    key = {"DISPATCHER_TOKEN": token}
    tried = programs.run("registry", "import", str(other), "--dry-run", *config, environment=key)
    assert (tried.code, "villages: 新增 added 0, 修改 changed 1, 删除 removed 0\n  ~ 990121101201" in tried.out) == (0, True), tried.err
    assert name() == "河口村"
    ran = programs.run("registry", "import", str(other), "--json", *config, environment=key)
    assert ran.code == 0, ran.err
    assert ran.summary["tables"][0]["changed_rows"] == [VILLAGE]
    assert name() == "新河口村"
    stopped(running)

    exported = programs.run("registry", "export", str(tmp_path / "out"), *config)
    assert exported.code == 0, exported.err
    assert (tmp_path / "out" / "villages.csv").read_bytes() == (other / "villages.csv").read_bytes()
    running = made.start()
    assert name() == "新河口村"
    stopped(running)

    renamed(tmp_path, "third", "老河口村")
    shutil.copy(tmp_path / "third" / "villages.csv", county / "villages.csv")
    assert programs.run("registry", "export", str(tmp_path / "last"), *config).code == 0
    assert "老河口村" in (tmp_path / "last" / "villages.csv").read_text(encoding="utf-8")


def test_an_export_as_yaml_is_imported_again_without_a_difference(programs: Programs, tmp_path: Path) -> None:
    made = Installation(programs)
    config = ("-c", str(made.config))
    assert programs.run("registry", "export", str(tmp_path / "out"), "--format", "yaml", *config).code == 0
    assert (tmp_path / "out" / "villages.yaml").exists()
    ran = programs.run("registry", "import", str(tmp_path / "out"), *config)
    assert (ran.code, ran.out.strip()) == (0, "无变化 no differences"), ran.err


def test_a_registry_with_mistakes_is_named_with_its_lines_and_duty_is_shown(programs: Programs, tmp_path: Path) -> None:
    bad = renamed(tmp_path, "bad", "")
    ran = programs.run("registry", "check", str(bad))
    assert (ran.code, "villages.csv:2:14: name: is empty; a text is needed" in ran.err) == (1, True)
    made = Installation(programs)
    shown = programs.run("roster", "show", "--hours", "24", "--json", "-c", str(made.config))
    assert {"county-leader", "shitan-leader"} <= {turn["roster"] for turn in json.loads(shown.out)}
    gaps = programs.run("roster", "gaps", "-c", str(made.config))
    assert (gaps.code, gaps.out.strip()) == (0, "")
