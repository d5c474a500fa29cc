"""Gradio's page in the browser: its template and its built scripts, read as they are shipped.

That the mending works in a browser is tested there: browser/test_accessibility (keyboard, names), browser/test_space
(sign in), browser/test_page (language).
"""

import re
from functools import cache
from pathlib import Path

import gradio as gr
import pytest
from gradio.components import login_button

from llmops.compat import gradio_page

FRONTEND = Path(gr.__file__).parent / "templates" / "frontend"


@cache
def scripts():
    """Text of each of Gradio's own scripts that lays out something."""
    return {path.name: path.read_text(encoding="utf-8") for path in (FRONTEND / "assets").glob("Index*.js")}


def scripts_with(words):
    found = [text for text in scripts().values() if words in text]
    assert found, f"no script of Gradio's has {words} any more"
    return found


def test_a_tables_search_field_still_has_only_a_tooltip_for_a_name():
    for text in scripts_with("search-input"):
        for match in re.finditer("search-input", text):
            around = text[match.start() - 200 : match.end() + 200]
            assert "title" in around and "placeholder" in around
            assert "aria-label" not in around, "the search field's name is no longer needed in MEND_JS"


def test_tabs_still_do_not_follow_the_arrow_keys():
    for text in scripts_with("data-tab-id"):
        assert "ArrowRight" not in text, "the arrow keys are no longer needed in MEND_JS"
        assert "`tablist`" in text or 'role="tablist"' in text
        assert "`tab`" in text or 'role="tab"' in text


def test_an_accordions_button_still_has_the_classes_that_tell_it_is_closed():
    assert any(re.search(r"`label-wrap [^`]*`[^;]*\{open:", text) for text in scripts_with("label-wrap"))


def test_the_sign_in_script_still_leaves_its_address_open_and_goes_by_english_words():
    script = login_button._js_handle_redirect
    assert "buttonValue === BUTTON_DEFAULT_VALUE" in script, "leave_js is no longer needed for other languages"
    assert "uri + window.location.search" in script, "leave_js is no longer needed for the address"
    for path in ("/login/huggingface?_target_url=", "/logout?_target_url="):
        assert path in script
    assert '["a"].includes(said)' in gradio_page.leave_js('["a"]')


def test_the_page_still_says_english_and_speaks_what_the_browser_does():
    template = (FRONTEND / "index.html").read_bytes()
    assert template.count(b'lang="en"') == 1, "html_in no longer finds where the page says its language"
    assert template.count(b"<head>") == 1
    assert any(re.search(r"navigator\.languages?\b", path.read_text(encoding="utf-8")) for path in _all_scripts())
    german = gradio_page.html_in(template, "de")
    assert b'lang="de"' in german and b'lang="en"' not in german
    assert german.index(b'["language", "de"]') < german.index(b"<meta")


def _all_scripts():
    return (FRONTEND / "assets").glob("*.js")


@pytest.mark.parametrize("name", ["tab_selector", "closed_selector", "save_js"])
def test_what_finds_a_part_of_the_page_names_it(name):
    assert "some-id" in getattr(gradio_page, name)("some-id")
