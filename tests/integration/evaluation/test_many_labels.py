"""150 labels from a file to verdicts, figures, plots and exports, with an encoder and a decoder."""

import threading

import pytest

from llmops.core.request import Generation
from llmops.core.run_settings import RunSettings
from llmops.core.settings import Settings
from llmops.evaluation.batch_sizes import AnswerMode
from llmops.evaluation.runner import CandidateEnded, evaluate
from llmops.evaluation.spec import EvaluationSpec
from llmops.history.store import History
from llmops.report.export import FORMATS, export
from llmops.report.figures import figures
from tests.support.pools import make_pool
from tests.support.reading import read_own_task

ENCODER, DECODER = "embedded/encoder@fp32?method=few-shot", "embedded/decoder@bf16"
LABELS = [f"{area} {number}" for area in ("billing", "shipping", "account") for number in range(50)]


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    ways = ("today", "soon", "now", "or never")
    rows = [f"Please help me with {label} {way}.,{label}" for label in LABELS for way in ways]
    (folder / "many.csv").write_text("text,label\n" + "\n".join(rows), encoding="utf-8")
    task = read_own_task(folder / "many.csv", None, None, Settings(folder)).task
    history = History(folder / "history.sqlite")
    spec = EvaluationSpec(
        task,
        task.split("test")[::3],
        [ENCODER, DECODER],
        RunSettings("en", Generation(max_new_tokens=8), long_texts="windows"),
        mode=AnswerMode(batched=True, verdict_only=True),
    )
    begun, *updates = list(evaluate(make_pool(10**9), spec, history, threading.Event()))
    return history, begun, [update for update in updates if isinstance(update, CandidateEnded)]


def test_every_text_has_a_probability_of_every_label(evaluated):
    history, begun, ended = evaluated
    assert [end.error for end in ended] == [None, None]
    rows = history.evaluations.rows(begun.evaluation_id)
    assert len(rows) == 2 * begun.texts
    assert not any(row.failed for row in rows)
    for row in rows:
        assert len(row.run.probabilities) == 150
        assert sum(row.run.probabilities.values()) == pytest.approx(1, abs=1e-4)


def test_figures_show_the_most_confused_pairs_a_heat_map_and_every_label_that_was_seen(evaluated):
    history, begun, _ = evaluated
    evaluation, rows = history.evaluations.get(begun.evaluation_id), history.evaluations.rows(begun.evaluation_id)
    shown = figures(evaluation, rows)
    assert "Said instead" in shown and "more pairs" in shown
    sortable = shown[shown.index("lo-sortable") :]
    seen = {(row.candidate, label) for row in rows for label in (row.y_true, row.y_hat) if label}
    assert sortable[: sortable.index("</table>")].count("<tr>") == 1 + len(seen)
    assert len(shown) < 2_000_000


@pytest.mark.parametrize("kind", FORMATS)
def test_every_export_has_them(evaluated, tmp_path, kind):
    history, begun, _ = evaluated
    path = tmp_path / f"many.{kind}"
    export(history, begun.evaluation_id, path)
    assert path.stat().st_size > 10_000
