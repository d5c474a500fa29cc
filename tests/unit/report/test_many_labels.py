"""77 labels and 3,080 texts, as banking77 has them: figures, report and exports."""

import random
import re
from html import unescape

import pytest

from llmops.core.run import Run
from llmops.evaluation.metrics import measure
from llmops.history.store import History
from llmops.report.confusion import confused_pairs
from llmops.report.export import export
from llmops.report.figures import figures
from llmops.ui import render
from tests import german
from tests.support.history_rows import begin
from tests.support.recorded_rows import DECODER, ENCODER, row

LABELS = tuple(f"card_{place}_<fee>" for place in range(77))
TEXTS = 40  # a label


def answers(candidate, right):
    rng = random.Random(candidate)
    found = []
    for place in range(TEXTS * len(LABELS)):
        number = place % len(LABELS)
        true, near = LABELS[number], LABELS[(number + 1) % len(LABELS)]
        said = true if rng.random() < right else near if rng.random() < 0.7 else rng.choice(LABELS)
        found.append(row(candidate, place, true=true, said=said))
    return found


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    history = History(tmp_path_factory.mktemp("many") / "history.sqlite")
    number = begin(history, labels=LABELS, candidates=(ENCODER, DECODER))
    rows = [*answers(ENCODER, 0.9), *answers(DECODER, 0.7)]
    history.evaluations.add_rows(number, rows)
    return history, number, rows


def test_the_most_confused_pairs_come_before_a_heat_map_of_all(kept):
    history, number, rows = kept
    shown = figures(history.evaluations.get(number), rows)
    assert 0 < shown.index("Said instead") < shown.index('<svg class="lo-heat"')
    assert shown.count('<svg class="lo-heat"') == 2
    assert "lo-confusion" not in shown  # no table of 77 · 77 numbers
    assert "<fee>" not in shown
    (_, decoder) = measure(rows, LABELS)
    pairs = confused_pairs(decoder)
    *_labels, texts, share = pairs[0]
    assert texts == max(
        sum(r.y_true == t and r.y_hat == s for r in rows if r.candidate == DECODER) for t, s, _, _ in pairs
    )
    assert share == texts / TEXTS
    assert sum(pair[2] for pair in pairs) == round((1 - decoder.accuracy) * len(rows) / 2)
    squares = sum(len(line) for metrics in measure(rows, LABELS) for line in metrics.confusion.values())
    assert len(re.findall(r"<rect[^>]*fill-opacity", shown)) == squares


def test_of_many_labels_the_worst_come_first(kept):
    history, number, rows = kept
    shown = figures(history.evaluations.get(number), [answer for answer in rows if answer.candidate == ENCODER])
    worst = min(measure(rows, LABELS)[0].by_label.items(), key=lambda label: label[1].f1)[0]
    table = shown[shown.index("Precision, recall and F1 of each label") :]
    assert re.search(r"card_\d+_&lt;fee&gt;", table).group() == worst.replace("<fee>", "&lt;fee&gt;")


@pytest.mark.parametrize("ending", ["xlsx", "csv", "jsonl", "html"])
def test_every_export_holds_all_labels(kept, tmp_path, ending):
    history, number, _ = kept
    export(history, number, tmp_path / f"many.{ending}")
    assert (tmp_path / f"many.{ending}").stat().st_size > 100_000
    if ending != "xlsx":
        text = unescape((tmp_path / f"many.{ending}").read_text(encoding="utf-8"))
        assert all(label in text for label in LABELS)


def test_of_many_probabilities_the_five_likeliest_are_shown_and_how_many_there_are_beside():
    shares = dict.fromkeys(LABELS, 1 / 100) | {LABELS[40]: 0.24}
    shown = render._probabilities(Run("c", probabilities=shares), {})
    assert shown.count('class="lo-prob"') == 5
    assert shown.index("card_40_") < shown.index("card_0_")
    assert "and 72 more" in shown
    two = render._probabilities(Run("c", probabilities={"a": 0.1, "b": 0.9}), {})
    assert two.index(">a<") < two.index(">b<")
    assert "more" not in two
    catalogue, _ = german.catalogue()
    assert "und 72 weitere" in catalogue.html(shown)
    for title in ("Said instead", "Of the label's texts", "And 1,234 more pairs."):
        assert catalogue.text(title) != title
