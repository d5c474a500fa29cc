"""A shape's arithmetic against the real thing: parameters on the meta device, bytes of the real cache."""

import pytest

from llmops.catalog import architectures
from llmops.shape import read_shape
from tests import models


@pytest.mark.parametrize("row", architectures(), ids=lambda row: row.id)
def test_the_catalogues_parameters_are_the_real_models(row):
    assert row.shape.params == pytest.approx(row.params, rel=0.002)


@pytest.mark.parametrize(
    "name",
    [
        "meta-llama/Llama-3.2-1B-Instruct",
        "google/gemma-2-2b-it",
        "google/gemma-3-1b-it",
        "Qwen/Qwen2.5-0.5B-Instruct",
        "Qwen/Qwen3-30B-A3B-Instruct-2507",
        "microsoft/Phi-4-mini-instruct",
        "microsoft/Phi-3.5-MoE-instruct",
        "mistralai/Mixtral-8x7B-Instruct-v0.1",
        "openai/gpt-oss-20b",
    ],
)
def test_a_model_built_on_the_meta_device_has_as_many_parameters_and_quantizable_weights(name):
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    row = next(one for one in architectures() if one.id == name)
    settings = {**row.config, "pad_token_id": 0}
    config = AutoConfig.for_model(settings.pop("model_type"), **settings)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    assert sum(one.numel() for one in model.parameters()) == row.params
    linear = {
        name: module.weight.shape
        for name, module in model.named_modules()
        if type(module) is torch.nn.Linear and "lm_head" not in name
    }
    assert sum(rows * columns for rows, columns in linear.values()) == pytest.approx(row.shape.linear, rel=0.002)
    assert len(linear) == row.shape.linear_count
    types = getattr(config, "layer_types", None) or []
    assert types.count("sliding_attention") == row.shape.sliding_layers


@pytest.mark.parametrize("kind", ["llama", "gemma", "mixtral"])
@pytest.mark.parametrize("tokens", [5, 40, 300])
def test_the_cache_has_exactly_the_bytes_of_the_real_one(tmp_path, kind, tokens):
    import torch
    from transformers import AutoModelForCausalLM, DynamicCache

    from llmops.decoders.account import cache_bytes

    model = AutoModelForCausalLM.from_pretrained(getattr(models, kind)(tmp_path / kind), dtype=torch.bfloat16)
    cache = DynamicCache(config=model.config)
    with torch.inference_mode():
        model(torch.randint(5, 300, (1, tokens)), past_key_values=cache)
    assert cache_bytes(cache) == 2 * read_shape(model.config.to_dict()).cache_values(tokens)
