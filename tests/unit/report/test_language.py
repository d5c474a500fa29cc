"""The HTML report speaks the language of whoever asks for it, and leaves what people and models wrote as it is."""

import argparse
import html.parser
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from llmops.cli import COMMANDS
from llmops.core.errors import InputError
from llmops.core.run import Run
from llmops.core.settings import load_settings
from llmops.history import curves, recorded
from llmops.history.store import History
from llmops.report.export import _decision, export
from llmops.report.page import report
from llmops.ui import results_panel
from llmops.ui.services import Services
from tests import german
from tests.support.recorded_rows import DECODER, row

# Names that are the same in both, though no translation says so.
SAME = {"<!doctype html>", "de", "en"}


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """The example that comes with the app: every part of a report is in it."""
    path = tmp_path_factory.mktemp("recorded") / "history.sqlite"
    recorded.offer(path)
    return History(path)


class Headings(html.parser.HTMLParser):
    """What stands in headings, column titles and summaries."""

    def __init__(self, text):
        super().__init__()
        self.found, self._inside = [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        is_column = tag == "th" and ("scope", "col") in attrs
        self._inside = (is_column or tag in ("title", "h1", "h2", "h3", "summary")) and ("translate", "no") not in attrs

    def handle_endtag(self, tag):
        self._inside = False

    def handle_data(self, data):
        if self._inside:
            self.found.append(data.strip())


def written(history, path, **more):
    export(history, history.evaluations()[0].id, path, **more)
    return path.read_text(encoding="utf-8")


def test_a_report_in_german_has_no_english_heading(history, tmp_path):
    english, deutsch = (Headings(written(history, tmp_path / f"{one}.html", language=one)) for one in ("en", "de"))
    assert len(english.found) == len(deutsch.found) > 50
    catalogue, missed = german.catalogue()
    for text, other in zip(english.found, deutsch.found, strict=True):
        assert other == catalogue.text(text)
    assert {"Figures", "Decision", "Learning curve", "Answers", "How it was made"} <= set(english.found)
    assert {"Zahlen", "Entscheidung", "Lernkurve", "Antworten", "Wie es entstand"} <= set(deutsch.found)
    assert set(missed) <= SAME


def test_nothing_else_of_a_report_lacks_german_either(history):
    found = history.evaluations()[0]
    rows = history.rows(found.id)
    catalogue, missed = german.catalogue()
    made = catalogue.document(report(found, rows, curves.found(history)[:1], _decision(found, rows)))
    names = {f"{number}. {name}" for number, name in enumerate(found.candidates, 1)}
    left = {one for one in missed if not one.startswith(("all_at_once", "llm-ops "))}
    assert left <= SAME | names
    for english in ("takes less", "Each pair stands for itself", "UTC, on ", " cores"):
        assert english not in made


def test_the_default_is_english_and_the_file_says_which_it_is(history, tmp_path):
    assert '<html lang="en">' in written(history, tmp_path / "r.html")
    assert '<html lang="de">' in written(history, tmp_path / "r.html", language="de")


def test_texts_labels_and_answers_stay_as_they_were_written(tmp_path):
    history = History(tmp_path / "h.sqlite")
    number = history.begin("t", "T", ["Figures", "out"], "hash", [DECODER], {}, 0)
    said = Run(DECODER, text="Answers 1.5", label="out")
    one = row(DECODER, 0, "Figures", "out")
    history.add_all(number, [replace(one, text="Decision: 1,234.5", run=said)])
    made = written(history, tmp_path / "r.html", language="de")
    for text in ("Decision: 1,234.5", "Figures", "out", "Answers 1.5"):
        assert f'<td translate="no">{text}</td>' in made
    assert '<th scope="col" translate="no">out</th>' in made


def test_an_unknown_language_is_refused_in_words(history, tmp_path):
    with pytest.raises(InputError, match="“fr” is no language of the report"):
        written(history, tmp_path / "r.html", language="fr")


def test_the_command_line_takes_the_language(history, tmp_path, monkeypatch):
    monkeypatch.setenv("LLMOPS_DATA", str(history.path.parent))
    for name, order in (
        ("export", ["1", str(tmp_path / "a.html")]),
        ("history", ["1", "--export", str(tmp_path / "b.html")]),
    ):
        parser = argparse.ArgumentParser()
        COMMANDS[name].add(parser)
        assert COMMANDS[name].run(parser.parse_args([*order, "--language", "de"])) == 0
    assert all("<h2>Zahlen</h2>" in (tmp_path / name).read_text(encoding="utf-8") for name in ("a.html", "b.html"))


@pytest.mark.parametrize(("query", "accepted", "heading"), [({}, "de-DE", "Zahlen"), ({"ui": "en"}, "de", "Figures")])
def test_on_the_page_the_report_comes_in_the_language_of_the_visitor(history, monkeypatch, query, accepted, heading):
    monkeypatch.setenv("LLMOPS_DATA", str(history.path.parent))
    services = Services(load_settings(), None, None)
    with gr.Blocks() as page:
        kept = gr.Dropdown([])
        results_panel.wire(results_panel.build(), kept, kept.change(None), services)
    asked = next(one for one in page.fns.values() if [out.elem_id for out in one.outputs][:1] == ["save-html"])
    request = SimpleNamespace(query_params=query, headers={"accept-language": accepted})
    path, _ = asked.fn(history.evaluations()[0].id, request)
    assert f"<h2>{heading}</h2>" in Path(path).read_text(encoding="utf-8")
