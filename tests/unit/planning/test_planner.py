"""The planner's arithmetic against published figures, and what it says where something does not fit."""

import pytest

from llmops.catalog.architectures import architectures
from llmops.catalog.gpus import find_gpu, gpus
from llmops.core.errors import InputError
from llmops.planning.planner import plan
from llmops.planning.roofline import predict
from llmops.planning.settings import PlanSettings
from llmops.sizing.memory import kv_bytes, weight_bytes, workspace_bytes

GIB = 2**30
SHAPES = {row.id: row.shape for row in architectures()}
LLAMA_8B, LLAMA_70B = SHAPES["meta-llama/Llama-3.1-8B-Instruct"], SHAPES["meta-llama/Llama-3.1-70B-Instruct"]
MIXTRAL = SHAPES["mistralai/Mixtral-8x7B-Instruct-v0.1"]


def asked(precision, context, requests):
    return PlanSettings(precision=precision, context=context, requests=requests)


@pytest.mark.parametrize(
    ("shape", "tokens", "published_gib"),
    [
        # The Llama 3.1 announcement: FP16, "1k" is 1,024 but "16k" 16,000 and "128k" 128,000; GiB.
        (LLAMA_8B, 1024, 0.125),
        (LLAMA_8B, 16_000, 1.95),
        (LLAMA_8B, 128_000, 15.62),
        (LLAMA_70B, 1024, 0.313),
        (LLAMA_70B, 16_000, 4.88),
        (LLAMA_70B, 128_000, 39.06),
    ],
)
def test_the_cache_agrees_with_the_published_table_within_3_percent(shape, tokens, published_gib):
    assert kv_bytes(shape, "fp16", tokens) / GIB == pytest.approx(published_gib, rel=0.03)


@pytest.mark.parametrize(("shape", "published_gb"), [(LLAMA_8B, 16), (LLAMA_70B, 140)])
def test_16_bit_weights_agree_with_the_published_table_within_3_percent(shape, published_gb):
    assert weight_bytes(shape, "fp16").total / 1e9 == pytest.approx(published_gb, rel=0.03)


@pytest.mark.parametrize(
    ("name", "int8_gb", "nf4_gb"),
    [
        # Counted tensor by tensor on quantized models (bitsandbytes 0.50, transformers 5.23).
        ("meta-llama/Llama-3.1-8B-Instruct", 9.08, 5.70),
        ("meta-llama/Llama-3.1-70B-Instruct", 72.66, 39.52),
        ("google/gemma-2-9b-it", 10.16, 6.13),
        ("Qwen/Qwen2.5-0.5B-Instruct", 0.63, 0.46),
        ("microsoft/Phi-3-medium-128k-instruct", 14.29, 7.69),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", 92.06, 91.41),
        ("microsoft/Phi-3.5-MoE-instruct", 82.40, 81.75),
    ],
)
def test_quantized_weights_keep_what_bitsandbytes_leaves_in_full(name, int8_gb, nf4_gb):
    assert weight_bytes(SHAPES[name], "int8").total / 1e9 == pytest.approx(int8_gb, rel=0.02)
    assert weight_bytes(SHAPES[name], "nf4").total / 1e9 == pytest.approx(nf4_gb, rel=0.02)


@pytest.mark.parametrize(
    ("name", "tokens", "published_gib"),
    [
        # Qwen2.5 speed tables: A100, transformers, batch 1, bf16, prompt of so many tokens.
        ("Qwen/Qwen2.5-0.5B-Instruct", 6144, 1.23),
        ("Qwen/Qwen2.5-0.5B-Instruct", 30720, 2.34),
        ("Qwen/Qwen2.5-1.5B-Instruct", 14336, 4.16),
        ("Qwen/Qwen2.5-3B-Instruct", 30720, 9.30),
        ("Qwen/Qwen2.5-7B-Instruct", 14336, 16.91),
        ("Qwen/Qwen2.5-7B-Instruct", 30720, 19.97),
    ],
)
def test_the_peak_agrees_with_published_measurements_within_3_percent(name, tokens, published_gib):
    shape = SHAPES[name]
    held = weight_bytes(shape, "bf16").total + kv_bytes(shape, "bf16", tokens) + workspace_bytes(shape, "bf16", tokens)
    assert held / GIB == pytest.approx(published_gib, rel=0.03)


@pytest.mark.parametrize(
    ("gpu", "name", "precision", "published"),
    [
        ("H100", "meta-llama/Llama-3.1-8B-Instruct", "bf16", 41.0),
        ("H100", "meta-llama/Llama-3.1-8B-Instruct", "nf4", 24.3),
        ("H100", "meta-llama/Llama-3.1-8B-Instruct", "int8", 12.2),
        ("H100", "meta-llama/Llama-3.1-70B-Instruct", "nf4", 9.5),
        ("T4", "Qwen/Qwen2.5-3B-Instruct", "fp16", 25.7),
        ("RTX 4090", "meta-llama/Llama-3.1-8B-Instruct", "nf4", 57.1),
        ("A100 80", "Qwen/Qwen2.5-7B-Instruct", "bf16", 40.4),
    ],
)
def test_the_decode_rate_is_near_the_published_eager_tables(gpu, name, precision, published):
    found = predict(SHAPES[name], precision, find_gpu(gpu), 100, 100, 1)
    assert found.decode_tokens_per_s == pytest.approx(published, rel=0.15)


def test_a_plan_of_a_quantized_8b_on_every_gpu():
    made = plan("m", LLAMA_8B, asked("nf4", 8192, 4), gpus())
    verdicts = {verdict.name: verdict for verdict in made.gpus}
    assert list(verdicts) == [gpu.name for gpu in gpus()]
    assert verdicts["T4"].fits
    assert "fp16" in verdicts["T4"].note
    assert verdicts["T4"].max_requests >= 4
    assert verdicts["H100"].max_requests > verdicts["L4"].max_requests > verdicts["T4"].max_requests
    assert made.peak_bytes == made.weights_bytes + made.kv_cache_bytes + made.workspace_bytes + made.overhead_bytes
    assert made.kv_cache_bytes == 4 * 8192 * 131072


def test_the_largest_counts_fit_and_one_more_does_not():
    for name in ("T4", "L4", "A100 80"):
        gpu = [find_gpu(name)]
        verdict = plan("m", LLAMA_8B, asked("nf4", 4096, 1), gpu).gpus[0]
        assert plan("m", LLAMA_8B, asked("nf4", 4096, verdict.max_requests), gpu).gpus[0].fits
        assert not plan("m", LLAMA_8B, asked("nf4", 4096, verdict.max_requests + 1), gpu).gpus[0].fits
        if verdict.max_context < LLAMA_8B.context:
            assert plan("m", LLAMA_8B, asked("nf4", verdict.max_context, 1), gpu).gpus[0].fits
            assert not plan("m", LLAMA_8B, asked("nf4", verdict.max_context + 1, 1), gpu).gpus[0].fits


@pytest.mark.parametrize(
    ("shape", "precision", "context", "requests", "gpu", "remedy"),
    [
        (LLAMA_8B, "nf4", 8192, 500, "T4", "requests at once instead of 500"),
        (LLAMA_8B, "nf4", 131072, 1, "T4", "a context of"),
        (LLAMA_8B, "bf16", 4096, 1, "T4", "int8 instead of bf16"),
        (LLAMA_70B, "bf16", 4096, 1, "H100", "int8 instead of bf16"),
        (LLAMA_70B, "nf4", 4096, 1, "L4", "2 of these GPUs"),
        (MIXTRAL, "nf4", 4096, 1, "H100", "2 of these GPUs"),
        (LLAMA_70B, "bf16", 4096, 1, "T4", "4 of these GPUs (tensor parallel), in nf4"),
        (LLAMA_8B, "bf16", 131072, 1, "T4", "int8 instead of bf16, and a context of"),
        (LLAMA_8B, "bf16", 4096, 64, "T4", "int8 instead of bf16, and 10 requests at once instead of 64"),
        (LLAMA_8B, "fp32", 4096, 1, "V100 32", "fp16 instead of fp32"),
        (SHAPES["deepseek-ai/DeepSeek-V3-0324"], "bf16", 4096, 1, "T4", "hosted"),
    ],
)
def test_what_does_not_fit_names_the_nearest_change_that_does(shape, precision, context, requests, gpu, remedy):
    verdict = plan("m", shape, asked(precision, context, requests), [find_gpu(gpu)]).gpus[0]
    assert not verdict.fits
    assert "GB" in verdict.why_not
    assert remedy in verdict.remedy


def test_a_mixture_in_four_bits_is_said_to_be_none():
    made = plan("m", MIXTRAL, asked("nf4", 4096, 1), gpus())
    assert any("no nf4 model" in note for note in made.notes)
    assert made.weights_bytes > 90e9


def test_a_sliding_window_holds_the_cache_down():
    gemma = SHAPES["google/gemma-2-9b-it"]
    assert kv_bytes(gemma, "bf16", 8000) < 0.8 * 8000 / 1000 * kv_bytes(gemma, "bf16", 1000)


def test_prices_and_energy_are_blank_or_positive_and_marked_estimated():
    data = plan("m", LLAMA_8B, asked("bf16", 2048, 1), gpus()).to_json()
    assert data["source"] == "estimated"
    assert data["predicted"]["RTX 2080 Ti"]["usd_per_1000"] is None
    for name, figures in data["predicted"].items():
        assert figures["wh_per_1000"] > 0, name
        assert figures["usd_per_1000"] is None or figures["usd_per_1000"] > 0
    assert {"weights_bytes", "kv_cache_bytes", "peak_bytes", "predicted", "gpus"} <= set(data)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"context": 200_000}, "131,072"),
        ({"context": 1}, "context"),
        ({"context": 0}, "context"),
        ({"context": True}, "context"),
        ({"requests": 0}, "requests"),
        ({"requests": 10**12}, "requests"),
        ({"requests": 1.5}, "requests"),
        ({"precision": "fp8"}, "precision"),
        ({"new_tokens": 0}, "new_tokens"),
    ],
)
def test_absurd_counts_are_refused_by_name(changes, says):
    given = {"precision": "bf16", "context": 4096, "requests": 1, **changes}
    with pytest.raises(InputError) as caught:
        plan("m", LLAMA_8B, PlanSettings.read(given), gpus())
    assert says in caught.value.message


def test_todays_families_keep_what_their_kind_keeps():
    latent, hybrid = SHAPES["deepseek-ai/DeepSeek-V3-0324"], SHAPES["Qwen/Qwen3.6-27B"]
    assert kv_bytes(latent, "bf16", 1000) == 1000 * 61 * (512 + 64) * 2
    growing = kv_bytes(hybrid, "bf16", 2000) - kv_bytes(hybrid, "bf16", 1000)
    assert growing == 1000 * 16 * 2 * 4 * 256 * 2
    made = plan("m", hybrid, asked("bf16", 4096, 1), gpus())
    assert any("48 of 64 layers keep a state" in note for note in made.notes)


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        # Active parameters as the models' names and papers tell them.
        ("deepseek-ai/DeepSeek-V3-0324", 37),
        ("Qwen/Qwen3.6-35B-A3B", 3),
        ("google/gemma-4-26B-A4B-it", 4),
        ("openai/gpt-oss-120b", 5.1),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", 12.9),
    ],
)
def test_the_parameters_that_one_token_uses_are_the_published_ones(name, billions):
    assert SHAPES[name].active / 1e9 == pytest.approx(billions, rel=0.08)


def test_what_the_hardware_lacks_is_said():
    note = plan("m", LLAMA_8B, asked("int8", 4096, 1), [find_gpu("V100 32")]).gpus[0].note
    assert "fp16" in note
    assert "int8 works, but slowly" in note
    assert plan("m", LLAMA_8B, asked("int8", 4096, 1), [find_gpu("L4")]).gpus[0].note == ""
