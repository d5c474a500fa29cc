"""Files in the shapes that public sets have, each from upload to decision on the page without a manual fix."""

import json
import random
import re

import pytest
from playwright.sync_api import expect

from tests.support import browsing
from tests.support.needs import TESTS

FEW_SHOT, ZERO_SHOT = "embedded/encoder@fp32?method=few-shot", "embedded/encoder@fp32?method=zero-shot"
DECODER = "embedded/decoder@bf16"
WORDS = [
    "card",
    "account",
    "transfer",
    "fee",
    "limit",
    "cash",
    "refund",
    "top",
    "rate",
    "exchange",
    "pin",
    "lost",
    "stolen",
    "fund",
    "charge",
    "bill",
    "app",
]


@pytest.fixture
def open_page(browser, running_app):
    pages = []

    def make(*candidates, **options):
        pages.append(browsing.open_page(browser, browsing.link(running_app, *candidates, **options)))
        return pages[-1]

    yield make
    for page in pages:
        errors = page.errors
        page.context.close()
        assert errors == []


def banking(path):
    """As banking77 is: 77 labels, 3,080 rows, one text twice."""
    draw = random.Random(7)
    topics = [f"{one}_{other}_{number}" for number, (one, other) in enumerate(draw.sample(WORDS, 2) for _ in range(77))]
    rows = [
        f'"What about my {label.replace("_", " ")}, case {number}, please?",{label}'
        for label in topics
        for number in range(40)
    ]
    rows[1] = rows[0]
    draw.shuffle(rows)
    path.write_text("text,category\n" + "\n".join(rows) + "\n", encoding="utf-8")


def news(path):
    """As the German news articles are: no header, semicolons, single quotes, texts of 2,500 characters."""
    classes = ["Etat", "Inland", "International", "Kultur", "Panorama", "Sport", "Web", "Wirtschaft", "Wissenschaft"]
    line = "Über {} wurde heute, wie ''{}'' meldet; ausführlich berichtet und viel gesagt. "
    rows = [f"{name};'{name} {number}: {line.format(name, name) * 30}'" for number in range(6) for name in classes]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def messages(path):
    """As the SMS collection is: tabs, no header, quotes that are letters, many hams and few spams."""
    hams = [f'ham\tOk "see you" at {hour}, bring the number {n} "' for n in range(12) for hour in range(6)]
    spams = [f'spam\tWINNER!! You have won £{n}00, call 0900{n} now "free' for n in range(12)]
    path.write_text("\n".join(hams + spams) + "\n", encoding="utf-8")


def use_as_task(page, path):
    page.get_by_role("button", name="Your own task").click()
    page.locator("input[type=file]").first.set_input_files(str(path))
    expect(page.locator("#task-said")).to_contain_text("rows read", timeout=60_000)
    page.get_by_role("button", name="Use this file").click()


def write(page, field, text):
    """Task and language each fill the field once when they change: what is typed before comes to nothing."""
    for _ in range(20):
        field.fill(text)
        page.wait_for_timeout(1000)
        if field.input_value() == text:
            return


def evaluate(page, texts, candidates):
    browsing.tab(page, "Evaluate")
    page.get_by_label("verdict and probabilities only, no explanation").check()
    page.locator("#evaluate").click()
    ended = page.locator("#evaluate-said .lo-eval", has_text=re.compile(rf"done, {texts} texts"))
    expect(ended).to_have_count(candidates, timeout=300_000)


def decide(page):
    browsing.tab(page, "Decide")
    expect(page.locator("#verdict")).to_contain_text("candidates", timeout=60_000)
    expect(page.locator("#decision table").first.locator("tbody tr")).to_have_count(2)


def test_77_labels_and_3080_rows_come_from_upload_to_a_decision_and_can_be_read(open_page, tmp_path):
    banking(tmp_path / "train.csv")
    page = open_page(FEW_SHOT, ZERO_SHOT)
    use_as_task(page, tmp_path / "train.csv")
    said = page.locator("#task-said")
    expect(said).to_contain_text("3,079 texts, 77 labels, in en", timeout=60_000)
    expect(said).to_contain_text("1 of 3,080 rows are left out")
    expect(said).to_contain_text("the same text stands in row")
    browsing.run(page, "What about my refund fee, please?")
    browsing.wait_finished(page, 2)
    expect(page.locator("#column-1")).to_contain_text("and 72 more")
    evaluate(page, r"1,5\d\d", 2)
    metrics = page.locator("#metrics")
    expect(metrics).to_contain_text("better than", timeout=60_000)
    metrics.get_by_text("Precision, recall and F1 of each label").click()
    sortable = metrics.locator("table.lo-sortable")
    expect(sortable.locator("tbody tr")).to_have_count(154)

    def column(number):
        return sortable.locator("tbody tr").evaluate_all(
            "(rows, n) => rows.map((row) => row.children[n].dataset.value)", number
        )

    title = sortable.get_by_role("columnheader", name="F1")
    title.click()
    figures = [float(value) for value in column(4)]
    assert figures == sorted(figures)
    title.press("Enter")
    figures = [float(value) for value in column(4)]
    assert figures == sorted(figures, reverse=True) and figures[0] > figures[-1]
    expect(title).to_have_attribute("aria-sort", "descending")
    sortable.get_by_role("columnheader", name="Label", exact=True).click()
    assert column(1) == sorted(column(1))
    metrics.get_by_text("Confusion: what was said of what is true").click()
    expect(metrics.get_by_text("Said instead")).to_be_visible()
    decide(page)


def test_german_news_in_semicolons_and_single_quotes_of_long_texts_come_to_a_decision(open_page, tmp_path):
    news(tmp_path / "articles.csv")
    page = open_page(FEW_SHOT, DECODER, language="de")
    use_as_task(page, tmp_path / "articles.csv")
    expect(page.locator("#task-said")).to_contain_text("54 texts, 9 labels, in de", timeout=60_000)
    expect(page.locator("#task-said")).to_contain_text("Etat 6 · Inland 6")
    evaluate(page, 27, 2)
    said = page.locator("#evaluate-said")
    expect(said).to_contain_text(f"{FEW_SHOT} reads 256 tokens: 27 of 27 texts are longer")
    expect(said).to_contain_text("They are read in windows, which are averaged.")
    decide(page)


def test_tab_separated_messages_with_literal_quotes_come_to_a_decision(open_page, tmp_path):
    messages(tmp_path / "SMSSpamCollection.tsv")
    page = open_page(FEW_SHOT, DECODER)
    use_as_task(page, tmp_path / "SMSSpamCollection.tsv")
    said = page.locator("#task-said")
    expect(said).to_contain_text("84 texts, 2 labels, in en", timeout=60_000)
    expect(said).to_contain_text("The file has no header")
    evaluate(page, 42, 2)
    decide(page)


def test_ones_and_noughts_are_mapped_to_the_tasks_labels_and_can_be_mapped_otherwise(open_page):
    page = open_page(ZERO_SHOT)
    browsing.tab(page, "Evaluate")
    page.locator("#evaluation input[type=file]").first.set_input_files(str(TESTS / "cases" / "ints.csv"))
    said = page.locator("#evaluate-said")
    expect(said).to_contain_text("8 texts can be evaluated")
    expect(said).to_contain_text("positive 4 · negative 4")
    chosen = page.locator("#label-words")
    expect(chosen).to_contain_text("1 (4) → positive")
    expect(chosen).to_contain_text("0 (4) → negative")
    chosen.get_by_title("Remove 1 (4) → positive").or_(chosen.locator(".token-remove").first).first.click()
    expect(said).to_contain_text("4 texts can be evaluated")
    expect(said).to_contain_text("“1” is no label of the task")


def test_long_texts_are_counted_for_every_candidate_as_soon_as_there_is_a_file(open_page, tmp_path):
    page = open_page(ZERO_SHOT, DECODER)
    browsing.tab(page, "Evaluate")
    path = tmp_path / "long.csv"
    rows = [f"{'The lift is needed. ' * times},positive" for times in (1, 80, 600)]
    path.write_text("text,label\n" + "\n".join(rows) + "\nNo lift.,negative\n", encoding="utf-8")
    page.locator("#evaluation input[type=file]").first.set_input_files(str(path))
    said = page.locator("#long-said")
    expect(said).to_contain_text(f"{ZERO_SHOT} reads 256 tokens: 2 of 4 texts are longer", timeout=30_000)
    expect(said).to_contain_text(f"{DECODER} reads")


def test_another_sheet_and_another_encoding_are_offered_and_read(open_page, tmp_path):
    page = open_page(ZERO_SHOT)
    browsing.tab(page, "Evaluate")
    tab = page.locator("#evaluation")
    tab.locator("input[type=file]").first.set_input_files(str(TESTS / "cases" / "hidden_sheet.xlsx"))
    expect(tab.get_by_label("Sheet", exact=True)).to_be_visible()
    expect(tab.get_by_label("Letters read as")).to_be_hidden()
    polish = tmp_path / "opinie.csv"
    polish.write_bytes("text;label\nŻółw jest potrzebny;positive\nKoń nie;negative\n".encode("cp1250"))
    tab.get_by_role("button", name="Remove this file").or_(tab.get_by_label("Clear")).first.click()
    tab.locator("input[type=file]").first.set_input_files(str(polish))
    letters = tab.get_by_label("Letters read as")
    expect(letters).to_be_visible()
    expect(page.locator("#evaluate-said")).not_to_contain_text("Żółw")
    letters.fill("Windows-1250")
    letters.press("Enter")
    expect(page.locator("#evaluate-said")).to_contain_text("Żółw")
    expect(tab.get_by_label("Sheet", exact=True)).to_be_hidden()


def test_a_task_is_saved_as_a_file_and_is_the_same_task_when_it_is_uploaded(open_page, tmp_path):
    page = open_page(ZERO_SHOT)
    use_as_task(page, TESTS / "cases" / "anliegen.csv")
    expect(page.locator("#task-said")).to_contain_text("16 texts, 4 labels")
    instruction = page.get_by_label("Instruction (in the chosen language)")
    expect(instruction).to_have_value(re.compile("Kündigung"))
    write(page, instruction, "Um welches Anliegen geht es?")
    with page.expect_download() as download:
        page.locator("#export-task").click()
    saved = tmp_path / "anliegen.toml"
    download.value.save_as(saved)
    other = open_page(ZERO_SHOT)
    other.get_by_role("button", name="Your own task").click()
    other.locator("input[type=file]").first.set_input_files(str(saved))
    expect(other.locator("#task-said")).to_contain_text("16 texts, 4 labels, in de")
    expect(other.get_by_label("Task", exact=True)).to_have_value(re.compile("yours"))
    expect(other.get_by_label("Instruction (in the chosen language)")).to_have_value("Um welches Anliegen geht es?")
    assert json.dumps("Kündigung", ensure_ascii=False) in saved.read_text(encoding="utf-8")
