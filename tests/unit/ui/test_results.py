"""What is read of an evaluation: filtered pages, the ladder's flips, two side by side, plots and the report."""

import html.parser
import re

import pytest

from llmops.core.errors import InputError
from llmops.core.run import Memory, Run, Timing
from llmops.evaluation.curve import parity
from llmops.evaluation.ladder import ladders, rungs
from llmops.evaluation.metrics import measure
from llmops.evaluation.side_by_side import side_by_side
from llmops.history.curves import CurvePoint
from llmops.history.evaluations import LabelledAnswer, Row
from llmops.history.store import History
from llmops.report.curve import curve
from llmops.report.export import export
from llmops.report.ladder import beside
from llmops.ui import results
from llmops.ui.results import Filter
from tests.support.history_rows import begin, draw

TOP, LOW = "embedded/decoder@bf16", "embedded/decoder@nf4"
EVIL = '<img src=x onerror=alert(1)> "quoted" & more'


def row(place, candidate, y_hat, y_true="a", text=None, language="en", said=EVIL):
    shares = {"a": 0.8, "b": 0.2} if y_hat == "a" else {"a": 0.3, "b": 0.7}
    timing, memory = Timing(e2e_s=0.1), Memory(weights_bytes=10, peak_bytes=0)
    run = Run(candidate, text=said, label=y_hat, probabilities=shares, timing=timing, memory=memory)
    unparsed = y_hat is None
    return Row(candidate, place, 0, text or f"text {place}", language, y_true, y_hat, unparsed, False, "", run)


def pair(count):
    """`count` texts; nf4 flips every tenth, and half of those were right."""
    made = []
    for place in range(count):
        true, language = "ab"[place % 2], ("de", "en")[place % 3 == 0]
        other = "ab"[(place + 1) % 2]
        made.append(row(place, TOP, true if place % 20 else other, true, language=language))
        made.append(
            row(place, LOW, (other if place % 20 else true) if place % 10 == 0 else true, true, language=language)
        )
    return made


@pytest.fixture
def kept(tmp_path):
    history = History(tmp_path / "h.sqlite")
    number = begin(
        history,
        task_name=f"T {EVIL}",
        data_hash="hash",
        candidates=(TOP, LOW),
        left_out=3,
        left_out_why={"in the prompt": 3},
    )
    history.evaluations.add_rows(number, pair(40))
    return history, number


def test_rows_are_filtered_and_paged():
    rows = pair(120)
    table, said, at = results.page(rows, Filter(), 1)
    assert (len(table["data"]), said, at) == (50, "51 to 100 of 120 texts", 1)
    assert table["headers"][4:] == [TOP, LOW]
    assert results.page(rows, Filter(), 99)[2] == 2
    assert results.page(rows, Filter(), -5)[2] == 0
    count = lambda **chosen: results.page(rows, Filter(**chosen), 0)[1].rpartition("of ")[2]  # noqa: E731
    assert count(which="disagree") == "12 texts"
    assert count(which="wrong") == "12 texts"
    assert count(which="wrong", who=LOW) == "6 texts"
    assert count(label="a") == "60 texts"
    assert count(language="en") == "40 texts"
    assert count(words="TEXT 11") == "11 texts"
    assert results.page(rows, Filter(words="nowhere"), 0)[1] == "No text fits."


def test_the_answers_of_a_text_are_shown_in_full_and_escaped():
    shown = results.answers([row(0, TOP, "a", text=EVIL), row(0, LOW, None, text=EVIL)])
    assert "<img" not in shown
    assert shown.count("&lt;img") == 3
    assert "80.0 % sure" in shown
    assert "✗ unparsed" in shown


def test_a_ladder_tells_which_verdicts_flip_and_whether_for_the_better():
    rows = pair(40)
    (ladder,) = ladders(rows, measure(rows, ["a", "b"]))
    top, low = ladder.rungs
    assert (ladder.model, top.precision, low.precision) == ("embedded/decoder", "bf16", "nf4")
    assert (len(top.flips), len(low.flips), low.better, low.worse) == (0, 4, 2, 2)
    assert [flip.place for flip in low.flips] == [0, 10, 20, 30]
    assert ladders(rows[::2], measure(rows[::2], ["a", "b"])) == []
    assert rungs("embedded/decoder") == [
        f"embedded/decoder@{precision}" for precision in ("fp32", "bf16", "int8", "nf4")
    ]
    assert rungs("embedded/encoder@int8?method=setfit") == [
        f"embedded/encoder@{precision}?method=setfit" for precision in ("fp32", "int8")
    ]
    with pytest.raises(InputError, match="elsewhere"):
        rungs("openai/gpt-5.4-mini")


def test_two_evaluations_are_laid_side_by_side_by_candidate_and_text(kept):
    history, number = kept
    other = begin(history, data_hash="other", candidates=(TOP,), settings={"seed": 1}, left_out=0)
    history.evaluations.add_rows(other, [row(place, TOP, "a", "a", text=f"text {place + 20}") for place in range(40)])
    both = side_by_side(history, number, other)
    top, low = both.candidates
    assert (top.common, low.common, low.other, low.pair) == (20, 0, None, None)
    assert top.agreement == pytest.approx(
        sum("ab"[n % 2] == "a" if n % 20 else True for n in range(20, 40)) / 20, abs=0.1
    )
    shown = beside(both)
    assert "Settings that differ (A / B): seed 0 / 1." in shown
    assert f"{TOP}: " in shown


def test_a_report_is_one_file_that_asks_nothing_of_anyone_and_runs_nothing(kept, tmp_path):
    history, number = kept
    points = [CurvePoint(k, seed, 0.4 + k / 20, 0.4, 0.1) for k in (1, 2, 4) for seed in (0, 1)]
    draw(history, points, {TOP: 0.5, LOW: 0.9}, "hash")
    export(history, number, tmp_path / "r.html", "<p>The decision.</p>")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    tags, links = set(), []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.add(tag)
            links.extend(
                value for name, value in attrs if name in ("src", "href", "action", "srcset") or name[:2] == "on"
            )

    Reader().feed(text)
    assert not tags & {"script", "img", "link", "iframe", "form", "object"}
    assert links == []
    assert not re.search(r"url\(|@import|https?://", text)
    assert "default-src 'none'" in text
    for words in ("Reliability", "The decision.", "Precision ladder", "Learning curve", "3 in the prompt", "Answers"):
        assert words in text


def test_parity_is_the_first_k_that_reaches_a_line(kept):
    history, _ = kept
    points = [
        CurvePoint(k, seed, {1: 0.5, 4: 0.7, 8: 0.8}[k] + seed / 10, 0.4, 0.1) for k in (8, 1, 4) for seed in (0, 1)
    ]
    made = history.curves.get(draw(history, points, {"x": 0.75, "y": 0.9}))
    assert parity(made) == {"x": 4, "y": None}
    shown = curve(made)
    assert "4 examples a class reach x (75.0 %)." in shown
    assert "Up to 8 examples a class it stays below y (90.0 %)." in shown
    assert shown.count("<path") == 9 + 1  # the last is the key's


def test_the_table_is_made_of_rows_without_their_runs(kept):
    history, number = kept
    light = history.evaluations.verdicts(number)
    assert [type(answer) for answer in light] == [LabelledAnswer] * 80
    assert results.page(light, Filter(), 0) == results.page(history.evaluations.rows(number), Filter(), 0)
    assert [answer.run.text for answer in history.evaluations.answers(number, 3)] == [EVIL, EVIL]
