"""A small evaluation with the embedded models: what the rows foretell of a cascade is what the cascade does."""

import threading

import pytest

from llmops.api.compare import make_comparison
from llmops.api.context import ApiContext
from llmops.api.decision import cascade_data, decide_data
from llmops.compare.comparison import run_all
from llmops.core.request import Generation
from llmops.core.run_settings import RunSettings
from llmops.core.settings import Settings
from llmops.data.builtin import load_builtin
from llmops.decision.assumptions import assume
from llmops.decision.cascade import simulate
from llmops.decision.cost import cost
from llmops.decision.decision_report import make_decision_report
from llmops.evaluation.batch_sizes import AnswerMode
from llmops.evaluation.runner import CandidateEnded, EvaluationBegun, evaluate
from llmops.evaluation.spec import EvaluationSpec
from llmops.history.store import History
from llmops.public.quotas import Quotas
from llmops.report import decision as drawn
from tests.support.fake_powercap import fake_powercap
from tests.support.pools import make_pool

TASK = load_builtin("medical")
ENCODER, DECODER = "embedded/encoder@fp32?method=few-shot", "embedded/decoder@bf16"
TEXTS = [example for index, example in enumerate(TASK.split("test")) if index % 3 == 0]
# A price by tokens for both, so that the cost of a text does not hang on how busy the machine is.
PRICES = {"prices": {"embedded/encoder@fp32": [0.02, 0], "embedded/decoder@bf16": [0.75, 4.5]}, "currency": "EUR"}


@pytest.fixture(scope="module")
def limits(tmp_path_factory):
    return Settings(data_dir=tmp_path_factory.mktemp("decision"))


@pytest.fixture(scope="module")
def evaluated(limits):
    """(history, id): both stages, each text alone; then the cascade of the best threshold, really run."""
    history, pool = History(limits.history_path), make_pool(10**9)

    def run(names):
        options = RunSettings("en", Generation(max_new_tokens=24))
        updates = evaluate(
            pool,
            EvaluationSpec(TASK, TEXTS, names, options, mode=AnswerMode(batched=False)),
            history,
            threading.Event(),
        )
        found = list(updates)
        assert [update.error for update in found if isinstance(update, CandidateEnded)] == [None] * len(names)
        return next(update.evaluation_id for update in found if isinstance(update, EvaluationBegun))

    first = run([ENCODER, DECODER])
    found = history.evaluations.get(first)
    made = simulate(history.evaluations.rows(first), ENCODER, DECODER, assume(PRICES, found.machine))
    return history, first, run([made.candidate]), made


def test_a_simulated_cascade_is_what_the_cascade_does_when_it_runs(evaluated):
    history, first, second, made = evaluated
    rows = history.evaluations.rows(first)
    by_place = {name: {row.place: row for row in rows if row.candidate == name} for name in (ENCODER, DECODER)}
    ran = history.evaluations.rows(second)
    asked = [len(row.run.stages) == 2 for row in ran]
    assert 0 < sum(asked) < len(asked)  # both ways were gone
    for row in ran:
        sure = max(by_place[ENCODER][row.place].run.probabilities.values())
        expected = by_place[ENCODER if sure >= made.choice.threshold else DECODER][row.place]
        assert row.y_hat == expected.y_hat
    point = min(made.points, key=lambda point: abs(point.threshold - made.choice.threshold))
    at = assume(PRICES, history.evaluations.get(first).machine)
    really = at.money(1000 * cost(made.candidate, ran, at).usd)
    same = [point for point in made.points if point.asked == pytest.approx(sum(asked) / len(asked))]
    assert same
    assert really == pytest.approx(same[0].cost_per_1000, rel=0.05)
    accuracy = sum(row.y_hat == row.y_true for row in ran) / len(ran)
    assert accuracy == pytest.approx(same[0].accuracy)
    assert point.asked == pytest.approx(same[0].asked, abs=0.1)


def test_the_cascades_times_hold_both_stages(evaluated):
    history, _, second, _ = evaluated
    for row in history.evaluations.rows(second):
        stages = row.run.stages
        assert row.run.timing.e2e_s == pytest.approx(sum(stage.timing.e2e_s for stage in stages))
        assert row.run.memory.weights_bytes > 95_000_000  # both are held


def test_the_board_of_real_rows_prices_local_above_zero_and_draws_everything(evaluated):
    history, first, second, _ = evaluated
    report = make_decision_report(
        history.evaluations.get(first), history.evaluations.rows(first), {"min_macro_f1": 0.9, "currency": "EUR"}
    )
    assert all(figure.cost_per_1000 > 0 for figure in report.figures)
    assert all(figure.energy.wh[0] > 0 for figure in report.figures)
    assert [exclusion.candidate for exclusion in report.decision.excluded] == [ENCODER]
    assert report.decision.choice == DECODER
    page = drawn.whole(report)
    for piece in ("<svg", "Its macro-F1 is", "Nothing leaves this machine", "requests a month", "gpt-5.4-mini"):
        assert piece in page
    assert (
        make_decision_report(history.evaluations.get(second), history.evaluations.rows(second), None).figures[0].leaving
        == 0
    )


def test_programs_answer_with_plain_data_and_errors_in_words(evaluated, limits):
    import json

    _, first, _, _ = evaluated
    data = decide_data(limits, first, {"axis": "latency", "weights": {"quality": 2, "latency": 1}})
    assert json.loads(json.dumps(data))["decision"]["choice"] in (ENCODER, DECODER)
    made = cascade_data(limits, first, ENCODER, DECODER, {"goal": "cost", "min_macro_f1": 0.7})
    assert json.loads(json.dumps(made))["candidate"].startswith("cascade(")
    for given in ({"axis": "beauty"}, {"max_cost": "low"}, {"nonsense": 1}, {"licences": "MIT"}, {"weights": 3}, "{"):
        assert decide_data(limits, first, given)["error"]["remedy"]
    for given in ({"goal": "x"}, {"seed": -1}, {"seed": "a"}, {"max_leaving": 2}, {"axis": "cost"}):
        assert cascade_data(limits, first, ENCODER, DECODER, given)["error"]["remedy"]
    assert decide_data(limits, 999, None)["error"]["kind"] == "history"
    assert decide_data(limits, first, None, owner="somebody else")["error"]["kind"] == "history"


def test_with_a_fake_powercap_tree_real_runs_carry_measured_energy_and_a_cascade_each_stages(tmp_path):
    stop = threading.Event()
    names = [ENCODER, DECODER, f"cascade({ENCODER}, {DECODER}, 1)"]
    with fake_powercap(tmp_path) as powercap:

        def draw():
            while not stop.wait(0.001):
                powercap.add("intel-rapl:0", 0.2)

        thread = threading.Thread(target=draw)
        thread.start()
        try:
            given = {"max_new_tokens": 24}
            pool = make_pool(10**9)
            context = ApiContext(pool, Quotas(pool.settings))
            runs = run_all(make_comparison(context, TASK, "The lift is needed.", names, given))
        finally:
            stop.set()
            thread.join()
    assert [run.error for run in runs] == [None] * 3
    assert runs[1].energy.total_wh > 0
    assert runs[2].energy is None
    assert [stage.energy.covers for stage in runs[2].stages] == [("CPU 0", "memory 0")] * 2
    assert runs[2].to_json()["stages"][1]["energy"]["covers"] == ["CPU 0", "memory 0"]
