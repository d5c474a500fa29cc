"""Driving the real page in a real headless Chromium."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, expect, sync_playwright

SIZES = {"wide": (1360, 900), "phone": (390, 844)}
_RUN_MS = 240_000


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, or whatever of the name is on the path."""
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if found is None:
        raise RuntimeError("Chromium is not installed: apt-get install chromium")
    arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        yield browser
        browser.close()


def link(address: str, *candidates: str, task: str = "medical", language: str = "en", theme: str = "light") -> str:
    """An address that opens with a selection."""
    query = [("task", task), ("lang", language), *(("c", candidate) for candidate in candidates), ("__theme", theme)]
    return f"{address}?{urlencode(query)}"


def open_page(browser: Browser, url: str, size: str = "wide", asked: set[str] | None = None) -> Page:
    """A new visitor's page, ready to use. Script errors are collected in `page.errors`, all that it asks in `asked`."""
    width, height = SIZES[size]
    page = browser.new_context(viewport={"width": width, "height": height}).new_page()
    page.errors = []
    if asked is not None:
        page.on("request", lambda request: asked.add(request.url))
        page.on("websocket", lambda socket: asked.add(socket.url))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("dialog", lambda dialog: (page.errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.goto(url)
    expect(page.locator("#machine textarea, #machine input")).to_have_value(re.compile(".+"), timeout=60_000)
    return page


def tab(page: Page, name: str) -> None:
    """Show a tab; on a phone the last ones are behind Gradio's “more” button."""
    shown = page.get_by_role("tab", name=name)
    if not shown.is_visible():
        page.locator(".overflow-menu > button").first.click()
        shown = page.locator(".overflow-dropdown button", has_text=name)
    shown.click()


def type_number(page: Page, label: str, value: str) -> None:
    """Type into a slider's field; again where the part that was just opened was laid out anew under the typing."""
    number, slider = (page.get_by_label(f"{what} for {label}") for what in ("number input", "range slider"))
    for _ in range(10):
        number.fill(value)
        number.press("Tab")
        page.wait_for_timeout(300)
        if slider.input_value() == value:
            break
    expect(slider).to_have_value(value)


def type_address(page: Page, url: str) -> None:
    """Type an endpoint's address in the Present tab."""
    tab(page, "Present")
    page.get_by_role("button", name="OpenAI, or any compatible server").click()
    field = page.get_by_label("Server address (base URL)")
    expect(field).to_be_visible()
    field.fill(url)
    field.press("Tab")


def run(page: Page, text: str | None = None) -> None:
    """Press Run, without waiting."""
    if text is not None:
        page.locator("#text textarea").fill(text)
    page.locator("#run").click()


def statuses(page: Page) -> list[str]:
    """What the visible columns say of themselves."""
    return page.locator(".lo-column:visible .lo-status").all_inner_texts()


def wait_finished(page: Page, count: int) -> None:
    """Until so many columns have ended, well or badly."""
    ended = page.locator(".lo-column:visible").locator(".lo-is-done, .lo-is-failed, .lo-is-stopped")
    expect(ended).to_have_count(count, timeout=_RUN_MS)


def figures(page: Page, number: int) -> dict[str, str]:
    """A column's figures: name → value."""
    rows = page.locator(f"#column-{number} .lo-figures tbody tr")
    cells = [row.locator("th, td").all_inner_texts() for row in rows.all()]
    return {row[0]: row[1] for row in cells}
