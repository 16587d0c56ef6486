import re
from importlib.resources import files
from string import Formatter

import pytest

from dispatcher.accounts import Role
from dispatcher.ports import Status, Store
from dispatcher.web.language import load_catalogues
from tests.web.bench import Bench, make_bench
from tests.web.seed import CASES, seed


def test_both_languages_say_the_same_things_with_the_same_fields() -> None:
    catalogues = load_catalogues()
    zh, en = catalogues["zh"].words, catalogues["en"].words
    assert zh.keys() == en.keys()
    for key in zh:
        assert fields(zh[key]) == fields(en[key]), key
        assert zh[key].strip()
        assert en[key].strip()


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_word_a_template_asks_for_is_in_the_catalogue() -> None:
    words = load_catalogues()["zh"].words
    folder = files("dispatcher.web") / "templates"
    asked = {key for f in folder.iterdir() for key in re.findall(r"\bt\('([\w.]+)'[,)]", f.read_text(encoding="utf-8"))}
    assert len(asked) > 80
    assert asked <= words.keys()


def test_pages_carry_no_inline_script_style_or_foreign_address() -> None:
    for folder in ("templates", "static"):
        for file in (files("dispatcher.web") / folder).iterdir():
            text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
            assert not re.search(r"https?://", text), file.name
            assert not re.search(r"<script>|\sstyle=|\son[a-z]+=\"", text), file.name


async def test_the_duty_room_shows_the_warnings_worst_first_with_people_and_times(bench: Bench) -> None:
    await bench.log_in()
    page = (await bench.client.get("/?lang=en")).text
    assert page.index("Shitan Town") < page.index("Shuanghe Town")
    assert page.count('class="s-') == len(CASES)
    assert "Overdue" in page
    assert "Unreachable" in page
    assert "written by chen" in page
    assert "8 / 13" in page


async def test_a_filter_hides_lines_and_keeps_the_totals(bench: Bench) -> None:
    await bench.log_in()
    page = (await bench.client.get("/?township=990121102000&open=1&lang=en")).text
    assert page.count('class="s-') == 5
    assert "8 / 13" in page


async def test_the_language_is_remembered(bench: Bench) -> None:
    await bench.log_in()
    assert "值班室" in (await bench.client.get("/")).text
    await bench.client.get("/?lang=en")
    assert "duty room" in (await bench.client.get("/")).text


async def test_an_exercise_cannot_be_taken_for_the_real_thing(store: Store) -> None:
    await seed(store, status=Status.EXERCISE)
    bench = await make_bench(store, status=Status.EXERCISE)
    async with bench.client:
        await bench.log_in()
        page = (await bench.client.get("/")).text
    assert "演练 EXERCISE" in page
    assert page.count('class="drill"') == 2


async def test_a_viewer_sees_no_buttons(bench: Bench) -> None:
    await bench.log_in("visitor")
    page = (await bench.client.get("/")).text
    assert 'class="matrix"' in page
    assert "behalf" not in page
    assert "/close" not in page


async def test_the_page_of_a_warning_tells_what_happened_and_masks_numbers(bench: Bench) -> None:
    await bench.log_in()
    page = (await bench.client.get("/warnings/flash-flood/990121101000/20260720-1?lang=en")).text
    for word in ("Alert released to 7 villages", "30005", "e-change", "e-notice", "352 people"):
        assert word in page
    assert "+447700900" not in page
    assert (await bench.client.get("/warnings/none")).status_code == 404


@pytest.mark.parametrize("bad", ["/?open=maybe", "/?township=nowhere"], ids=["open", "township"])
async def test_a_bad_filter_never_breaks_the_page(bench: Bench, bad: str) -> None:
    await bench.log_in()
    assert (await bench.client.get(bad)).status_code in {200, 422}


@pytest.mark.parametrize("ending", ["", ".csv", ".pdf"])
async def test_a_warning_has_a_report_as_page_csv_pdf_and_json(bench: Bench, ending: str) -> None:
    await bench.log_in()
    [warning, *_] = (await bench.client.get("/api/v1/warnings")).json()["items"]
    found = await bench.client.get(f"/api/v1/warnings/{warning['id']}/report{ending}?lang=en")
    assert found.status_code == 200, found.text
    if ending == ".csv":
        assert found.text.startswith("\ufeffVillage,")
    elif ending == ".pdf":
        assert found.content.startswith(b"%PDF-")
    else:
        assert found.json()["totals"]["villages"] > 0
        page = (await bench.client.get(f"/warnings/{warning['id']}/report?lang=en")).text
        assert "Village by village" in page
        assert "+4477" not in page
    assert (await bench.client.get(f"/api/v1/warnings/none/report{ending}")).status_code == 404
    viewer = {"Authorization": f"Bearer {bench.tokens[Role.VIEWER]}"}
    assert (await bench.client.get(f"/api/v1/warnings/{warning['id']}/report{ending}", headers=viewer)).status_code == 403
