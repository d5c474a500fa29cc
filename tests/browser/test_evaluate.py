"""From labelled texts to metrics, rows and a download, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from tests import browsing


@pytest.fixture(scope="module")
def browser():
    with browsing.chromium() as browser:
        yield browser


@pytest.fixture
def page(browser, running_app):
    names = ("embedded/encoder@fp32?method=zero-shot", "embedded/decoder@bf16")
    page = browsing.open_page(browser, browsing.link(running_app, *names))
    browsing.tab(page, "Evaluate")
    yield page
    errors = page.errors
    page.context.close()
    assert errors == []


@pytest.fixture
def data(tmp_path):
    rows = [
        f"The {aid} is {word} recommended.,{label},en"
        for aid in ("lift", "bed", "ramp")
        for word, label in (("", "positive"), ("not", "negative"))
    ]
    path = tmp_path / "mine.csv"
    path.write_text(
        "text,label,language\n" + "\n".join(rows) + "\n<b>bold</b> <script>alert(1)</script> is needed.,positive,en\n"
    )
    return path


def test_an_uploaded_set_is_evaluated_read_and_exported(page, data, tmp_path):
    page.locator("#evaluation input[type=file]").first.set_input_files(str(data))
    page.locator("#evaluate").click()
    expect(page.locator("#evaluate-said")).to_contain_text("7 texts", timeout=60_000)
    expect(page.locator("#evaluate-said .lo-eval", has_text="done, 7 texts")).to_have_count(2, timeout=120_000)
    expect(page.locator("#metrics tbody").first.locator("tr")).to_have_count(2)
    expect(page.locator("#metrics")).to_contain_text(re.compile("better than|No difference|Too few"))
    expect(page.locator("#metrics .lo-confusion")).to_have_count(2)
    expect(page.locator("#rows")).to_contain_text("The lift is")
    assert page.locator("script:has-text('alert(1)')").count() == 0
    page.locator("#rows").get_by_text("The bed is").first.click()
    expect(page.locator("#row-detail")).to_contain_text("embedded/decoder@bf16")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export XLSX").click()
    target = tmp_path / "e.xlsx"
    download.value.save_as(target)
    import openpyxl

    assert len(openpyxl.load_workbook(target).sheetnames) == 3


def test_a_stopped_evaluation_is_resumed(page):
    page.locator("#evaluate").click()
    said = page.locator("#evaluate-said .lo-eval span:nth-child(2)").first
    expect(said).to_have_text(re.compile(r"^([5-9]|\d\d) of 84"), timeout=120_000)
    page.locator("#stop-evaluation").click()
    expect(page.locator("#evaluate-said")).to_contain_text("Stopped", timeout=60_000)
    expect(page.locator("#metrics")).to_contain_text("Accuracy")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#evaluate-said .lo-eval", has_text="done, 84 texts")).to_have_count(2, timeout=240_000)


def test_a_bad_file_is_told_by_row_and_nothing_begins(page, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("text,label\nfine,positive\n,negative\n")
    page.locator("#evaluation input[type=file]").first.set_input_files(str(bad))
    page.locator("#evaluate").click()
    expect(page.locator("#evaluate-said")).to_contain_text(re.compile("row 3", re.I))
    other = tmp_path / "other.csv"
    other.write_text("text,label\nfine,maybe\n")
    page.get_by_role("button", name="Clear").first.click()
    page.locator("#evaluation input[type=file]").first.set_input_files(str(other))
    page.locator("#evaluate").click()
    expect(page.locator("#evaluate-said")).to_contain_text("maybe")
