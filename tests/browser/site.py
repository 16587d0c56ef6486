"""The running site, logging in, and pictures for the documentation."""

import os
from pathlib import Path

from playwright.async_api import Page

from tests.web.bench import PASSWORD, Bench

IMAGES = Path(__file__).parents[2] / "docs" / "images"


class Site:
    """The running site; ``url`` has no slash at the end."""

    def __init__(self, bench: Bench, url: str) -> None:
        self.bench = bench
        self.url = url

    async def log_in(self, page: Page, path: str = "/") -> None:
        await page.goto(self.url + path)
        await page.fill("input[name=name]", "chen")
        await page.fill("input[name=password]", PASSWORD)
        await page.click("main button")
        await page.wait_for_selector(".tiles, .panel")


async def picture(page: Page, name: str, *, whole: bool = False) -> None:
    """Write a picture for the documentation, when asked to by UPDATE_SCREENSHOTS=1."""
    if os.environ.get("UPDATE_SCREENSHOTS") == "1":
        IMAGES.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=IMAGES / f"{name}.png", full_page=whole)
