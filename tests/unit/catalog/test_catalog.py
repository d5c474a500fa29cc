"""The catalogue is complete: every model and GPU the project promises, each row whole and with its source."""

import re

import pytest

from llmops.catalog.architectures import architectures
from llmops.catalog.gpus import find_gpu, gpus
from llmops.catalog.models import models
from llmops.core.errors import InputError

MODELS = (
    "meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-70B-Instruct", "meta-llama/Llama-3.2-1B-Instruct",
    "meta-llama/Llama-3.2-3B-Instruct", "google/gemma-2-2b-it", "google/gemma-2-9b-it", "Qwen/Qwen2.5-0.5B-Instruct",
    "microsoft/Phi-3-medium-128k-instruct", "microsoft/Phi-3.5-mini-instruct", "microsoft/Phi-3.5-MoE-instruct",
    "mistralai/Mixtral-8x7B-Instruct-v0.1",
    # today's: dense, hybrid, mixtures, latent attention, shared caches
    "Qwen/Qwen3-8B", "Qwen/Qwen3-30B-A3B-Instruct-2507", "Qwen/Qwen3.6-27B", "Qwen/Qwen3.6-35B-A3B",
    "google/gemma-3-1b-it", "google/gemma-4-31B-it", "google/gemma-4-26B-A4B-it", "google/gemma-4-E4B-it",
    "openai/gpt-oss-20b", "openai/gpt-oss-120b", "meta-llama/Llama-4-Scout-17B-16E-Instruct",
    "deepseek-ai/DeepSeek-V3-0324", "zai-org/GLM-4.7-Flash", "HuggingFaceTB/SmolLM3-3B",
)  # fmt: skip
GPUS = (
    "V100 16", "T4", "RTX 2080 Ti", "RTX 3090", "RTX 4090", "RTX 5090", "A10G", "A100 40", "A100 80", "L4", "L40S",
    "H100", "H200", "B200",
)  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_a_promised_model_is_there_with_all_its_facts(name):
    row = next(architecture for architecture in architectures() if architecture.id == name)
    shape = row.shape
    assert row.source
    assert row.licence
    assert isinstance(row.gated, bool)
    assert row.params > 1e8
    assert shape.params == pytest.approx(row.params, rel=0.002)
    assert shape.context >= 8192
    assert shape.cache
    assert bool(shape.experts) == any(word in name for word in ("MoE", "8x7B", "-A", "oss", "Scout", "V3", "Flash"))


@pytest.mark.parametrize("name", GPUS)
def test_a_promised_gpu_is_there_with_all_its_facts(name):
    gpu = find_gpu(name)
    assert gpu.source
    assert min(gpu.gb, gpu.bandwidth, gpu.tflops, gpu.tdp) > 0
    assert gpu.bf16 == (float(gpu.cc) >= 8.0)
    assert 2017 <= gpu.year <= 2026


def test_every_row_has_a_source_and_every_price_a_month():
    for row in (*architectures(), *gpus(), *models()):
        assert row.source, row
    for gpu in gpus():
        assert (gpu.usd_hour is None) == (gpu.price_date == ""), gpu.name
        assert gpu.usd_hour is None or (gpu.usd_hour > 0 and re.fullmatch(r"202\d-\d\d", gpu.price_date)), gpu.name


@pytest.mark.parametrize(
    ("written", "name"),
    [(" l4 ", "L4"), ("NVIDIA H100", "H100"), ("a100-80gb", "A100 80"), ("Tesla T4", "T4"), ("rtx4090", "RTX 4090")],
)
def test_a_gpu_is_found_as_people_write_it(written, name):
    assert find_gpu(written).name == name


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("L44", "L40S"),
        ("H10", "Did you mean H100?"),
        ("A100", "A100 40 or A100 80"),
        ("V100", "V100 16 or V100 32"),
        ("", "T4"),
    ],
)
def test_a_gpu_typed_wrong_lists_those_that_are_meant_or_known(written, meant):
    with pytest.raises(InputError) as caught:
        find_gpu(written)
    assert meant in caught.value.remedy
