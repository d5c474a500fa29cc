"""Bytes: weights against the sum of the tensors, what the quantizer left, the cache, and what stays after unloading."""

import gc

import pytest

from llmops.compare.comparison import Comparison, run_all
from llmops.core.candidate import parse_candidate
from llmops.core.errors import OutOfMemory
from llmops.core.request import Connection, Generation
from llmops.core.run_settings import RunSettings
from llmops.core.settings import load_settings
from llmops.data.builtin import load_builtin
from llmops.embedded import DECODER_DIR
from llmops.engines.decoder import byte_count
from llmops.hardware.memory import release_memory, resident_bytes
from tests.support import models
from tests.support.decoder_runs import finished_run, load_model, request
from tests.support.fresh_process import in_fresh_process
from tests.support.pools import make_pool

TASK = load_builtin("medical")


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """Layers wide enough that quantizing them shows: 64 M parameters, 128 MB in bf16."""
    return models.llama(
        tmp_path_factory.mktemp("wide"),
        hidden_size=1024,
        intermediate_size=2816,
        num_hidden_layers=5,
        num_attention_heads=16,
        num_key_value_heads=8,
    )


def _sizes(folder):
    """(bytes of one value, parameters in 2-D layers that are quantized, all others) by the checkpoint's own shapes."""
    from llmops.hub.safetensors_files import tensor_shapes

    quantized = other = 0
    for name, shape in tensor_shapes(folder).items():
        count = 1
        for size in shape:
            count *= size
        if len(shape) == 2 and "proj" in name:
            quantized += count
        else:
            other += count
    return quantized, other


@pytest.mark.parametrize(("precision", "bytes_each"), [("fp32", 4), ("bf16", 2), ("fp16", 2)])
def test_full_precision_weights_are_the_sum_of_the_tensors(wide, precision, bytes_each):
    model = load_model(wide, precision)
    model.warm_up()
    quantized, other = _sizes(wide)
    assert model.weights_bytes == pytest.approx(bytes_each * (quantized + other), rel=0.001)
    model.close()


@pytest.mark.parametrize(("precision", "bits"), [("int8", (8.0, 8.1)), ("nf4", (4.1, 4.3))])
def test_quantized_weights_are_the_sum_of_the_tensors_constants_included(wide, precision, bits):
    model = load_model(wide, precision)
    model.warm_up()
    quantized, other = _sizes(wide)
    tensors = _every_tensor(model._model)
    assert model.weights_bytes == pytest.approx(sum(tensors.values()), rel=0.001)
    low, high = (quantized * width / 8 + 2 * other for width in bits)
    assert low * 0.999 <= model.weights_bytes <= high * 1.001
    counted = byte_count.count_weights(model._model)
    assert counted.quantized == quantized
    assert counted.parameters == quantized + other
    assert any(f"{precision} holds {quantized / (quantized + other):.0%}" in note for note in model.notes)
    model.close()


def _every_tensor(root):
    """Storage → bytes of every tensor that can be reached from a module: found by walking, not by name."""
    import torch

    found, seen, todo = {}, set(), [root]
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, torch.Tensor):
            found[node.untyped_storage().data_ptr()] = node.untyped_storage().nbytes()
            todo += [value for value in vars(node).values() if value is not None]
        elif isinstance(node, torch.nn.Module) or type(node).__name__ in ("QuantState", "MatmulLtState"):
            todo += list(vars(node).values())
        elif isinstance(node, dict):
            todo += list(node.values())
        elif isinstance(node, list | tuple):
            todo += list(node)
    return found


def test_the_estimate_before_loading_is_near_the_measured_weights(wide):
    from llmops.engines.decoder.engine import make

    for precision in ("fp32", "bf16", "int8", "nf4"):
        model = load_model(wide, precision)
        model.warm_up()
        estimate = make(load_settings()).estimate_bytes(parse_candidate(f"{wide}@{precision}"))
        assert estimate == pytest.approx(model.weights_bytes, rel=0.03), precision
        model.close()


def test_the_cache_is_two_values_a_layer_head_and_token(wide):
    model = load_model(wide, "bf16")
    run = finished_run(model, request())
    tokens = run.timing.prompt_tokens + run.timing.output_tokens - 1  # the last token is never read
    assert run.memory.kv_cache_bytes == 2 * 5 * 8 * 64 * 2 * tokens
    assert run.memory.peak_bytes >= 0
    assert run.memory.device == "cpu"
    model.close()


def test_experts_that_stay_in_full_precision_are_said_and_never_called_four_bit(tmp_path):
    folder = models.mixtral(tmp_path / "moe")
    model = load_model(folder, "nf4")
    note = next(note for note in model.notes if "experts" in note)
    assert "This is no nf4 model" in note
    counted = byte_count.count_weights(model._model)
    assert counted.experts > 0.5 * counted.parameters
    assert counted.experts == 2 * 4 * 3 * 64 * 512
    model.close()


def test_after_unloading_ten_times_in_turn_memory_is_back_within_a_tenth_of_one_model(wide):
    loaded, stayed, lefts, size = in_fresh_process(_unloaded_ten_times, wide)
    assert loaded == {}
    assert stayed < 0.1 * size
    assert sorted(lefts)[5] < 0.1 * size


def _unloaded_ten_times(folder):
    """(what the pool still holds, bytes that stayed, the same as each run told it, bytes of the model in bf16)"""
    pool = make_pool(10**10)
    options = RunSettings("en", Generation(max_new_tokens=4), unload_after=True)

    def once(precision):
        run = run_all(Comparison(pool, TASK, "The chair is needed.", [f"{folder}@{precision}"], options))[0]
        assert run.error is None
        return run

    size = once("bf16").memory.weights_bytes
    for precision in ("fp32", "int8", "nf4"):  # libraries load their own kernels once
        once(precision)
    gc.collect()
    release_memory("cpu")
    before = resident_bytes()
    lefts = [once(("bf16", "fp32", "int8", "nf4")[turn % 4]).memory.left_bytes for turn in range(10)]
    gc.collect()
    release_memory("cpu")
    return pool.loaded(), resident_bytes() - before, lefts, size


def test_weights_larger_than_memory_are_refused_with_what_would_fit(wide, monkeypatch):
    monkeypatch.setattr("llmops.engines.decoder.memory_check.device_memory", lambda device: 100_000_000)
    with pytest.raises(OutOfMemory) as caught:
        load_model(wide, "bf16")
    assert "int8" in caught.value.remedy
    monkeypatch.setattr("llmops.engines.decoder.memory_check.device_memory", lambda device: 1_000_000)
    with pytest.raises(OutOfMemory, match="weights take about"):
        load_model(wide, "nf4")


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16", "int8", "nf4"])
def test_the_embedded_decoder_runs_in_every_precision(precision):
    runs = run_all(
        Comparison(make_pool(10**9), TASK, "The chair is needed.", [f"embedded/decoder@{precision}"], RunSettings("en"))
    )
    assert runs[0].error is None
    assert runs[0].label in TASK.label_ids
    assert runs[0].finish == "stop"
    assert set(runs[0].probabilities) == set(TASK.label_ids)
    assert DECODER_DIR.is_dir()


def test_connection_secrets_are_in_no_run():
    connection = Connection(openai_key="sk-very-secret-key", hf_token="hf_VerySecretToken")
    options = RunSettings("en", connection=connection)
    runs = run_all(Comparison(make_pool(10**9), TASK, "x", ["embedded/decoder@bf16", "nobody/none@bf16"], options))
    assert "ery-secret" not in str([run.to_json() for run in runs])
    assert "VerySecret" not in str([run.to_json() for run in runs])
