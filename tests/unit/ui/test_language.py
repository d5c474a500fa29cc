"""The page's language: told from a request, put into texts, HTML and components; and nothing without German."""

import re

import gradio as gr
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from llmops.i18n.translation import Catalogue, read_pairs
from llmops.public.request_language import language_of
from llmops.public.sharing import MESSAGE
from llmops.ui.language import InLanguage, Page, translate_props, translated_output

PAIRS = [
    ("Run", "Starten"),
    ("{n#} rows read.", "{n} Zeilen gelesen."),
    ("Kept as {name}.", "Behalten als {name}."),
    ("not here: {why!t}", "nicht hier: {why}"),
    ("No hub.", "Kein Hub."),
    ("<b>{title!t}</b> (estimated)", "<b>{title}</b> (geschätzt)"),
]


@pytest.fixture
def catalogue():
    return Catalogue("de", PAIRS)


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ({"ui": "de"}, "en", "de"),
        ({"ui": "en"}, "de-DE,de;q=0.9", "en"),
        ({"ui": "xx"}, "de-AT", "de"),
        ({}, "fr, de;q=0.3, en;q=0.8", "en"),
        ({}, "fr;q=x, de", "de"),
        ({}, "", "en"),
    ],
)
def test_the_address_decides_then_the_browser_then_english(query, accepted, language):
    assert language_of(query, accepted) == language


@pytest.mark.parametrize(
    ("english", "other"),
    [
        (" Run ", " Starten "),
        ("1,234 rows read. Run", "1.234 Zeilen gelesen. Starten"),
        ("Kept as No hub.", "Behalten als No hub."),
        ("x/y@nf4 · not here: No hub.", "x/y@nf4 · nicht hier: Kein Hub."),
        ("1,234.5 tok/s", "1.234,5 tok/s"),
        ("12.5 ms", "12,5 ms"),
        ("nf4: 49.8, 16,384", "nf4: 49,8, 16.384"),
        ("< 0.1 ms", "< 0,1 ms"),
        ("Llama 3.1 and gpt-5.4", "Llama 3.1 and gpt-5.4"),
        ("2026-11-24", "2026-11-24"),
        ("127.0.0.1", "127.0.0.1"),
        ("0.1.0", "0.1.0"),
    ],
)
def test_a_text_is_translated_with_what_stands_in_it_and_figures_get_a_comma(catalogue, english, other):
    assert catalogue.text(english) == other


@pytest.mark.parametrize(
    ("english", "other"),
    [
        ("<p>Run</p>", "<p>Starten</p>"),
        ('<b title="Run">1.5 s</b>', '<b title="Starten">1,5 s</b>'),
        ("<p><b>Run</b> (estimated)</p>", "<p><b>Starten</b> (geschätzt)</p>"),
        ("<code>Run</code> Run", "<code>Run</code> Starten"),
        ('<p translate="no">Run <b>Run</b></p>Run', '<p translate="no">Run <b>Run</b></p>Starten'),
        (
            '<span translate="no">Run<span>Run</span>Run</span> Run',
            '<span translate="no">Run<span>Run</span>Run</span> Starten',
        ),
        ("<p>Kept as &lt;b&gt;&amp;.</p>", "<p>Behalten als &lt;b&gt;&amp;.</p>"),
    ],
)
def test_html_keeps_its_tags_its_escapes_and_foreign_text(catalogue, english, other):
    assert catalogue.html(english) == other


def test_what_visitors_and_models_wrote_is_never_touched(catalogue):
    props = {"value": "Run", "label": "Run", "elem_classes": []}
    translate_props("textbox", props, catalogue)
    assert props == {"value": "Run", "label": "Starten", "elem_classes": []}
    update = {"__type__": "update", "value": "Run", "choices": [("Run", "Run")]}
    assert translated_output("dropdown", [], update, catalogue)["choices"] == [["Starten", "Run"]]
    table = {"headers": ["Run"], "data": [["Run"]]}
    assert translated_output("dataframe", [], table, catalogue) == {"headers": ["Starten"], "data": [["Run"]]}
    assert table["headers"] == ["Run"]
    kept = {"headers": ["Task", "Note"], "data": [["Run", "Run"]]}
    assert translated_output("dataframe", [], kept, catalogue)["data"] == [["Starten", "Run"]]


def test_every_translation_has_the_placeholders_of_its_key():
    for key, value in read_pairs("de"):
        wanted = {name for name, _ in re.findall(r"\{(\w+)(!t|#)?\}", key)}
        assert {name for name, _ in re.findall(r"\{(\w+)(!t|#)?\}", value)} <= wanted, key


def test_no_key_is_so_open_that_it_takes_any_text():
    for key, _ in read_pairs("de"):
        holes = re.findall(r"\{\w+(!t|#)?\}", key)
        literal = re.sub(r"\{\w+(?:!t|#)?\}|<[^<>]+>", "", key)
        if any(mark != "#" for mark in holes):
            assert len(re.findall(r"[^\W\d_]", literal)) >= 2, key


@pytest.fixture(scope="module")
def behind_a_password():
    """A page behind a password, in the language of each visitor."""
    with Page() as page:
        gr.Markdown("Run")
    app = gr.mount_gradio_app(FastAPI(), page, path="/", auth=("who", "secret"), auth_message=MESSAGE)
    return InLanguage(app)


@pytest.mark.parametrize(
    ("query", "accepted", "words"),
    [("", "de", "hat das Passwort"), ("", "fr, en", MESSAGE), ("?ui=de", "en", "hat das Passwort"), ("", "", MESSAGE)],
)
def test_the_page_asks_for_the_password_in_the_visitors_language(behind_a_password, query, accepted, words):
    assert words in TestClient(behind_a_password).get(f"/{query}", headers={"accept-language": accepted}).text


def test_requests_without_the_pages_address_are_told_its_language_by_a_cookie_where_it_is_not_the_browsers(
    behind_a_password,
):
    def told(path, **headers):
        visitor.headers.update({"accept-language": "en", **headers})
        return visitor.get(path)

    visitor = TestClient(behind_a_password)
    assert "set-cookie" not in told("/").headers
    assert "llmops_ui=de; Path=/; HttpOnly; SameSite=Lax" in told("/?ui=de").headers["set-cookie"]
    assert "hat das Passwort" in told("/config").text
    assert "set-cookie" not in told("/?ui=de").headers
    assert "llmops_ui=en" in told("/").headers["set-cookie"]
    assert MESSAGE in told("/config").text


def test_the_page_has_a_bounded_queue_and_no_way_past_it_without_being_asked_for_one():
    with Page() as page:
        pass
    assert page._queue.max_size == 64
    assert page.api_open is False
