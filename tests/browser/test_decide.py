"""From an uploaded set to the decision board, a cascade and the HTML report, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.support import browsing

ENCODER, DECODER = "embedded/encoder@fp32?method=few-shot", "embedded/decoder@bf16"


@pytest.fixture
def page(browser, running_app):
    page = browsing.open_page(browser, browsing.link(running_app, ENCODER, DECODER))
    yield page
    errors = page.errors
    page.context.close()
    assert errors == []


@pytest.fixture
def data(tmp_path):
    lines = [
        f"The {aid} is {word} recommended.,{label},en"
        for aid in ("lift", "bed", "ramp", "wheelchair", "<b>rollator</b>")
        for word, label in (("", "positive"), ("not", "negative"))
    ]
    path = tmp_path / "mine.csv"
    path.write_text("text,label,language\n" + "\n".join(lines) + "\n")
    return path


def test_from_upload_to_decision_board_to_cascade_to_report(page, data, tmp_path):
    browsing.tab(page, "Evaluate")
    page.locator("#evaluation input[type=file]").first.set_input_files(str(data))
    page.locator("#evaluate").click()
    expect(page.locator("#evaluate-said .lo-eval", has_text="done, 10 texts")).to_have_count(2, timeout=180_000)

    browsing.tab(page, "Decide")
    expect(page.locator("#verdict")).to_contain_text("All 2 candidates are within the limits", timeout=60_000)
    expect(page.locator("#pareto svg.lo-plot")).to_have_attribute("aria-label", re.compile("Macro-F1 against cost"))
    expect(page.locator("#decision table").first.locator("tbody tr")).to_have_count(2)
    expect(page.locator("#costs")).to_contain_text(re.compile(r"\$0\.\d+.*30% utilisation", re.S))
    expect(page.locator("#energy")).to_contain_text("estimated")
    expect(page.locator("#break-even svg.lo-plot")).to_be_visible()

    before = page.locator("#costs tbody tr td").first.inner_text()
    page.get_by_role("spinbutton", name="Utilisation of own machines").fill("60")
    page.keyboard.press("Tab")
    expect(page.locator("#costs")).to_contain_text("60% utilisation", timeout=30_000)
    assert page.locator("#costs tbody tr td").first.inner_text() != before

    page.get_by_label("p95 latency, s, at most").fill("soon")
    expect(page.locator("#decide-said")).to_contain_text("“soon” is no number", timeout=30_000)
    page.get_by_label("p95 latency, s, at most").fill("0,000001")
    expect(page.locator("#verdict")).to_contain_text("No candidate is left", timeout=30_000)
    expect(page.locator("#decision")).to_contain_text("p95 latency is")
    page.get_by_label("p95 latency, s, at most").fill("")
    expect(page.locator("#verdict")).to_contain_text("All 2 candidates", timeout=30_000)

    page.locator("#simulate").click()
    expect(page.locator("#cascade")).to_contain_text("reported on the other 5", timeout=30_000)
    expect(page.locator("#cascade svg.lo-plot")).to_have_count(4)
    page.locator("#threshold input").fill("0.75")
    page.locator("#add-cascade").click()
    expect(page.locator("#cascade-added")).to_contain_text("Added to Present")
    name = f"cascade({ENCODER}, {DECODER}, 0.75)"
    browsing.tab(page, "Present")
    expect(page.locator("#present-candidates")).to_contain_text(name)

    browsing.run(page, "The lift is not recommended.")
    browsing.wait_finished(page, 3)
    expect(page.locator("#column-3")).to_contain_text(re.compile("below 0.75|at or above 0.75"))

    browsing.tab(page, "Decide")
    with page.expect_download(timeout=60_000) as download:
        page.locator("#decision-report").click()
    target = tmp_path / "report.html"
    download.value.save_as(target)
    report = target.read_text(encoding="utf-8")
    assert "<h2>Decision</h2>" in report
    assert "60% utilisation" in report
    assert "<b>rollator</b>" not in report
