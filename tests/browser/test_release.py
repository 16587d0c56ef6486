"""An officer finds what waits, looks at it, and releases it: with the keyboard, in both languages, with scripts and without."""

from dataclasses import replace
from datetime import timedelta

from playwright.async_api import Browser, Page, expect

from dispatcher.accounts import Principal, Role, add_user
from dispatcher.warnings.drafting import Draft
from dispatcher.warnings.releasing import By
from rules.grade import Grade
from tests.browser.site import Site, picture
from tests.policy.test_stages import STAGES
from tests.web.bench import PASSWORD
from tests.web.seed import HAZARD, NOW, registry
from tests.web.test_preview import ahead

TOWNSHIP = max(v.township for v in registry().villages.values())
FORECASTER = By(who=Principal(name="wang", role=Role.FORECASTER))


async def officer_page(site: Site, browser: Browser, *, language: str = "en", scripts: bool = True, width: int = 1400) -> Page:
    await add_user(site.bench.store, "zhou", Role.RELEASING_OFFICER, PASSWORD, NOW)
    locale = "en-GB" if language == "en" else "zh-CN"
    context = await browser.new_context(viewport={"width": width, "height": 1000}, locale=locale, java_script_enabled=scripts)
    page = await context.new_page()
    await page.goto(site.url + "/login")
    await page.fill("input[name=name]", "zhou")
    await page.fill("input[name=password]", PASSWORD)
    await page.press("input[name=password]", "Enter")
    await page.wait_for_selector(".tiles")
    return page


async def propose(site: Site) -> str:
    draft = Draft(
        hazard=HAZARD, grade=Grade.RED, areas=(TOWNSHIP,), expires_at=NOW.replace(hour=15),
        reason_zh="上游水库溢洪道开始泄洪，下泄流量迅速增大", reason_en="The reservoir upstream has begun to spill; the outflow rises fast",
    )  # fmt: skip
    _, (proposal,) = await site.bench.context.releases.propose(draft, FORECASTER)
    await site.bench.context.releases.consult(proposal, "took_part", "水文站 陈工，镇长 刘某", FORECASTER)
    await site.bench.context.releases.consult(proposal, "looked_at", "石潭河上游站过程线", FORECASTER)
    return str(proposal)


async def test_an_officer_releases_a_part_with_the_keyboard(site: Site, browser: Browser) -> None:
    proposal = await propose(site)
    page = await officer_page(site, browser)
    link = page.locator(f"#r{proposal} a")
    await expect(page.locator("#release")).to_contain_text("Awaiting release")
    await expect(link).to_have_accessible_name("Look and decide: flash flood warning, " + registry().name_of(TOWNSHIP, "en") + ": release")
    await picture(page, "release-board-en")
    await link.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="What would go out")).to_be_visible()
    boxes = page.locator("input[name=villages]")
    count = await boxes.count()
    await picture(page, "release-en", whole=True)
    await boxes.first.focus()
    await page.keyboard.press("Space")
    await page.get_by_role("button", name="Release what is chosen").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("Your decision is recorded")
    await expect(page.locator("input[name=villages]")).to_have_count(1)
    assert count > 1


async def test_without_scripts_and_on_a_telephone_everything_is_there_in_chinese(site: Site, browser: Browser) -> None:
    proposal = await propose(site)
    page = await officer_page(site, browser, language="zh", scripts=False, width=390)
    await page.locator(f"#r{proposal} a").click()
    await expect(page.locator("#consultation")).to_contain_text("水文站 陈工")
    buttons = await page.get_by_role("button", name="签发所选", exact=True).bounding_box()
    boxes = [await box.bounding_box() for box in await page.locator("table.entries th[scope=row]").all()]
    assert buttons
    assert all(box and box["width"] > 40 for box in boxes), "a village's name is not squeezed into a column of single characters"
    assert buttons["x"] + buttons["width"] <= 390
    await picture(page, "release-phone-zh", whole=True)
    await page.fill("#consultation input[name=text]", "同意发布")
    await page.get_by_role("button", name="添加", exact=True).click()
    await expect(page.locator("#consultation")).to_contain_text("同意发布")
    await page.locator("form[action$=approve] input[name=note]").fill("情况属实")
    await page.get_by_role("button", name="签发所选", exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text("已记录您的签发意见")
    await expect(page.locator("h1")).to_contain_text("已签发")


async def test_the_page_says_in_which_stage_it_would_be_told(site: Site, browser: Browser) -> None:
    bench = site.bench
    bench.place.house = replace(bench.place.house, stages=STAGES)
    bench.context.look_ahead = ahead(bench, [])
    onset = NOW + timedelta(hours=5)
    draft = Draft(hazard=HAZARD, grade=Grade.RED, areas=(TOWNSHIP,), expires_at=NOW.replace(hour=15), reason_zh="强降雨", onset=onset)
    _, (proposal,) = await bench.context.releases.propose(draft, FORECASTER)
    villages = len(registry().villages_of_township(TOWNSHIP))
    for language, says in (
        ("en", f"Villages by stage of lead time: Warning {villages}"),
        ("zh", f"按提前量分阶段（村数）： 预警 {villages}"),
    ):
        page = await officer_page(site, browser, language=language)
        await page.goto(f"{site.url}/proposals/{proposal}")
        await expect(page.locator("section[aria-labelledby=preview-h]")).to_contain_text(says)
