"""Planner, dry run and probes on the page, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from llmops.embedded import DECODER_DIR
from tests.support import browsing


@pytest.fixture
def page(browser, running_app):
    page = browsing.open_page(browser, browsing.link(running_app, "embedded/decoder@bf16"))
    yield page
    errors = page.errors
    page.context.close()
    assert errors == []


def planning(page):
    browsing.tab(page, "Future")
    page.get_by_role("button", name="Will it fit? Memory, speed and price on every GPU").click()


def fill(page, label, value):
    field = (
        page.locator(label).locator("input, textarea").first
        if label[0] == "#"
        else page.get_by_label(label, exact=True)
    )
    field.fill(value)
    field.press("Tab")


def test_a_plan_draws_every_gpu_and_names_what_would_help(page):
    planning(page)
    page.locator("#plan").click()
    expect(page.locator("#plan-said")).to_contain_text("meta-llama/Llama-3.1-70B-Instruct in nf4")
    expect(page.locator("#plan-said .lo-gpu")).to_have_count(16)
    expect(page.locator("#plan-said tr", has_text="H100").first).to_contain_text("yes")
    expect(page.locator("#plan-said tr", has_text="T4").first).to_contain_text("usable")
    expect(page.locator("#plan-curves svg[role=img]")).to_be_visible()
    expect(page.locator("#plan-curves .lo-level", has_text="H100")).to_have_count(1)


def test_an_absurd_plan_is_an_error_and_the_next_one_works(page):
    planning(page)
    fill(page, "Context, tokens", "9000000")
    page.locator("#plan").click()
    expect(page.locator("#plan-said")).to_contain_text("131,072")
    fill(page, "Context, tokens", "1024")
    page.locator("#plan").click()
    expect(page.locator("#plan-said .lo-gpu")).to_have_count(16)


def test_a_dry_run_shows_predicted_beside_measured(page):
    planning(page)
    page.get_by_label("Model to plan for").fill("HuggingFaceTB/SmolLM2-135M-Instruct")
    page.get_by_label("Model to plan for").press("Enter")
    page.locator("#dry-run").click()
    expect(page.locator("#dry-run-said")).to_contain_text("2 of 30 layers on cpu", timeout=120_000)
    weights = page.locator("#dry-run-said tr", has_text="Weights").first
    expect(weights).to_contain_text(re.compile(r"[+-]\d\.\d%"))


def test_a_load_probe_and_a_context_probe_of_the_embedded_decoder(page):
    browsing.tab(page, "Probes")
    fill(page, "#probe-levels", "1, 4")
    fill(page, "Requests a level", "6")
    page.locator("#probe-load").click()
    expect(page.locator("#load-table tbody tr")).to_have_count(2, timeout=120_000)
    expect(page.locator("#load-said")).to_contain_text("Done")
    expect(page.locator("#load-plot svg[role=img]")).to_be_visible()
    fill(page, "Lengths, tokens", "64, 8000")
    fill(page, "#probe-depths", "0, 1")
    page.locator("#probe-context").click()
    expect(page.locator("#context-table")).to_contain_text("Ended at 8,000 tokens", timeout=60_000)
    expect(page.locator("#context-table .lo-right, #context-table .lo-wrong")).to_have_count(2)
    expect(page.locator("#context-plot svg[role=img]")).to_be_visible()


def test_a_probe_of_a_real_server_and_a_stopped_one_keep_what_was_measured(page, served):
    browsing.type_address(page, served)
    browsing.tab(page, "Probes")
    page.get_by_label("Candidate to probe").fill(f"openai/{DECODER_DIR}")
    page.get_by_label("Candidate to probe").press("Enter")
    fill(page, "#probe-levels", "1, 2, 3, 4, 5, 6")
    fill(page, "Requests a level", "6")
    page.locator("#probe-load").click()
    expect(page.locator("#load-table tbody tr").first).to_be_visible(timeout=120_000)
    page.locator("#stop-probe").click()
    expect(page.locator("#load-said")).to_contain_text("Done", timeout=60_000)
    assert 1 <= page.locator("#load-table tbody tr").count() <= 6
    fill(page, "#probe-levels", "one")
    page.locator("#probe-load").click()
    expect(page.locator("#load-said")).to_contain_text("Write numbers")
