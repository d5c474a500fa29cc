"""Decode steps over a cache of a fixed size write what generate() writes. The graph itself needs CUDA: tests/gpu.

Here each step is computed anew instead of replayed; all around it is the same.
"""

import pytest
import torch

from llmops.core.request import Generation
from llmops.embedded import DECODER_DIR
from llmops.engines.decoder import cuda_graph, prompt
from llmops.engines.decoder.cuda_graph import GraphedDecoder
from tests.support import models
from tests.support.decoder_runs import finished_run, load_model, request

LONG = "The chair is needed. " * 12


def capture_by_computing(step):
    logits = step()
    return lambda: logits.copy_(step()), logits


@pytest.fixture(scope="module")
def pair():
    """The embedded decoder twice: as it runs on a CPU, and with steps as on a GPU."""
    plain, graphed = load_model(DECODER_DIR), load_model(DECODER_DIR)
    graphed._graphs = GraphedDecoder(graphed._model, capture_by_computing)
    return plain, graphed


@pytest.mark.parametrize(
    "settings",
    [{}, {"max_new_tokens": 1}, {"max_new_tokens": 4}, {"temperature": 0.9, "seed": 3}, {"temperature": 2, "seed": 4}],
)
def test_the_same_tokens_probabilities_and_bytes_as_by_generate(pair, settings):
    runs = [finished_run(model, request(LONG, **settings)) for model in pair]
    assert runs[0].text == runs[1].text
    assert runs[0].finish == runs[1].finish
    assert runs[0].timing.output_tokens == runs[1].timing.output_tokens
    assert runs[0].memory.kv_cache_bytes == runs[1].memory.kv_cache_bytes
    assert runs[1].probabilities == pytest.approx(runs[0].probabilities, abs=1e-4)
    assert [note for note in runs[1].notes if note not in runs[0].notes] == [
        "Decode steps ran as a CUDA graph; making it is in no figure."
    ]


def test_a_second_text_finds_nothing_of_the_first_and_needs_no_second_graph(pair):
    _, graphed = pair
    first = finished_run(graphed, request("Short."))
    finished_run(graphed, request(LONG))
    made = graphed._graphs._cache
    assert finished_run(graphed, request("Short.")).text == first.text
    assert graphed._graphs._cache is made


def test_a_longer_text_gets_a_larger_cache_and_one_beyond_the_models_context_none():
    model = load_model(DECODER_DIR)
    graphs = GraphedDecoder(model._model, capture_by_computing)
    with torch.inference_mode():
        assert graphs.prepare(10) > 0
        held = graphs.cache_bytes
        assert graphs.prepare(cuda_graph.FIRST_TOKENS) == 0.0
        longest = model._model.config.max_position_embeddings
        if longest > cuda_graph.FIRST_TOKENS:
            assert graphs.prepare(longest) > 0
            assert graphs.cache_bytes > held
        assert graphs.prepare(longest + 1) is None
        assert not graphs.refused
        graphs.release()
        assert graphs.cache_bytes == 0


def test_a_model_whose_layers_forget_is_left_to_generate(tmp_path):
    model = load_model(models.gemma(tmp_path))
    model._graphs = GraphedDecoder(model._model, capture_by_computing)
    run = finished_run(model, request(LONG))
    assert model._graphs.refused
    assert not any("CUDA graph" in note for note in run.notes)
    assert run.timing.output_tokens == 24


def test_a_step_that_no_graph_can_hold_is_left_to_generate(pair):
    def refuse(step):
        raise RuntimeError("operation not permitted when stream is capturing")

    plain, _ = pair
    model = load_model(DECODER_DIR)
    model._graphs = GraphedDecoder(model._model, refuse)
    assert finished_run(model, request(LONG)).text == finished_run(plain, request(LONG)).text
    assert model._graphs.cache_bytes == 0


def test_stopped_in_the_middle_it_keeps_what_it_had(tmp_path):
    model = load_model(models.llama(tmp_path))
    model._graphs = GraphedDecoder(model._model, capture_by_computing)
    asked = request("x", max_new_tokens=300)
    events = model.run(asked)
    next(events), next(events)
    asked.stop.set()
    last = list(events)[-1].run
    assert last.finish == "stopped"
    assert 0 < last.timing.output_tokens < 300
    assert finished_run(model, request("x", max_new_tokens=5)).timing.output_tokens == 5


def test_no_graph_is_tried_on_a_cpu_or_for_int8(pair):
    plain, _ = pair
    assert plain._graphs is None
    assert not cuda_graph.usable(plain._model, "bf16", "cpu")
    assert cuda_graph.usable(plain._model, "bf16", "cuda:0")
    assert not cuda_graph.usable(plain._model, "int8", "cuda:0")


def test_room_is_made_for_prompt_and_answer(pair):
    _, graphed = pair
    asked = request(LONG, max_new_tokens=30)
    tokens = prompt.build(asked, graphed._tokenizer, graphed._context).ids.shape[1]
    assert graphed._graphs_for(asked) is graphed._graphs
    assert graphed._graphs._tokens >= tokens + Generation(max_new_tokens=30).max_new_tokens
