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
from llmops.history import recorded
from llmops.history.store import History
from llmops.report.export import _decision, export
from llmops.report.page import report
from llmops.ui import results_panel
from llmops.ui.services import Services
from tests import german
from tests.support.history_rows import begin
from tests.support.recorded_rows import DECODER, row

# Names that are the same in both, though no translation says so.
SAME = {"<!doctype html>", "de", "en"}


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """The example that comes with the app: every part of a report is in it."""
    path = tmp_path_factory.mktemp("recorded") / "history.sqlite"
    recorded.offer(path)
    return History(path)


@pytest.fixture(scope="module")
def reports(history, tmp_path_factory):
    """Of the example, by language; None: told none."""
    folder = tmp_path_factory.mktemp("reports")
    return {
        language: written(history, folder / f"{language}.html", **({"language": language} if language else {}))
        for language in (None, "en", "de")
    }


@pytest.fixture
def short_history(tmp_path):
    """An evaluation of one text."""
    history = History(tmp_path / "history.sqlite")
    number = begin(history, labels=("Figures", "out"), candidates=(DECODER,), settings={}, left_out=0)
    answer = Run(DECODER, text="Answers 1.5", label="out")
    history.evaluations.add_rows(
        number, [replace(row(DECODER, 0, "Figures", "out"), text="Decision: 1,234.5", run=answer)]
    )
    return history


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
    export(history, history.evaluations.newest()[0].id, path, **more)
    return path.read_text(encoding="utf-8")


def test_a_report_in_german_has_no_english_heading(reports):
    english, deutsch = (Headings(reports[language]) for language in ("en", "de"))
    assert len(english.found) == len(deutsch.found) > 50
    catalogue, missed = german.catalogue()
    for text, other in zip(english.found, deutsch.found, strict=True):
        assert other == catalogue.text(text)
    assert {"Figures", "Decision", "Learning curve", "Answers", "How it was made"} <= set(english.found)
    assert {"Zahlen", "Entscheidung", "Lernkurve", "Antworten", "Wie es entstand"} <= set(deutsch.found)
    assert set(missed) <= SAME


def test_nothing_else_of_a_report_lacks_german_either(history):
    evaluation = history.evaluations.newest()[0]
    rows = history.evaluations.rows(evaluation.id)
    catalogue, missed = german.catalogue()
    text = catalogue.document(report(evaluation, rows, history.curves.newest()[:1], _decision(evaluation, rows)))
    names = {f"{number}. {name}" for number, name in enumerate(evaluation.candidates, 1)}
    left = {phrase for phrase in missed if not phrase.startswith(("all_at_once", "llm-ops "))}
    assert left <= SAME | names
    for english in ("takes less", "corrected by Holm", "UTC, on ", " cores"):
        assert english not in text


def test_the_default_is_english_and_the_file_says_which_it_is(reports):
    assert '<html lang="en">' in reports[None]
    assert '<html lang="de">' in reports["de"]


def test_texts_labels_and_answers_stay_as_they_were_written(short_history, tmp_path):
    text = written(short_history, tmp_path / "r.html", language="de")
    for cell in ("Decision: 1,234.5", "Figures", "out", "Answers 1.5"):
        assert f'<td translate="no">{cell}</td>' in text
    assert '<th scope="col" translate="no">out</th>' in text


def test_an_unknown_language_is_refused_in_words(history, tmp_path):
    with pytest.raises(InputError, match="“fr” is no language of the report"):
        written(history, tmp_path / "r.html", language="fr")


def test_the_command_line_takes_the_language(short_history, tmp_path, monkeypatch):
    monkeypatch.setenv("LLMOPS_DATA", str(short_history.path.parent))
    for name, order in (
        ("export", ["1", str(tmp_path / "a.html")]),
        ("history", ["1", "--export", str(tmp_path / "b.html")]),
    ):
        parser = argparse.ArgumentParser()
        COMMANDS[name].add(parser)
        assert COMMANDS[name].run(parser.parse_args([*order, "--language", "de"]), load_settings()) == 0
    assert all("<h2>Zahlen</h2>" in (tmp_path / name).read_text(encoding="utf-8") for name in ("a.html", "b.html"))


@pytest.mark.parametrize(("query", "accepted", "heading"), [({}, "de-DE", "Zahlen"), ({"ui": "en"}, "de", "Figures")])
def test_on_the_page_the_report_comes_in_the_language_of_the_visitor(
    short_history, monkeypatch, query, accepted, heading
):
    monkeypatch.setenv("LLMOPS_DATA", str(short_history.path.parent))
    services = Services(load_settings(), None, None)
    with gr.Blocks() as page:
        kept = gr.Dropdown([])
        results_panel.wire(results_panel.build(), kept, kept.change(None), services)
    save = next(event for event in page.fns.values() if [out.elem_id for out in event.outputs][:1] == ["save-html"])
    request = SimpleNamespace(query_params=query, headers={"accept-language": accepted})
    path, _ = save.fn(short_history.evaluations.newest()[0].id, request)
    assert f"<h2>{heading}</h2>" in Path(path).read_text(encoding="utf-8")
