"""A cascade as a candidate: which stage answers, what it took, and that two models held at once block nobody.

Engines are scripted; a cascade of real models is in tests/integration/decision/test_cascade.py.
"""

import threading

import pytest

from llmops.compare.comparison import Comparison, run_all
from llmops.core.candidate import parse_candidate
from llmops.core.errors import OutOfMemory
from llmops.core.events import Finished, Started, Token
from llmops.core.request import Connection, Job, Request
from llmops.core.run import Memory, Run, Source, Timing
from llmops.core.run_settings import RunSettings
from llmops.data.builtin import load_builtin
from llmops.runtime.cascade import CascadeModel
from llmops.runtime.lease import Lease
from llmops.runtime.transfers import Transfers
from tests.support.pools import make_pool
from tests.support.scripted import TASK, Boom, ScriptedEngine

FIRST, SECOND = "one:1:1@fp32?kind=encoder", "two:3:1@bf16"
BOTH = f"cascade({FIRST}, {SECOND}, 0.8)"


def _run(engine, texts, budget=1000, connection=None, **options):
    pool = make_pool(budget, lambda kind: engine)
    return run_all(
        Comparison(pool, TASK, "x", texts, RunSettings("en", connection=connection or Connection(), **options))
    )


def test_a_sure_first_stage_answers_alone():
    (run,) = _run(ScriptedEngine(sure=0.8), [BOTH])
    assert run.error is None
    assert run.text == "one"
    assert [stage.candidate for stage in run.stages] == [FIRST]
    assert any("answered: 80.0 % sure" in note for note in run.notes)


def test_an_unsure_first_stage_hands_on_and_the_record_says_why():
    (run,) = _run(ScriptedEngine(sure=0.79), [BOTH])
    assert run.text == "two"
    assert [stage.candidate for stage in run.stages] == [FIRST, SECOND]
    assert any("79.0 % sure, below 0.8" in note for note in run.notes)
    assert run.memory.weights_bytes == 200


def test_a_first_stage_that_cannot_read_the_text_hands_on():
    (run,) = _run(ScriptedEngine(sure=0.9, errors={"one": Boom("too long", "cut it")}), [BOTH])
    assert run.error is None
    assert run.text == "two"
    assert any("too long" in note for note in run.notes)


def test_a_failing_second_stage_is_the_runs_own_error_and_says_which_stage_it_was():
    (run,) = _run(ScriptedEngine(sure=0.5, errors={"two": Boom("broken", "mend it")}), [BOTH])
    assert run.error.kind == "boom"
    assert run.error.message == "Second stage: broken"
    assert run.error.remedy == "mend it"


def test_an_unforeseen_failure_of_the_second_stage_keeps_its_kind():
    (run,) = _run(ScriptedEngine(sure=0.5, errors={"two": ValueError("odd")}), [BOTH])
    assert run.error.kind == "unexpected"
    assert "odd" in run.error.message


class Timed:
    """A model whose figures are given."""

    def __init__(self, name, run, device="cpu"):
        self.run_, self.device, self.weights_bytes, self.notes = run, device, 10, (f"note of {name}",)
        self.load_s = self.before_bytes = None

    def run(self, request):
        yield Started()
        yield Token("t")
        yield Finished(self.run_)


def test_ttft_and_e2e_hold_the_work_of_both_stages():
    client = {"timing": Source.CLIENT}
    first = Run("", label="a", probabilities={"a": 0.6, "b": 0.4}, timing=Timing(e2e_s=0.1, prompt_tokens=7))
    timing = Timing(ttft_s=0.5, e2e_s=2.5, prompt_tokens=20, output_tokens=5)
    second = Run("", "said", "b", timing=timing, memory=Memory(5, 3, 2, None, "cuda:0"), source=client)
    stages = parse_candidate(BOTH).stages
    models = (Timed("one", first), Timed("two", second, "cuda:0"))
    leases = [Lease(stage, model, None, 0.0, Transfers()) for stage, model in zip(stages, models, strict=True)]
    events = list(CascadeModel(parse_candidate(BOTH), *leases).run(Request(TASK, "x", "en")))
    run = events[-1].run
    assert (run.timing.ttft_s, run.timing.e2e_s) == (pytest.approx(0.6), pytest.approx(2.6))
    assert run.timing.tpot_s == pytest.approx(0.5)  # the second stage's own: (2.5 - 0.5) / 4
    assert (run.timing.prompt_tokens, run.timing.output_tokens) == (27, 5)
    assert run.memory == Memory(20, 3, 2, None, "cpu+cuda:0")
    assert (run.label, run.text) == ("b", "said")
    assert "note of two" in run.notes
    assert [stage.timing.e2e_s for stage in run.stages] == [0.1, 2.5]
    assert [stage.device for stage in run.stages] == ["cpu", "cuda:0"]


def test_stages_that_do_not_fit_together_are_refused_with_both_numbers():
    engine = ScriptedEngine(weights_bytes=200_000_000)
    (run,) = _run(engine, [BOTH], budget=300_000_000)
    assert run.error.kind == OutOfMemory.kind
    assert "0.4 GB" in run.error.message
    assert "0.3 GB" in run.error.message
    assert engine.loads == []


def test_nothing_leaves_this_machine_blocks_a_cascade_with_a_remote_stage_before_anything_is_loaded():
    engine = ScriptedEngine(sure=0.99)
    (run,) = _run(engine, [f"cascade({FIRST}, openai/two:1:1, 0.5)"], connection=Connection(local_only=True))
    assert run.error.kind == "privacy"
    assert engine.loads == []


def test_cascades_that_share_their_models_and_single_runs_never_block_each_other():
    texts = [BOTH, "cascade(one:1:1@fp32?kind=encoder, three:2:1@bf16, 0.8)", "two:3:1@bf16", "three:2:1@bf16"]
    texts += ["cascade(zero:1:1@fp32?kind=encoder, two:3:1@bf16, 0.8)", FIRST]
    engine = ScriptedEngine(sure=0.5)
    pool = make_pool(1000, lambda kind: engine)

    def visit():
        done.append(run_all(Comparison(pool, TASK, "x", texts, RunSettings("en", all_at_once=True))))

    done: list = []
    threads = [threading.Thread(target=visit, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(done) == 4
    assert all(run.error is None for runs in done for run in runs)
    assert all(model.most_running == 1 for model in engine.models.values())


class TwoDevices(ScriptedEngine):
    """Encoders on the CPU, decoders on a GPU."""

    def device(self, candidate, connection):
        return "cpu" if candidate.option("kind") == "encoder" else "cuda:0"


def waiting(turn, name):
    """An event that is set once the turn has come."""
    came = threading.Event()
    wait = threading.Thread(target=lambda: (turn.wait(threading.Event(), lambda ahead: None), came.set()), name=name)
    wait.start()
    return came


def test_a_cascade_over_two_devices_waits_in_both_queues_and_leaves_both(monkeypatch):
    monkeypatch.setattr("llmops.runtime.pool.held_bytes", lambda device: 0)
    engine = TwoDevices(sure=0.5)
    pool = make_pool(1000, lambda kind: engine)
    candidate = parse_candidate(BOTH)
    assert pool.device(candidate, Connection()) == "cpu+cuda:0"
    cpu, gpu = pool.queues.enter("cpu"), pool.queues.enter("cuda:0")
    both, later = pool.queues.enter("cpu+cuda:0"), pool.queues.enter("cpu")
    order = [waiting(both, "both"), waiting(later, "later")]
    cpu.leave()
    assert not order[0].wait(0.3)
    assert not order[1].is_set()
    gpu.leave()
    assert order[0].wait(5)
    assert not order[1].is_set()
    both.leave()
    assert order[1].wait(5)
    later.leave()
    with pool.exclusive(candidate, TASK, Job()) as lease:
        assert lease.model.device == "cpu"  # as the scripted models say
    assert pool.unload(candidate, TASK) is not None
    assert pool.loaded() == {}


def test_the_link_of_a_page_keeps_a_cascade():
    from llmops.core.candidate import Epoch
    from llmops.planning import links

    text = "cascade(embedded/encoder@fp32, embedded/decoder@bf16, 0.9)"
    found = links.read({"task": [load_builtin("medical").id], "c": [text]}, 8)
    assert found.of(Epoch.PRESENT) == [text]
