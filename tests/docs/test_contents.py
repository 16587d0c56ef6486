"""What the documents say is what the program has: settings, commands, addresses, units, codes, examples, links."""

import re
import shutil
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from dispatcher.accounts import Role
from dispatcher.application import catalogue_of
from dispatcher.files.countyfiles import load_county_files
from dispatcher.intake.decode import decode
from dispatcher.intake.units import VARIABLES
from dispatcher.model.answer import Said
from dispatcher.model.reject import RejectCode
from dispatcher.ports import Item
from dispatcher.settings import check_adapters, load_deployment
from dispatcher.web import (
    api,
    cap_feed,
    drills,
    events,
    incidents_api,
    intake,
    registry_api,
    release_api,
    reports,
    roster_files,
    rosters_api,
    rules_api,
    village_pages,
)
from scripts import make_command_docs, make_configuration_docs, make_diagrams
from tests.docs.blocks import Block, blocks
from tests.docs.checkout import ROOT

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md")), *sorted((DOCS / "adr").glob("*.md"))]
#: rules.md has its own tests, beside the rules.
EXAMPLES = [block for page in PAGES if page.name != "rules.md" for block in blocks(page) if block.language in {"yaml", "csv"}]
FILES = [block for block in EXAMPLES if block.text.startswith("# file: ")]
READINGS = [b for b in blocks(DOCS / "readings.md") if b.language in {"json", "jsonl", "csv"} and not b.text.startswith("# file: ")]


def _page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_the_list_of_settings_is_that_of_the_models() -> None:
    assert _page("configuration.md") == make_configuration_docs.text(), "run: python scripts/make_configuration_docs.py"


def test_every_setting_says_what_it_does() -> None:
    rows = [line for line in _page("configuration.md").splitlines() if line.startswith("| `")]
    assert rows
    assert [row for row in rows if not row.rstrip("| ").endswith((".", "…"))] == []


def test_the_list_of_commands_is_that_of_the_program() -> None:
    assert _page("commands.md") == make_command_docs.text(), "run: python scripts/make_command_docs.py"


def test_every_command_shows_an_example_in_its_help() -> None:
    assert [name for name in make_command_docs.commands() if "Example" not in make_command_docs.helped(name)] == []


def test_the_diagrams_show_what_the_code_does() -> None:
    assert _page("architecture.md") == make_diagrams.with_diagrams(_page("architecture.md")), "run: python scripts/make_diagrams.py"
    assert _page("architecture.md").count("```mermaid") == 3


def test_every_address_of_the_interface_is_described() -> None:
    routes = [
        route
        for module in (
            *(api, cap_feed, drills, incidents_api, intake, events, registry_api, release_api),
            *(reports, roster_files, rosters_api, rules_api, village_pages),
        )
        for route in module.router.routes
        if isinstance(route, APIRoute) and route.include_in_schema
    ]
    assert len(routes) > 8
    page = _page("api.md")
    missing = [f"{m} {r.path}" for r in routes for m in r.methods or () if f"{m} {r.path.replace(':path', '')}" not in page]
    assert missing == []


def test_every_role_and_every_answer_is_described() -> None:
    page = _page("api.md")
    assert [word for word in (*(role.word for role in Role), *Said) if f"`{word}`" not in page] == []


def test_every_unit_and_every_reason_to_refuse_is_described() -> None:
    page = _page("readings.md")
    units = {f"`{unit}`" for variable in VARIABLES.values() for unit in (variable.name, *variable.units)}
    assert {word for word in units | {f"`{code.value}`" for code in RejectCode} if word not in page} == set()


@pytest.mark.parametrize("block", READINGS, ids=lambda block: block.where)
def test_an_example_of_readings_is_accepted_whole(block: Block) -> None:
    registry = load_county_files(ROOT / "config" / "sample").registry
    decoded = decode(Item(block.text.encode(), block.where), catalogue_of(registry))
    assert decoded.rejects == []
    assert decoded.readings


@pytest.mark.parametrize("block", FILES, ids=lambda block: block.where)
def test_an_example_of_a_file_fits_into_the_sample_county(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    county = tmp_path / "county"
    shutil.copytree(ROOT / "config" / "sample", county)
    monkeypatch.chdir(county)
    head, _, body = block.text.partition("\n")
    file = county / head.removeprefix("# file: ")
    if file.suffix == ".csv":  # the example's rows stand for the same people, beside the others
        names, _, rows = body.partition("\n")
        before = file.read_text(encoding="utf-8")
        assert before.startswith(names)
        known = {line.partition(",")[0] for line in before.splitlines()}
        body = before + "".join(f"{row}\n" for row in rows.splitlines() if row.partition(",")[0] not in known)
    file.write_text(body, encoding="utf-8")
    deployment = load_deployment(county / "deployment.yaml")
    check_adapters(deployment, county / "deployment.yaml")
    load_county_files(county)


def test_every_example_of_a_file_says_which_file_it_is() -> None:
    unnamed = [b.where for b in EXAMPLES if b not in FILES and b not in READINGS]
    assert unnamed == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        name, _, anchor = target.partition("#")
        if "://" in target:
            continue
        there = page.parent / name if name else page
        if not there.exists() or (anchor and anchor not in _anchors(there)):
            broken.append(target)
    assert broken == []


def _anchors(page: Path) -> set[str]:
    """As GitHub makes them from headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_first_screen_says_what_it_is_shows_the_two_commands_and_a_picture() -> None:
    for page in (ROOT / "README.md", DOCS / "README.zh.md"):
        first = page.read_text(encoding="utf-8").splitlines()[:22]
        for needed in ("make run", "make test", "![", ".png"):
            assert any(needed in line for line in first), (page.name, needed)
