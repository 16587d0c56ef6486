"""Every page that links lead to: it has a name, its controls have names, the keyboard reaches them all, and it fits a telephone."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page

from dispatcher.accounts import Role, add_user
from dispatcher.intake.basis import basis_of, compiled_with
from dispatcher.intake.decode import DEFAULT_LIMITS
from dispatcher.intake.pipeline import Pipeline
from dispatcher.intake.reloading import Reloading, Version
from dispatcher.intake.rules_desk import RulesDesk
from tests.browser.site import Site, picture
from tests.browser.test_release import propose
from tests.web.bench import PASSWORD
from tests.web.seed import NOW, registry, rules

#: Of pages that differ in what they are about only, a few say enough.
OF_ONE_KIND = 2
TABS = 90
DOWNLOADS = re.compile(r"\.(pdf|csv|ics|json|xml|atom|yaml)$|^/(static|api|cap|metrics|logout)")
#: What a screen reader would have nothing to say about, as the browser itself computes names.
NAMELESS = """() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, img, svg, iframe')]
  .filter(e => e.checkVisibility() && !e.closest('[aria-hidden=true]'))
  .filter(e => {
    const by = (e.getAttribute('aria-labelledby') || '').split(' ').map(id => document.getElementById(id)?.textContent || '').join('');
    const own = e.matches('a, button, summary') ? e.textContent : '';
    const labels = [...(e.labels || [])].map(l => l.textContent).join('');
    const more = [e.getAttribute('aria-label'), e.getAttribute('alt'), e.title, e.querySelector('title, img[alt]')?.textContent];
    const press = e.matches('input[type=submit], input[type=button]') ? e.value : '';
    return ![by, own, labels, press, ...more].some(text => (text || '').trim());
  }).map(e => e.outerHTML.slice(0, 160))"""
SKIPPED_LEVELS = """() => { let last = 0; return [...document.querySelectorAll('h1, h2, h3, h4, h5')].filter(h => {
    const level = +h.tagName[1], skips = level > last + 1; last = level; return skips; }).map(h => h.outerHTML.slice(0, 120)); }"""
TABBABLE = """() => { const seen = new Set(); return [...document.querySelectorAll(
    'a[href], button:not([disabled]), input:not([type=hidden]):not([disabled]), select:not([disabled]), textarea:not([disabled]), summary')]
  .filter(e => e.checkVisibility({visibilityProperty: true}) && e.tabIndex >= 0)
  .filter(e => { if (e.type !== 'radio') return true; const once = !seen.has(e.name); seen.add(e.name); return once; }).length; }"""
FOCUSED = """() => { const e = document.activeElement; if (!e || e === document.body) return null;
    if (!e.dataset.stop) e.dataset.stop = String(document.querySelectorAll('[data-stop]').length + 1);
    const s = getComputedStyle(e);
    return [e.dataset.stop, s.outlineStyle !== 'none' || s.boxShadow !== 'none', e.outerHTML.slice(0, 120)]; }"""


async def start(site: Site, browser: Browser, language: str, width: int) -> Page:
    """An administrator, who may see everything, with something of everything to see."""
    await add_user(site.bench.store, "boss", Role.ADMINISTRATOR, PASSWORD, NOW)
    await propose(site)
    site.bench.context.rules = sample_rules(site)
    locale = "en-GB" if language == "en" else "zh-CN"
    page = await (await browser.new_context(viewport={"width": width, "height": 900}, locale=locale)).new_page()
    await page.goto(site.url + "/login")
    await page.fill("input[name=name]", "boss")
    await page.fill("input[name=password]", PASSWORD)
    await page.press("input[name=password]", "Enter")
    await page.wait_for_selector(".tiles")
    await page.goto(site.url + "/incidents")
    form = page.locator("form", has=page.locator("[name=title]")).first
    await form.locator("[name=title]").fill("East dike leaks" if language == "en" else "东堤渗漏")
    await form.locator("button").first.click()
    await page.wait_for_load_state()
    return page


def sample_rules(site: Site) -> RulesDesk:
    """The sample county's rules at work, without an engine that reads anything."""
    place = site.bench.place
    compiled = compiled_with(basis_of({}, registry()), rules())
    version = Version(compiled=compiled, house=place.house, digests={})
    pipeline = Pipeline(place, compiled, DEFAULT_LIMITS)
    return RulesDesk(place, pipeline, Reloading(place, pipeline, lambda: version, lambda: "", lambda _: None), lambda: "")


async def every(site: Site, page: Page) -> AsyncIterator[str]:
    """Walk along the links of the page and of all those behind it; gives the path that the browser shows now."""
    waiting, seen, of_kind = ["/"], {"/"}, Counter[str]()
    while waiting:
        path = waiting.pop(0)
        answer = await page.goto(site.url + path)
        assert answer is not None
        assert answer.status == 200, path
        yield path
        for href in await page.eval_on_selector_all("a[href]", "links => links.map(a => a.getAttribute('href'))"):
            parts = urlsplit(str(href))
            if parts.netloc or not parts.path.startswith("/") or DOWNLOADS.search(parts.path) or parts.path in seen:
                continue
            seen.add(parts.path)
            kind = re.sub(r"[^/]*[\d:.][^/]*", "*", parts.path)
            of_kind[kind] += 1
            if of_kind[kind] <= OF_ONE_KIND:
                waiting.append(parts.path)


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_every_page_and_control_has_a_name_and_the_keyboard_reaches_it(site: Site, browser: Browser, language: str) -> None:
    page = await start(site, browser, language, 1300)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    faults: dict[str, Any] = {}
    visited = []
    async for path in every(site, page):
        visited.append(path)
        found = {
            "language": [] if (await page.get_attribute("html", "lang") or "").startswith(language) else ["lang"],
            "title": [] if (await page.title()).strip() else ["no title"],
            "headings": [] if await page.locator("h1").count() == 1 else [f"{await page.locator('h1').count()} h1"],
            "main": [] if await page.locator("main").count() == 1 else ["main"],
            "skip": await page.evaluate(
                "[...document.querySelectorAll('a.skip')].filter(a => !document.querySelector(a.hash)).map(a => a.hash)"
            ),
            "levels": await page.evaluate(SKIPPED_LEVELS),
            "nameless": await page.evaluate(NAMELESS),
            "keyboard": await not_reached(page),
        }
        if any(found.values()):
            faults[path] = {name: what for name, what in found.items() if what}
        await picture(page, f"every-{language}{path.replace('/', '_')}", whole=True)
    assert faults == {}
    assert errors == []
    assert len(visited) >= 10, visited


async def not_reached(page: Page) -> list[str]:
    """What Tab alone does not come to, and where one does not see that one is there."""
    there = min(await page.evaluate(TABBABLE), TABS)
    stops, unseen = set[str](), list[str]()
    parts = 8 * await page.locator("input[type=datetime-local], input[type=date], input[type=time]").count()  # year, month, day …
    for _ in range(there + parts + 2):
        await page.keyboard.press("Tab")
        focused = await page.evaluate(FOCUSED)
        if focused is not None:
            stops.add(focused[0])
            unseen += [] if focused[1] else [f"unseen focus: {focused[2]}"]
    return unseen[:3] + ([] if len(stops) >= there else [f"{len(stops)} of {there} reached"])


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_every_page_fits_a_telephone(site: Site, browser: Browser, language: str) -> None:
    page = await start(site, browser, language, 390)
    wide = {}
    async for path in every(site, page):
        width = await page.evaluate("document.documentElement.scrollWidth")
        if width > 390:
            wide[path] = width
    assert wide == {}
