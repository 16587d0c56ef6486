"""The registry through the API: who can be reached, what an import would change, and who may do it."""

from typing import Any

from dispatcher.accounts import Role
from dispatcher.registry.load import registry_texts
from tests.web.bench import Bench
from tests.web.seed import SAMPLE


async def take(bench: Bench, files: dict[str, str], role: Role = Role.ADMINISTRATOR, *, dry_run: bool = True) -> tuple[int, Any]:
    answer = await bench.client.post("/api/v1/registry/import", json={"files": files, "dry_run": dry_run}, headers=bench.api(role))
    return answer.status_code, answer.json()


def sample(**changed: tuple[str, str]) -> dict[str, str]:
    files = registry_texts(SAMPLE, [])
    for table, (old, new) in changed.items():
        assert old in files[f"{table}.csv"]
        files[f"{table}.csv"] = files[f"{table}.csv"].replace(old, new)
    return files


async def test_a_village_says_who_can_be_reached_and_what_is_missing(bench: Bench) -> None:
    villages = (await bench.client.get("/api/v1/registry/villages", headers=bench.api(Role.VIEWER))).json()
    assert len(villages) == 40
    assert [v["name"] for v in villages if v["missing"]] == ["老屋场村", "火石坳村"]
    assert villages[0]["missing"] == ["no_speaker"]
    assert {role for role, people in villages[0]["on_duty"] if people} == {"county.leader_on_duty", "township.leader_on_duty"}
    assert "+4477" not in str(villages)


async def test_a_dry_run_shows_what_would_change_and_changes_nothing(bench: Bench) -> None:
    code, found = await take(bench, sample(villages=("河口小学", "河口中学"), speakers=("spk-990121101202-2", "spk-new")))
    assert code == 200
    by_table = {t["table"]: t for t in found["tables"]}
    assert by_table["villages"]["changed_rows"] == ["990121101201"]
    assert (by_table["speakers"]["added_rows"], by_table["speakers"]["removed_rows"]) == (["spk-new"], ["spk-990121101202-2"])
    assert (await bench.client.get("/api/v1/registry/versions", headers=bench.api(Role.DUTY_OFFICER))).json()["items"] == []


async def test_an_import_is_kept_as_a_version_with_what_it_changed_and_by_whom(bench: Bench) -> None:
    code, _ = await take(bench, sample(villages=("河口小学", "河口中学")), dry_run=False)
    assert code == 200
    (version,) = (await bench.client.get("/api/v1/registry/versions", headers=bench.api(Role.DUTY_OFFICER))).json()["items"]
    assert version["actor"] == "administrator"
    assert '"changed": 1' in version["summary"]


async def test_a_registry_with_mistakes_is_refused_with_each_of_them(bench: Bench) -> None:
    code, said = await take(bench, sample(speakers=("990121101201-1,990121101201", "990121101201-1,990121101299")), dry_run=False)
    assert code == 422
    (error,) = said["errors"]
    assert (error["file"], error["line"]) == ("speakers.csv", 2)
    code, said = await take(bench, sample() | {"../passwd": ""})
    assert (code, "no file of a registry; allowed: " in str(said["errors"])) == (422, True)


async def test_only_an_administrator_imports_or_exports(bench: Bench) -> None:
    for role in (Role.VIEWER, Role.RELEASING_OFFICER):
        assert (await take(bench, sample(), role))[0] == 403
        assert (await bench.client.get("/api/v1/registry/export", headers=bench.api(role))).status_code == 403
    exported = await bench.client.get("/api/v1/registry/export", headers=bench.api(Role.ADMINISTRATOR))
    assert exported.json()["files"] == registry_texts(SAMPLE, [])
