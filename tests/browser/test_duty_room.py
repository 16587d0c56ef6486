import asyncio
import re

from playwright.async_api import Browser, Page, expect

from dispatcher.model.answer import Path, Said
from dispatcher.model.task import FeedKind, FeedLine
from dispatcher.ports import Status
from dispatcher.rows import row_of
from rules.grade import Grade
from tests.browser.site import Site, picture
from tests.web.seed import NOW, registry

FIRST = "flash-flood/990121101000/20260720-1/990121101201/1"
ROW = "tr[id$='990121101201']"


async def duty_page(site: Site, browser: Browser, language: str = "en", width: int = 1500, height: int = 950) -> Page:
    context = await browser.new_context(viewport={"width": width, "height": height}, locale="en-GB" if language == "en" else "zh-CN")
    page = await context.new_page()
    await site.log_in(page)
    return page


async def test_the_matrix_shows_the_worst_first_in_both_languages(site: Site, browser: Browser) -> None:
    page = await duty_page(site, browser)
    await expect(page.locator(".live")).to_have_text("Live")
    await expect(page.locator(".matrix tbody tr")).to_have_count(13)
    await expect(page.locator(".matrix tbody tr").first).to_contain_text("Help wanted!")
    await page.get_by_role("link", name="中文").click()
    await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    await expect(page.locator(".live")).to_have_text("实时")
    await picture(page, "duty-room-zh")
    await page.get_by_role("link", name="English").click()
    await expect(page.locator(".live")).to_have_text("Live")
    await picture(page, "duty-room-en")


async def test_an_officer_answers_on_behalf_with_the_keyboard_alone(site: Site, browser: Browser) -> None:
    page = await duty_page(site, browser)
    await page.locator(f"{ROW} a.behalf").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".behalf-form input[type=radio]").first).to_be_focused()
    await picture(page, "answer-on-behalf")
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.type("+447700900123")
    await page.keyboard.press("Enter")
    await expect(page.locator("#said")).to_have_text("Recorded.")
    await expect(page.locator(ROW)).to_contain_text("written by chen")
    await expect(page.locator(f"{ROW} a.behalf")).to_be_focused()
    async with site.bench.store.read() as reader:
        rows = await reader.fetch("desk.answers_of", {"notices": f'["{FIRST}"]'})
    assert [(r["action"], r["on_behalf_by"], r["note"]) for r in rows] == [("received", "chen", "by telephone from +447700900123")]


async def test_a_village_that_answers_changes_on_the_page_while_an_open_form_stays(site: Site, browser: Browser) -> None:
    page = await duty_page(site, browser)
    await expect(page.locator(".live")).to_have_text("Live")
    other = "tr[id$='990121101203']"
    await page.locator(f"{ROW} a.behalf").click()
    await page.locator("input[name=note]").fill("half a sentence")
    await site.bench.desk.answer("flash-flood/990121101000/20260720-1/990121101203/1", action=Said.RECEIVED, path=Path.SMS, person="")
    await expect(page.locator(f"{other} .pill")).to_have_text("Answered", timeout=10_000)
    await expect(page.locator("input[name=note]")).to_have_value("half a sentence")
    await expect(page.locator("input[name=note]")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator(".behalf-form")).to_have_count(0)


async def test_red_sounds_only_after_somebody_switched_the_sound_on(site: Site, browser: Browser) -> None:
    page = await duty_page(site, browser)
    await expect(page.locator(".live")).to_have_text("Live")
    await announce_red(site)
    await expect(page.locator("#feed")).to_contain_text("first red")
    assert await page.locator("html").get_attribute("data-alarms") is None
    await page.locator("#sound").click()
    await expect(page.locator("#sound")).to_have_text("Sound: on")
    await announce_red(site)
    # The trial when it was switched on, and the second red; on a slow machine the first one may reach the page only then, too.
    await expect(page.locator("html")).to_have_attribute("data-alarms", re.compile("[23]"))


async def announce_red(site: Site) -> None:
    county = registry().county.code
    line = FeedLine(
        county=county, status=Status.ACTUAL, at=NOW, kind=FeedKind.ALERT, grade=Grade.RED, subject="", text_zh="红", text_en="first red"
    )
    async with site.bench.store.write() as tx:
        await tx.run("desk.add_feed", row_of(line))
    site.bench.place.broadcast.wake()


async def test_a_task_is_closed_with_one_press(site: Site, browser: Browser) -> None:
    page = await duty_page(site, browser)
    await expect(page.locator(".tasks li")).to_have_count(2)
    await page.locator(".tasks li button").first.click()
    await expect(page.locator(".tasks li")).to_have_count(1)


async def test_without_scripts_everything_can_be_read_and_answered(site: Site, browser: Browser) -> None:
    context = await browser.new_context(java_script_enabled=False, locale="en-GB")
    page = await context.new_page()
    await site.log_in(page)
    await expect(page.locator(".matrix tbody tr")).to_have_count(13)
    await page.locator(f"{ROW} a.behalf").click()
    await page.locator("input[value=evacuating]").check()
    await page.get_by_role("button", name="Record the answer").click()
    await expect(page.locator("#said")).to_have_text("The answer is recorded.")
    await expect(page.locator(ROW)).to_contain_text("Acting")


async def test_the_page_of_a_warning_shows_its_time_line_with_masked_numbers(site: Site, browser: Browser) -> None:
    page = await duty_page(site, browser)
    await page.get_by_role("link", name="Time line and deliveries").first.click()
    await expect(page.locator(".time-line li.e-answer").first).to_be_visible()
    await page.locator("summary").first.click()
    assert "+447700900" not in await page.content()
    await picture(page, "warning")


async def test_the_duty_room_fits_a_phone_and_the_dark(site: Site, browser: Browser) -> None:
    context = await browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark", locale="zh-CN")
    page = await context.new_page()
    await site.log_in(page)
    await asyncio.sleep(0)
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    await picture(page, "duty-room-phone")


async def test_the_login_is_plain(site: Site, browser: Browser) -> None:
    page = await (await browser.new_context(locale="en-GB")).new_page()
    await page.goto(f"{site.url}/?open=1")
    await expect(page.get_by_label("User name")).to_be_focused()
    await page.get_by_label("User name").fill("chen")
    await page.get_by_label("Password").fill("wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("User name or password is wrong.")
