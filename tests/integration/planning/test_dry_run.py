"""Dry runs of real shapes on this CPU: measured against predicted, slices, and what can't be."""

import gc
import threading

import pytest

from llmops.catalog.shapes import shape_of
from llmops.core.errors import InputError, ModelNotFound, OutOfMemory, Stopped
from llmops.core.request import Connection, Job
from llmops.core.settings import load_settings
from llmops.planning.architecture import find_config
from llmops.planning.dry_run import dry_run
from llmops.planning.settings import GivenDryRun
from llmops.sizing.memory import kv_bytes, weight_bytes
from llmops.sizing.shape import first_layers
from tests.support.fresh_process import in_fresh_process
from tests.support.pools import make_pool


def measure(model, precision="bf16", **options):
    stop = options.pop("stop", None) or threading.Event()
    pool = options.pop("pool", None) or make_pool()
    given = {"model": model, "precision": precision, "prompt_tokens": 48, "new_tokens": 6, **options}
    config = find_config(model, Connection(), load_settings())
    return dry_run(GivenDryRun.read(given), config, pool, Job(stop=stop))


@pytest.mark.parametrize(
    ("model", "precision", "layers"),
    [
        ("Qwen/Qwen2.5-0.5B-Instruct", "nf4", 6),
        ("Qwen/Qwen2.5-0.5B-Instruct", "bf16", 6),
        ("google/gemma-2-2b-it", "int8", 2),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "nf4", 1),
        ("zai-org/GLM-4.7-Flash", "bf16", 2),
    ],
)
def test_weights_are_within_2_percent_the_cache_exact_and_the_peak_within_15_percent(model, precision, layers):
    made = measure(model, precision, layers=layers)
    assert abs(made.gaps["weights_bytes"]) < 0.02
    assert made.gaps["kv_cache_bytes"] == 0
    assert abs(made.gaps["peak_bytes"]) < 0.15
    assert made.measured.load_s > 0
    assert made.measured.ttft_s > 0
    assert made.measured.decode_tokens_per_s > 0


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16", "int8", "nf4"])
def test_the_embedded_decoders_weights_are_predicted_within_2_percent_in_every_precision(precision):
    from tests.support.decoder_runs import load_model

    model = load_model("embedded/decoder", precision)
    model.warm_up()
    predicted = weight_bytes(shape_of(find_config("embedded/decoder", Connection(), load_settings())), precision).total
    assert predicted == pytest.approx(model.weights_bytes, rel=0.02)
    model.close()


def test_a_slice_is_stretched_to_the_whole_and_marked_estimated():
    whole = measure("HuggingFaceTB/SmolLM2-135M-Instruct")
    part = measure("HuggingFaceTB/SmolLM2-135M-Instruct", layers=10)
    assert (part.layers, part.of_layers, whole.layers) == (10, 30, 30)
    assert part.source["whole"] == "estimated"
    assert whole.source["whole"] == "client-measured"
    assert part.whole.weights_bytes == pytest.approx(whole.measured.weights_bytes, rel=0.001)
    assert part.whole.kv_cache_bytes == whole.measured.kv_cache_bytes
    assert part.whole.decode_tokens_per_s < part.measured.decode_tokens_per_s


def test_a_mixture_in_four_bits_says_that_its_experts_are_not():
    made = measure("mistralai/Mixtral-8x7B-Instruct-v0.1", "nf4", layers=1)
    assert any("no nf4 model" in note for note in made.notes)


def test_no_copy_in_full_precision_is_made_while_it_is_quantized():
    model, layers = "HuggingFaceTB/SmolLM2-1.7B-Instruct", 6
    weights_bytes, highest = in_fresh_process(_highest_while_quantized, model, layers)
    full = weight_bytes(shape_of(first_layers(find_config(model, Connection(), load_settings()), layers)), "bf16").total
    assert weights_bytes < 0.5 * full
    assert highest < 0.8 * full


def _highest_while_quantized(model, layers):
    """(bytes of the weights, most extra bytes of a dry run in nf4)"""
    from llmops.hardware.memory import PeakMemory, release_memory

    measure("HuggingFaceTB/SmolLM2-135M-Instruct", "nf4", layers=1)  # imports are no part of it
    gc.collect()
    release_memory("cpu")
    with PeakMemory("cpu") as peak:
        made = measure(model, "nf4", layers=layers, prompt_tokens=8, new_tokens=2)
        return made.measured.weights_bytes, peak.extra_bytes


def test_nothing_of_the_model_stays_behind():
    stayed, weights_bytes = in_fresh_process(_stays_behind)
    assert stayed < 0.1 * weights_bytes


def _stays_behind():
    """(bytes that three dry runs leave, bytes of one model)"""
    from llmops.hardware.memory import release_memory, resident_bytes

    def once():
        # Wide layers: blocks below 1 MiB come from the arenas of the loading threads, which glibc trims when it likes.
        made = measure("HuggingFaceTB/SmolLM2-1.7B-Instruct", layers=6, prompt_tokens=8, new_tokens=2)
        gc.collect()
        release_memory("cpu")
        return made.measured.weights_bytes

    once()
    before = resident_bytes()
    sizes = [once() for _ in range(3)]
    return resident_bytes() - before, sizes[0]


def test_what_does_not_fit_says_how_many_layers_would():
    with pytest.raises(OutOfMemory) as caught:
        measure("meta-llama/Llama-3.1-70B-Instruct")
    assert "layers=" in caught.value.remedy


def test_stop_ends_it_while_the_weights_are_made():
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        measure("HuggingFaceTB/SmolLM2-135M-Instruct", stop=stop)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"layers": 0}, "layers"),
        ({"layers": 31}, "30 layers"),
        ({"new_tokens": 1}, "2 new"),
        ({"prompt_tokens": 9000}, "8,192"),
    ],
)
def test_absurd_counts_are_refused(options, says):
    with pytest.raises(InputError) as caught:
        measure("HuggingFaceTB/SmolLM2-135M-Instruct", **options)
    assert says in caught.value.message


def test_a_slice_without_attention_says_how_many_layers_it_takes():
    with pytest.raises(InputError) as caught:
        measure("Qwen/Qwen3.6-27B", layers=2)
    assert "first 3 layers" in caught.value.message
    assert "4 to 64" in caught.value.remedy


def test_an_unknown_precision_model_or_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="precision"):
        measure("HuggingFaceTB/SmolLM2-135M-Instruct", "fp8")
    with pytest.raises(ModelNotFound, match="hub"):
        measure("nobody/no-such-model")
    with pytest.raises(ModelNotFound, match=r"config\.json"):
        measure(str(tmp_path))
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(InputError, match="no object"):
        measure(str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(InputError, match="decoder"):
        measure(str(tmp_path))


def test_the_cache_of_a_long_context_is_predicted_to_the_byte():
    made = measure("google/gemma-3-270m-it", prompt_tokens=700, new_tokens=4)
    shape = shape_of(find_config("google/gemma-3-270m-it", Connection(), load_settings()))
    assert made.measured.kv_cache_bytes == kv_bytes(shape, "bf16", 703)
    assert made.gaps["kv_cache_bytes"] == 0
