"""From labelled texts to figures, rows, ladder and report, and back through the history, in a real browser."""

import json
import re

import pytest
from playwright.sync_api import expect

from llmops.data.builtin import load_builtin
from tests.support import browsing

ZERO, DECODER = "embedded/encoder@fp32?method=zero-shot", "embedded/decoder@bf16"


@pytest.fixture
def page(browser, running_app):
    page = browsing.open_page(browser, browsing.link(running_app, ZERO, DECODER))
    browsing.tab(page, "Evaluate")
    yield page
    errors = page.errors
    page.context.close()
    assert errors == []


@pytest.fixture
def data(tmp_path):
    rows = [
        f"{label};The {aid} is {word} recommended."
        for aid in ("lift", "bed", "ramp")
        for word, label in (("", "Positive"), ("not", "negative"))
    ]
    rows += ["positive;<b>bold</b> <script>alert(1)</script> is needed.", "maybe;Who knows.", "positive;"]
    path = tmp_path / "mine.csv"
    path.write_text("outcome;finding\n" + "\n".join(rows) + "\n")
    return path


def done(page, texts, count):
    ended = page.locator("#evaluate-said .lo-eval", has_text=f"done, {texts} texts")
    expect(ended).to_have_count(count, timeout=240_000)


def choose(page, label, value):
    box = page.locator("#evaluation").get_by_label(label, exact=True)
    expect(box).not_to_have_value("")  # what the file's columns suggest is there, and won't come over what is typed
    box.fill(value)
    box.press("Enter")
    expect(box).to_have_value(value)


def cell(table, text):
    """A visible cell: the table also holds a hidden row that it measures by."""
    return table.get_by_text(text).locator("visible=true").first


def test_an_uploaded_set_is_mapped_evaluated_read_and_exported(page, data, tmp_path):
    page.locator("#evaluation input[type=file]").first.set_input_files(str(data))
    expect(page.locator("#evaluate-said")).to_contain_text("7 texts can be evaluated")  # the columns are found
    choose(page, "Column of the text", "outcome")
    expect(page.locator("#evaluate-said")).to_contain_text("One column is chosen twice")
    choose(page, "Column of the text", "finding")
    expect(page.locator("#evaluate-said")).to_contain_text("7 texts can be evaluated")
    page.locator("#evaluate").click()
    done(page, 7, 2)
    said = page.locator("#evaluate-said")
    expect(said).to_contain_text("Row 9, column “outcome”: “maybe” is no label of the task")
    expect(said).to_contain_text("Row 10, column “finding”: the text is empty")
    metrics = page.locator("#metrics")
    expect(metrics.locator("tbody").first.locator("tr")).to_have_count(2)
    expect(metrics).to_contain_text(re.compile("better than|No difference|Too few|nothing tells them apart"))
    expect(metrics.locator("svg.lo-plot")).to_have_count(2)
    expect(metrics.locator(".lo-confusion")).to_have_count(2)
    rows = page.locator("#rows")
    expect(rows).to_contain_text("The lift is")
    assert page.locator("script:has-text('alert(1)')").count() == 0
    page.locator("#rows-search textarea, #rows-search input").first.fill("BED")
    expect(page.locator("#rows-counted")).to_contain_text("1 to 2 of 2 texts")
    cell(rows, "The bed is").click()
    expect(page.locator("#row-detail")).to_contain_text(DECODER)
    for kind, button in (("xlsx", "Export XLSX"), ("html", "Export HTML report")):
        with page.expect_download() as download:
            page.get_by_role("button", name=button).click()
        download.value.save_as(tmp_path / f"e.{kind}")
    import openpyxl

    assert len(openpyxl.load_workbook(tmp_path / "e.xlsx").sheetnames) == 4
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "e.html").as_uri())
    expect(page.locator("h1")).to_have_text("Medical assessment")
    expect(page.locator("svg.lo-plot").first).to_be_visible()
    assert [url for url in asked if not url.startswith("file:")] == []


def test_an_evaluation_whose_page_was_closed_is_resumed_and_found_in_the_history(page, browser, running_app, tmp_path):
    texts = load_builtin("medical").split("test")
    lines = [
        json.dumps({"text": example.text, "label": example.label, "language": example.language})
        for example in texts[-54:]
    ]
    (tmp_path / "set.jsonl").write_text("\n".join(lines))
    page.locator("#evaluation input[type=file]").first.set_input_files(str(tmp_path / "set.jsonl"))
    expect(page.locator("#evaluate-said")).to_contain_text("54 texts can be evaluated")
    page.locator("#how input").first.uncheck()  # in batches it would be over before the page is closed
    page.locator("#evaluate").click()
    said = page.locator("#evaluate-said .lo-eval span:nth-child(2)").first
    expect(said).to_have_text(re.compile(r"^([5-9]|\d\d) of 54"), timeout=120_000)
    again = browsing.open_page(browser, browsing.link(running_app, "embedded/decoder@int8"))
    page.goto("about:blank")
    browsing.tab(again, "Evaluate")
    again.get_by_label("Kept evaluations").click()
    again.get_by_role("option").first.click()
    expect(again.locator("#metrics")).to_contain_text("Accuracy")
    expect(again.locator("#rows-counted")).to_contain_text(" texts")
    said = again.locator("#evaluate-said")
    for _ in range(60):  # refused until the closed page's run has ended
        again.locator("#resume").click()
        expect(said).to_contain_text(re.compile("running already|of 54|54 texts"), timeout=60_000)
        if "running already" not in said.inner_text():
            break
        again.wait_for_timeout(500)
    done(again, 54, 2)
    expect(again.locator("#rows-counted")).to_contain_text("1 to 50 of 54 texts")
    again.get_by_role("button", name="Next rows").click()
    expect(again.locator("#rows-counted")).to_contain_text("51 to 54 of 54 texts")
    browsing.tab(again, "History")
    expect(again.locator("#history-found")).to_contain_text(DECODER)  # listed without being asked again
    cell(again.locator("#history-found"), DECODER).click()
    expect(again.locator("#history-shown")).to_contain_text("Macro-F1")
    again.locator("#history-note textarea, #history-note input").first.fill("for the board")
    again.get_by_role("button", name="Keep note").click()
    expect(again.locator("#history-found")).to_contain_text("for the board")
    assert again.errors == []
    again.context.close()


def test_a_comparison_is_replayed_as_it_was_painted_listed_beside_later_ones_and_deleted(page, browser, running_app):
    browsing.run(page, "The trial was a success; <i>we</i> support the lift.")
    browsing.wait_finished(page, 2)
    figures = browsing.figures(page, 2)
    browsing.tab(page, "History")
    page.get_by_label("single comparisons").click()
    cell(page.locator("#history-found"), "The trial was a success").click()
    columns = page.locator("#history-shown .lo-past-column")
    expect(columns).to_have_count(2)
    cells = [row.locator("th, td").all_inner_texts() for row in columns.nth(1).locator(".lo-figures tbody tr").all()]
    assert {row[0]: row[1] for row in cells} == figures
    expect(page.locator("#history-shown i")).to_have_count(0)
    other = browsing.open_page(browser, browsing.link(running_app, ZERO))
    browsing.run(other, "The ramp came later.")
    browsing.wait_finished(other, 1)
    other.context.close()
    browsing.tab(page, "Decide")
    browsing.tab(page, "History")
    expect(page.locator("#history-found")).to_contain_text("The ramp came later.")
    expect(columns).to_have_count(2)  # what was open still is
    page.locator("#history-delete").click()
    expect(page.locator("#history-said")).to_contain_text("Deleted comparison")
    expect(page.locator("#history-shown .lo-past-column")).to_have_count(0)


def test_a_bad_file_is_told_and_nothing_begins(page, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("text,label\nfine,maybe\n,negative\n")
    page.locator("#evaluation input[type=file]").first.set_input_files(str(bad))
    expect(page.locator("#evaluate-said")).to_contain_text("“maybe” is no label of the task")
    page.locator("#evaluate").click()
    expect(page.locator("#evaluate-said")).to_contain_text("No row can be used")
