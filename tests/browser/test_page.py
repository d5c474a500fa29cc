"""The page as a visitor has it: in a real browser, with the embedded models and a real OpenAI-compatible server."""

import re
import time

import pytest
from playwright.sync_api import expect

from llmops.embedded import DECODER_DIR
from tests.support import browsing
from tests.support.fake_endpoint import FakeEndpoint

TEXT = "All requirements for the wheelchair are met."
SIX = (
    "embedded/encoder@fp32?method=few-shot",
    "embedded/encoder@fp32?method=setfit&k=2",
    "embedded/decoder@bf16",
    "embedded/decoder@int8",
    "embedded/decoder@nf4",
    f"openai/{DECODER_DIR}",
)


@pytest.fixture
def open_page(browser, running_app):
    """Opens pages (without a selection: as on a first visit) and closes them; a script error on one fails the test."""
    pages = []

    def open_one(*candidates, size="wide", **selection):
        url = browsing.link(running_app, *candidates, **selection) if candidates or selection else running_app
        page = browsing.open_page(browser, url, size)
        pages.append(page)
        return page

    yield open_one
    errors = [error for page in pages for error in page.errors]
    for page in pages:
        page.context.close()
    assert errors == []


def _figure_names(page, number):
    """Names of a column's figures; a model that another test has loaded is warm, and its load is an earlier one."""
    return {name.removesuffix(", earlier") for name in browsing.figures(page, number)}


def test_six_columns_at_once_all_with_their_figures(open_page, served):
    page = open_page(*SIX)
    browsing.type_address(page, served)
    browsing.run(page, TEXT)
    browsing.wait_finished(page, 6)
    assert browsing.statuses(page) == ["done"] * 6
    for number in (1, 2):
        assert _figure_names(page, number) >= {
            "E2E", "Texts", "Tokens in", "Load", "Queue", "Weights", "Peak extra",
        }  # fmt: skip
    for number in (3, 4, 5):
        assert _figure_names(page, number) >= {
            "E2E", "TTFT", "TPOT", "Decode", "Prefill", "Tokens in", "Tokens out", "Load", "Queue", "Weights",
            "KV cache", "Peak extra", "Device",
        }  # fmt: skip
    theirs = set(browsing.figures(page, 6))
    assert theirs >= {"E2E", "TTFT", "Tokens in", "Tokens out", "Queue", "Device"}
    if not theirs >= {"TPOT", "Decode", "Prefill"}:  # so short an answer the server may send in one go
        expect(page.locator("#column-6 .lo-notes")).to_contain_text("in one go")
    for number in range(1, 7):
        expect(page.locator(f"#column-{number} .lo-verdict")).to_have_text(
            re.compile("recommended|Positive|Negative", re.I)
        )
    for number in (3, 4, 5, 6):
        answer = page.locator(f"#column-{number} textarea").input_value()
        assert re.match(r"(Positive|Negative): .{10,}", answer)
    for title in ("E2E", "TTFT", "Decode rate", "Peak memory (weights and extra)"):
        expect(page.get_by_role("region", name=title)).to_be_visible()
    assert not [name for name, value in browsing.figures(page, 3).items() if value in ("", "0", "nan", "None")]


def test_the_first_paint_offers_a_preset_one_click_runs_it_and_one_more_trains(open_page):
    page = open_page()
    expect(page.get_by_label("Preset for a machine")).to_have_value("CPU only")
    expect(page.locator("#run-line")).to_contain_text("few-shot")
    for name in ("#run", "#welcome-train"):
        assert page.locator(name).bounding_box()["y"] < browsing.SIZES["wide"][1]  # without scrolling
    page.locator("#run").click()
    expect(page.locator("#column-1")).to_be_in_viewport()  # the tabs lie between, so the page goes there
    browsing.wait_finished(page, 3)
    assert browsing.statuses(page) == ["done"] * 3
    for seen in ("#run", "#stop", "#run-line", "#summary"):
        expect(page.locator(seen)).to_be_in_viewport()
    expect(page.locator("#run-line")).to_have_text("Done: 3 of 3 answered")
    page.locator("#welcome-train").click()
    expect(page.locator("#training-said")).to_contain_text(re.compile("fine-tuning|preparing"), timeout=60_000)
    page.locator("#stop-training").click()
    expect(page.locator("#training-said")).to_contain_text("stopped", timeout=60_000)


def test_the_selection_is_in_the_address_and_a_link_reopens_it_without_a_key(open_page, browser):
    page = open_page("embedded/decoder@nf4", language="de", task="medical")
    browsing.tab(page, "Present")
    page.get_by_role("button", name="OpenAI, or any compatible server").click()
    page.get_by_label("OpenAI key").fill("sk-canary-in-the-browser")
    page.get_by_label("OpenAI key").press("Tab")
    page.get_by_label("Model id or folder").nth(1).press("Tab")
    page.locator("#present-add").click()
    expect(page).to_have_url(re.compile(r"c=embedded%2Fdecoder%40nf4.*c=embedded%2Fdecoder%40fp32"))
    assert "canary" not in page.url
    assert "lang=de" in page.url
    again = browsing.open_page(browser, page.url)
    browsing.tab(again, "Present")
    chosen = again.locator("#present-candidates")
    expect(chosen).to_contain_text("embedded/decoder@nf4")
    expect(chosen).to_contain_text("embedded/decoder@fp32")
    assert "canary" not in again.content()
    assert "canary" not in str(page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})"))
    again.context.close()


def test_an_empty_text_and_no_candidate_are_said_and_the_next_run_works(open_page):
    page = open_page("embedded/decoder@bf16")
    browsing.run(page, "   ")
    expect(page.locator("#problem")).to_contain_text("The text is empty")
    expect(page.locator("#problem")).to_be_in_viewport()
    browsing.run(page, TEXT)
    browsing.wait_finished(page, 1)
    expect(page.locator("#problem")).not_to_contain_text("empty")
    assert browsing.statuses(page) == ["done"]


def test_a_text_that_is_too_long_fails_in_its_column_and_is_cut_where_asked(open_page):
    page = open_page("embedded/decoder@bf16", "embedded/encoder@fp32?method=zero-shot")
    browsing.run(page, "The aid is needed. " * 10_600)
    browsing.wait_finished(page, 2)
    assert browsing.statuses(page) == ["failed", "failed"]
    expect(page.locator("#column-1")).to_contain_text("this encoder reads 256")
    expect(page.locator("#column-2")).to_contain_text("context 2,048")
    page.get_by_role("button", name="Cut the text and retry 2").click()
    expect(page.locator("#column-2")).to_contain_text("was cut", timeout=120_000)
    browsing.wait_finished(page, 2)
    assert browsing.statuses(page) == ["failed", "done"]
    expect(page.get_by_role("button", name="Cut the text and retry 2")).not_to_be_visible()
    page.get_by_role("button", name="Run settings").click()
    page.get_by_role("radio", name="are cut").first.check()
    browsing.run(page)
    expect(page.locator("#column-1")).to_contain_text("was cut", timeout=120_000)
    browsing.wait_finished(page, 2)
    assert browsing.statuses(page) == ["done", "done"]


def test_script_and_markdown_in_input_and_output_are_text_and_never_run(open_page):
    evil = '<img src=x onerror="alert(1)"><script>alert(2)</script> **bold** שלום 🦽'
    with FakeEndpoint("evil") as fake:
        page = open_page("embedded/decoder@bf16", "openai/<script>alert(3)</script>")
        browsing.type_address(page, fake.url)
        browsing.run(page, evil)
        browsing.wait_finished(page, 2)
    assert page.errors == []
    assert page.locator("script:has-text('alert(')").count() == 0
    assert page.locator("img[src=x]").count() == 0
    numbers = [number for number in (1, 2) if "<b>" in page.locator(f"#column-{number} textarea").input_value()]
    assert numbers == [2]


def test_stop_ends_every_column_and_the_next_run_works(open_page):
    with FakeEndpoint("slow") as fake:
        page = open_page("openai/slow", "embedded/encoder@fp32?method=zero-shot")
        browsing.type_address(page, fake.url)
        browsing.run(page, TEXT)
        expect(page.locator("#column-2 textarea, #column-1 textarea").first).to_have_value(
            re.compile(r"\d"), timeout=60_000
        )
        page.locator("#stop").click()
        browsing.wait_finished(page, 2)
        assert "stopped" in browsing.statuses(page)
        assert fake.disconnected.wait(10)
    browsing.tab(page, "Present")
    page.get_by_label("Server address (base URL)").fill("http://127.0.0.1:9/v1")
    browsing.run(page)
    expect(page.locator(".lo-column:visible .lo-is-failed")).to_have_count(1, timeout=60_000)
    browsing.wait_finished(page, 2)
    assert sorted(browsing.statuses(page)) == ["done", "failed"]


def test_stop_and_retry_of_one_column_leave_the_others_alone(open_page):
    with FakeEndpoint("slow", "ok") as fake:
        page = open_page("openai/one", "embedded/decoder@bf16")
        browsing.type_address(page, fake.url)
        browsing.run(page, TEXT)
        slow = next(
            number
            for number in (1, 2)
            if "openai" in page.locator(f"#column-{number} .lo-id").inner_text(timeout=60_000)
        )
        expect(page.locator(f"#column-{slow} textarea")).to_have_value(re.compile(r"\d"), timeout=60_000)
        page.get_by_role("button", name=f"Stop {slow}").click()
        browsing.wait_finished(page, 2)
        other = page.locator(f"#column-{3 - slow} textarea").input_value()
        page.get_by_role("button", name=f"Retry {slow}").click()
        expect(page.locator(f"#column-{slow} textarea")).to_have_value("Positive: yes", timeout=30_000)
        browsing.wait_finished(page, 2)
        assert page.locator(f"#column-{3 - slow} textarea").input_value() == other
        assert browsing.statuses(page) == ["done", "done"]


@pytest.mark.parametrize(("size", "theme"), [("wide", "light"), ("phone", "dark")])
def test_nothing_is_wider_than_the_page(open_page, size, theme):
    page = open_page("embedded/encoder@fp32?method=zero-shot", "embedded/decoder@bf16", size=size, theme=theme)
    browsing.run(page, TEXT)
    browsing.wait_finished(page, 2)
    for name in ("Past", "Present", "Future"):
        browsing.tab(page, name)
        width, room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert width <= room, name
    boxes = [page.locator(f"#column-{number}").bounding_box() for number in (1, 2)]
    stacked = boxes[1]["y"] >= boxes[0]["y"] + boxes[0]["height"]
    assert stacked == (size == "phone")


def test_an_encoder_is_trained_kept_and_selected_in_the_browser(open_page):
    page = open_page("embedded/encoder@fp32?method=zero-shot")
    browsing.tab(page, "Past")
    page.get_by_role("button", name="Train an encoder on the task's examples").click()
    browsing.type_number(page, "k, examples a class", "3")
    page.wait_for_timeout(500)  # Gradio's own state follows the field a little later
    page.locator("#train").click()
    expect(page.locator("#training-said")).to_contain_text("Trained on 6 examples", timeout=120_000)
    expect(page.get_by_text("Loss by step")).to_be_visible()
    name = f"browser-{time.time_ns()}"
    page.get_by_label("Name to keep it under").fill(name)
    page.locator("#keep").click()
    expect(page.locator("#training-said")).to_contain_text(f"Kept as trained/{name}")
    page.get_by_role("button", name="Select for the run").click()
    expect(page.locator("#past-candidates")).to_contain_text(f"trained/{name}")
    browsing.run(page, TEXT)
    browsing.wait_finished(page, 2)
    assert browsing.statuses(page) == ["done", "done"]


def test_stop_training_ends_it_and_says_so(open_page):
    page = open_page("embedded/encoder@fp32?method=zero-shot")
    browsing.tab(page, "Past")
    page.get_by_role("button", name="Train an encoder on the task's examples").click()
    page.locator("#train").click()
    expect(page.locator("#training-said")).to_contain_text("step", timeout=120_000)
    page.locator("#stop-training").click()
    expect(page.locator("#training-said")).to_contain_text("stopped", timeout=30_000)


def test_a_file_of_ones_own_becomes_the_task_and_a_bad_one_is_told_by_row(open_page, tmp_path):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    rows = [f"text {n} about {word},{word}" for n in range(4) for word in ("cats", "dogs")]
    good.write_text("text,label\n" + "\n".join(rows))
    bad.write_text("text,label\nfine,cats\n,dogs\n")
    page = open_page("embedded/encoder@fp32?method=few-shot", language="en")
    page.get_by_role("button", name="Your own task").click()
    upload = page.locator("input[type=file]").first
    upload.set_input_files(str(bad))
    expect(page.locator("#task-said")).to_contain_text("rows read")
    page.get_by_role("button", name="Use this file").click()
    expect(page.locator("#task-said")).to_contain_text(re.compile("row 3", re.I))
    page.get_by_role("button", name="Remove this file").or_(page.get_by_label("Clear")).first.click()
    page.locator("input[type=file]").first.set_input_files(str(good))
    expect(page.locator("#task-said")).to_contain_text("8 rows read")
    page.get_by_role("button", name="Use this file").click()
    expect(page.locator("#task-said")).to_contain_text("8 texts, 2 labels")
    browsing.run(page, "a text about cats")
    browsing.wait_finished(page, 1)
    expect(page.locator("#column-1 .lo-verdict")).to_have_text("cats")
    # Another file takes the first one's place, in another language and with other labels.
    german = tmp_path / "deutsch.csv"
    german.write_text("Satz,Klasse,Sprache\n" + "\n".join(f"Satz {n} über {w},{w},de" for n in range(4) for w in "AB"))
    page.get_by_role("button", name="Remove this file").or_(page.get_by_label("Clear")).first.click()
    page.locator("input[type=file]").first.set_input_files(str(german))
    expect(page.locator("#task-said")).to_contain_text("8 rows read")
    page.get_by_role("button", name="Use this file").click()
    expect(page.locator("#task-said")).to_contain_text("in de")
    expect(page.locator("#language")).not_to_contain_text("English")
    browsing.run(page, "Satz über B")
    expect(page.locator("#column-1 .lo-verdict")).to_have_text(re.compile("^[AB]$"), timeout=60_000)


def test_an_edited_answer_word_is_what_the_next_run_is_read_by(open_page):
    page = open_page("embedded/decoder@bf16")
    page.get_by_role("button", name="Your own task").click()
    instruction = page.get_by_label("Instruction (in the chosen language)")
    expect(instruction).to_have_value(re.compile("Positive"))
    page.get_by_label("User turn; {text} stands for the text").fill("no place for it")
    page.get_by_role("button", name="Use this task").click()
    expect(page.locator("#task-said")).to_contain_text("{text}")
    page.get_by_label("User turn; {text} stands for the text").fill("Assessment: {text}")
    page.get_by_role("button", name="Use this task").click()
    expect(page.locator("#task-said")).to_contain_text("changed for this session")
    expect(page.get_by_label("Task", exact=True)).to_have_value(re.compile("yours"))
    browsing.run(page, TEXT)
    browsing.wait_finished(page, 1)
    assert browsing.statuses(page) == ["done"]
