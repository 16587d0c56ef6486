from playwright.async_api import Browser, expect

from tests.browser.site import Site, picture
from tests.web.seed import registry


async def test_a_village_answers_on_a_320_pixel_screen_without_scripts(site: Site, browser: Browser) -> None:
    person = next(c for c in registry().contacts.values() if c.area == "990121101201")
    token = await site.bench.link("4101", person.id)
    context = await browser.new_context(viewport={"width": 320, "height": 568}, java_script_enabled=False, locale="en-GB")
    page = await context.new_page()
    await page.goto(f"{site.url}/a/{token}")
    assert await page.locator("body").evaluate("b => b.ownerDocument.documentElement.scrollWidth") <= 320
    await picture(page, "answer-page", whole=True)
    await page.get_by_role("link", name="中文" if person.language == "en" else "English").click()
    await page.get_by_role("button", name="Received").click()
    await expect(page.get_by_role("status")).to_have_text("Recorded: Received")
    await page.get_by_label("People moved").fill("352")
    await page.get_by_role("button", name="All evacuated").click()
    await expect(page.get_by_role("status")).to_have_text("Recorded: All evacuated")
    await expect(page.locator(".all")).to_have_text("Thank you, all done.")
    await expect(page.locator("li").last).to_contain_text("352 people")
