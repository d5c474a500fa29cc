"""Load and context probes against the embedded models, a real server, and a fake endpoint that misbehaves."""

import threading

import pytest

from llmops.core.errors import InputError, LlmopsError
from llmops.core.request import Connection, Generation, Job
from llmops.core.run_settings import RunSettings
from llmops.data.builtin import load_builtin
from llmops.embedded import DECODER_DIR
from llmops.probes import context, load
from llmops.probes.target import ProbeTarget
from tests.support.fake_endpoint import FakeEndpoint
from tests.support.pools import make_pool

TASK = load_builtin("medical")
TEXTS = [example.text for example in TASK.split("test", "en")]


def probe_load(candidate, url=None, stop=None, **settings):
    options = RunSettings("en", connection=Connection(base_url=url, retries=0, timeout_s=10))
    chosen = load.LoadSettings.read({"levels": (1, 4), "requests_each": 8, "max_new_tokens": 8, **settings})
    job = Job(stop=stop or threading.Event())
    return list(load.load_probe(make_pool(10**9), ProbeTarget(TASK, candidate, options), chosen, job))


def probe_context(candidate, url=None, stop=None, language="en", **settings):
    options = RunSettings(language, Generation(max_new_tokens=24), Connection(base_url=url, retries=0, timeout_s=10))
    chosen = context.ContextSettings.read({"lengths": (64, 256), "depths": (0.0, 0.5, 1.0), **settings})
    job = Job(stop=stop or threading.Event())
    return list(context.context_probe(make_pool(10**9), ProbeTarget(TASK, candidate, options), chosen, job))


@pytest.mark.parametrize("candidate", ["embedded/decoder@bf16", "embedded/decoder@nf4"])
def test_a_local_decoder_answers_parallel_requests_as_a_batch(candidate):
    single, four = probe_load(candidate)
    assert (single.users, four.users) == (1, 4)
    for point in (single, four):
        assert (point.requests, point.failures, point.errors) == (8, 0, ())
        assert set(point.ttft_s) == {"p50", "p90", "p99"}
        assert 0 < point.ttft_s["p50"] <= point.ttft_s["p90"] <= point.ttft_s["p99"]
        assert point.tpot_s["p50"] > 0
        assert point.requests_per_s > 0
        assert point.output_tokens_per_s > 0
        assert point.goodput_per_s <= point.requests_per_s
    assert single.memory_per_request_bytes is None
    assert four.memory_per_request_bytes is None or four.memory_per_request_bytes > 0


@pytest.mark.parametrize(
    ("lowest", "peak", "users", "more"),
    [(100, 400, 4, 100), (100, 100, 4, None), (100, 40, 4, None), (None, 400, 4, None), (100, 400, 1, None)],
)
def test_memory_a_request_more_is_blank_where_nothing_tells_it(lowest, peak, users, more):
    def point(peak_bytes, users):
        return load._point(load.LoadSettings(), users, [], 1.0, peak_bytes, False)

    assert load._per_request(point(lowest, 1), point(peak, users)) == more
    assert load._per_request(None, point(peak, users)) is None


def test_a_batch_gives_the_answers_that_one_after_the_other_gives():
    from llmops.core.request import Request
    from tests.support.decoder_runs import finished_run, load_model

    model = load_model("embedded/decoder", "fp32")
    asked = [Request(TASK, text, "en", Generation(max_new_tokens=24)) for text in TEXTS[:6]]
    alone = [finished_run(model, request).text for request in asked]
    with model.parallel(6, 300) as send:
        together = [None] * 6
        threads = [threading.Thread(target=lambda n=n: together.__setitem__(n, send(asked[n]).text)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert together == alone
    assert finished_run(model, asked[0]).text == alone[0]  # and plain runs work again afterwards
    model.close()


def test_batches_of_our_own_give_the_same_answers_where_the_device_has_no_continuous_batching(monkeypatch):
    from llmops.core.request import Request
    from llmops.engines.decoder import continuous_batching, prompt, sampling
    from tests.support.decoder_runs import finished_run, load_model

    model = load_model("embedded/decoder", "fp32")
    asked = [Request(TASK, text, "en", Generation(max_new_tokens=24)) for text in TEXTS[:4]]
    alone = [finished_run(model, request).text for request in asked]
    made = continuous_batching._StaticBatcher(model._model, sampling.greedy(model._base_config, 1), 4)
    futures = [made.submit(prompt.build(request, model._tokenizer, 2048).ids[0].tolist(), 24) for request in asked]
    made.start()
    done = [future.result(60) for future in futures]
    made.close()
    assert [model._tokenizer.decode(list(generated.ids), skip_special_tokens=True) for generated in done] == alone
    assert all(
        list(generated.stamps) == sorted(generated.stamps) and len(generated.stamps) == len(generated.ids)
        for generated in done
    )
    model.close()


def test_an_open_loop_keeps_its_rate_and_an_encoder_has_no_token_figures():
    (point,) = probe_load("embedded/encoder@fp32?method=zero-shot", loop="open", levels=(20.0,), requests_each=10)
    assert (point.rate, point.users, point.requests, point.failures) == (20.0, None, 10, 0)
    assert point.seconds > 0.1
    assert point.ttft_s is None
    assert point.e2e_s["p50"] > 0


def test_a_real_server_is_probed_by_concurrent_streams(served):
    single, four = probe_load(f"openai/{DECODER_DIR}", served)
    assert (single.failures, four.failures) == (0, 0)
    assert single.ttft_s["p50"] > 0
    assert four.peak_bytes is None
    assert four.memory_per_request_bytes is None


def test_every_prompt_begins_differently_in_a_probe_and_from_one_probe_to_the_next():
    with FakeEndpoint(*["ok"] * 8) as fake:
        for _ in range(2):
            probe_load("openai/m", fake.url, levels=(2,), requests_each=2)
        sent = [request["messages"] for request in fake.requests]
    assert len({messages[0]["content"][:8] for messages in sent}) == len(sent) == 8  # warm-up and level, twice
    assert len({messages[-1]["content"] for messages in sent}) == 8


def test_a_fake_endpoint_that_dies_mid_probe_leaves_what_was_measured():
    with FakeEndpoint(*["ok"] * 12, "500") as fake:
        points = probe_load("openai/m", fake.url, levels=(1, 2, 4))
    assert points[0].failures == 0
    assert points[-1].failures > 0
    assert points[-1].errors
    assert len(points) <= 3


def test_a_dead_endpoint_is_an_error_before_the_first_point():
    with pytest.raises(LlmopsError):
        probe_load("openai/m", "http://127.0.0.1:9/v1")


def test_stop_keeps_the_partial_level():
    stop = threading.Event()
    with FakeEndpoint("ok", "ok", "slow") as fake:
        timer = threading.Timer(2.0, stop.set)
        timer.start()
        points = probe_load("openai/m", fake.url, stop=stop)
    assert len(points) == 1
    assert points[0].stopped


@pytest.mark.parametrize(
    "settings",
    [{"levels": ()}, {"levels": (0,)}, {"levels": (1.5,)}, {"levels": (10**6,)}, {"loop": "x"}, {"requests_each": 0}],
)
def test_absurd_load_settings_are_refused(settings):
    with pytest.raises(InputError):
        probe_load("embedded/decoder@bf16", **settings)


def test_a_context_probe_tells_right_and_wrong_by_length_and_depth():
    cells = probe_context("embedded/decoder@bf16")
    assert [(cell.length, cell.depth) for cell in cells] == [
        (64, 0.0),
        (64, 0.5),
        (64, 1.0),
        (256, 0.0),
        (256, 0.5),
        (256, 1.0),
    ]
    assert all(cell.right == (cell.label == TASK.split("test", "en")[0].label) for cell in cells)
    assert cells[-1].prompt_tokens > cells[0].prompt_tokens
    assert cells[-1].kv_cache_bytes > cells[0].kv_cache_bytes
    assert all(cell.ttft_s > 0 and cell.decode_tokens_per_s > 0 for cell in cells)


def test_lengths_come_near_to_what_was_asked_once_the_model_has_counted():
    cells = probe_context("embedded/decoder@bf16", language="de", lengths=(128, 512), depths=(0.5, 0.5))
    overhead = 60  # instruction and chat marks
    assert cells[-1].prompt_tokens == pytest.approx(512 + overhead, rel=0.25)


def test_a_context_probe_ends_where_the_context_does_and_keeps_what_it_has():
    *cells, ended = probe_context("embedded/decoder@bf16", lengths=(64, 8000))
    assert len(cells) == 3
    assert isinstance(ended, context.EndedEarly)
    assert ended.length == 8000
    assert "context 2,048" in ended.message


def test_memory_that_runs_out_mid_sweep_is_said_with_the_length(monkeypatch):
    from llmops.core.errors import OutOfMemory
    from llmops.engines.decoder import memory_check

    own = memory_check.check_run

    def check(config, candidate, device, tokens):
        if tokens > 200:
            raise OutOfMemory("No room for it.", "Shorten it.")
        own(config, candidate, device, tokens)

    monkeypatch.setattr(memory_check, "check_run", check)
    *cells, ended = probe_context("embedded/decoder@bf16", lengths=(64, 500))
    assert len(cells) == 3
    assert (ended.length, ended.message) == (500, "No room for it. Shorten it.")


def test_a_context_probe_of_a_real_server_and_of_an_encoder(served):
    assert len(probe_context(f"openai/{DECODER_DIR}", served)) == 6
    cells = probe_context("embedded/encoder@fp32?method=few-shot", lengths=(64, 400))
    assert all(cell.e2e_s > 0 for cell in cells[:3])
    assert isinstance(cells[-1], context.EndedEarly)


def test_the_finding_is_in_the_text_once_at_its_depth():
    for depth in (0.0, 0.5, 1.0):
        text = context.hide("THE FINDING.", depth, 2000, "de", 0)
        assert text.count("THE FINDING.") == 1
        assert text.index("THE FINDING.") / len(text) == pytest.approx(depth, abs=0.06)
        assert len(text) == pytest.approx(2000, abs=150)
    assert context.hide("x", 0.5, 500, "de", 0) == context.hide("x", 0.5, 500, "de", 0)


@pytest.mark.parametrize(
    "settings", [{"lengths": ()}, {"lengths": (0,)}, {"depths": (2.0,)}, {"finding": "x", "label": "nonsense"}]
)
def test_absurd_context_settings_are_refused(settings):
    with pytest.raises(InputError):
        probe_context("embedded/decoder@bf16", **settings)
