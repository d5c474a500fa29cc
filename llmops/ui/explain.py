"""Explanations where a word is met: a short sentence, and more behind one click or key press.

The texts are data (words/terms.toml), in both languages; the German goes through the catalogue like everything else.
"""

import tomllib
from functools import cache
from html import escape as _e
from typing import Any

import gradio as gr

from llmops.i18n.translation import WORDS_DIR


@cache
def words(name: str) -> dict[str, dict[str, dict[str, str]]]:
    """A file of words: id → part → language → text."""
    entries: dict[str, Any] = tomllib.loads((WORDS_DIR / f"{name}.toml").read_text(encoding="utf-8"))
    return entries


def terms(*ids: str) -> str:
    """The terms as HTML: <details> that open by mouse and keyboard."""
    return f'<div class="lo-terms">{"".join(_term(words("terms")[term]) for term in ids)}</div>'


def _term(term: dict[str, dict[str, str]]) -> str:
    name, short, more = (_e(term[part]["en"], quote=False) for part in ("name", "short", "more"))
    return f"<details><summary><b>{name}</b><span>{short}</span></summary><p>{more}</p></details>"


def build(*ids: str) -> gr.HTML:
    """Lay out an explanation of some terms."""
    return gr.HTML(terms(*ids), padding=False)
