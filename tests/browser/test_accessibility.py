"""The page for everybody: both languages, keyboard, axe-core, no outside host, a first screen without a manual."""

import json
import re
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from tests import accessibility
from tests.support import browsing
from tests.support.endpoints import ENDPOINTS

ENCODER = "embedded/encoder@fp32?method=zero-shot"


@pytest.fixture(scope="module")
def walk(browser, running_app):
    """Through every tab, a run, a plan and an evaluation."""
    return accessibility.walk(browser, running_app, "light", "wide")


def serious(walk):
    return [finding for finding in walk.findings if finding.impact in accessibility.SERIOUS and not finding.known]


def test_axe_finds_nothing_serious_on_any_tab(walk):
    assert len(walk.states) == 12
    assert not serious(walk), accessibility.report(serious(walk))


def test_axe_finds_nothing_serious_on_any_tab_in_dark_on_a_phone(browser, running_app):
    walk = accessibility.walk(browser, running_app, "dark", "phone", run=False)
    assert len(walk.states) == 7
    assert not serious(walk), accessibility.report(serious(walk))


def test_the_page_asks_no_other_host(walk, running_app):
    addresses = [urlsplit(url) for url in walk.asked]
    assert len(addresses) > 100
    assert {url.hostname for url in addresses if url.scheme not in ("data", "blob")} == {urlsplit(running_app).hostname}


def test_german_is_chosen_by_the_address_and_changed_by_a_link(browser, running_app):
    page = browsing.open_page(browser, browsing.link(running_app, ENCODER, language="en") + "&ui=de")
    assert page.evaluate("document.documentElement.lang") == "de"
    expect(page.get_by_role("tab", name="Vergangenheit")).to_be_visible()
    expect(page.locator("#run")).to_have_text("Vergleichen")
    browsing.run(page)
    browsing.wait_finished(page, 1)
    assert browsing.statuses(page) == ["fertig"]
    page.get_by_role("button", name="Warum nicht einfach eine Cloud-API?").click()
    expect(page.locator("#cloud")).to_contain_text("auf diesem Rechner behalten")
    expect(page.locator("#text textarea")).to_have_value(re.compile(r"\w+"))
    page.get_by_role("link", name="English").click()
    expect(page.locator("#run")).to_have_text("Run")
    assert page.evaluate("document.documentElement.lang") == "en"
    assert "ui=en" in page.url
    assert "zero-shot" in page.url
    page.context.close()


def test_a_german_browser_gets_german_and_german_examples_while_another_reads_english(browser, running_app):
    german = browser.new_context(locale="de-DE").new_page()
    english = browser.new_context(locale="en-GB").new_page()
    for page in (german, english):
        page.goto(running_app)
    expect(german.locator("#run")).to_have_text("Vergleichen", timeout=60_000)
    expect(english.locator("#run")).to_have_text("Run", timeout=60_000)
    expect(german.locator("#machine textarea, #machine input")).to_have_value(re.compile("Kerne"))
    expect(english.locator("#machine textarea, #machine input")).to_have_value(re.compile("cores"))
    expect(german.locator("#text textarea")).to_have_value(re.compile(r"\b(der|die|das|wird|ist)\b"))
    german.locator("#text textarea").fill("")
    english.locator("#text textarea").fill("")
    german.locator("#run").click()
    english.locator("#run").click()
    expect(german.get_by_role("alert")).to_contain_text("Der Text ist leer.")
    expect(english.get_by_role("alert")).to_contain_text("The text is empty.")
    for page in (german, english):
        page.context.close()


def test_a_comparison_and_an_explanation_by_keyboard_alone(browser, running_app):
    page = browsing.open_page(browser, browsing.link(running_app, ENCODER))
    _tab_to(page, "#run")
    page.keyboard.press("Enter")
    browsing.wait_finished(page, 1)
    _tab_to(page, '[role="tab"][data-tab-id="past"]')
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Present")).to_be_focused()
    expect(page.get_by_role("heading", name="Present: small and medium decoders")).to_be_visible()
    _tab_to(page, ".lo-terms summary:visible")
    page.keyboard.press("Enter")
    expect(page.locator(".lo-terms details[open]:visible p")).to_have_count(1)
    page.context.close()


def test_the_api_page_lists_the_endpoints_for_programs_and_each_says_what_it_takes(running_app):
    with urlopen(f"{running_app}gradio_api/info") as answer:
        info = json.load(answer)
    assert info["unnamed_endpoints"] == {}
    assert set(info["named_endpoints"]) == ENDPOINTS
    for name, endpoint in info["named_endpoints"].items():
        told = endpoint["description"]
        silent = [
            parameter["parameter_name"]
            for parameter in endpoint["parameters"]
            if f"{parameter['parameter_name']}:" not in told
        ]
        assert not silent, f"{name} does not say what it takes as {silent}"


def _tab_to(page, selector):
    """Press Tab until an element that fits has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => document.activeElement?.matches(wanted)", selector.replace(":visible", "")):
            return
    raise AssertionError(f"{selector} can't be reached with the Tab key")
