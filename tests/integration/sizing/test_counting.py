"""A shape's arithmetic against the real thing: parameters on the meta device, bytes of the real cache."""

from dataclasses import astuple, replace

import pytest

from llmops.catalog.architectures import architectures
from llmops.catalog.shapes import shape_of
from llmops.core.errors import InputError
from llmops.sizing.counting import count_shape
from llmops.sizing.meta_models import build_config


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
        "Qwen/Qwen3.6-27B",
        "Qwen/Qwen3.6-35B-A3B",
        "google/gemma-4-31B-it",
        "google/gemma-4-26B-A4B-it",
        "meta-llama/Llama-4-Scout-17B-16E-Instruct",
        "deepseek-ai/DeepSeek-V3-0324",
    ],
)
def test_a_model_built_on_the_meta_device_has_as_many_parameters_and_quantizable_weights(name):
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    row = next(architecture for architecture in architectures() if architecture.id == name)
    settings = {**row.config, "pad_token_id": 0}
    config = AutoConfig.for_model(settings.pop("model_type"), **settings)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    assert sum(parameter.numel() for parameter in model.parameters()) == row.params
    linear = {
        name: module.weight.shape
        for name, module in model.named_modules()
        if type(module) is torch.nn.Linear and "lm_head" not in name
    }
    assert sum(rows * columns for rows, columns in linear.values()) == pytest.approx(row.shape.linear, rel=0.002)
    assert len(linear) == row.shape.linear_count
    types = getattr(config, "layer_types", None) or []
    assert types.count("sliding_attention") + types.count("chunked_attention") == row.shape.sliding_layers


@pytest.mark.parametrize("name", ["Qwen/Qwen2.5-0.5B-Instruct", "google/gemma-2-2b-it"])
def test_formulas_and_counting_agree(name):
    row = next(architecture for architecture in architectures() if architecture.id == name)
    counted = count_shape(row.config)
    assert sorted(map(astuple, counted.cache), key=str) == sorted(map(astuple, row.shape.cache), key=str)
    assert replace(counted, cache=(), small=0) == replace(row.shape, cache=(), small=0)
    assert counted.params == row.params


@pytest.mark.parametrize("name", ["google/gemma-4-E4B-it", "zai-org/GLM-4.7-Flash"])
def test_a_row_that_was_counted_is_counted_the_same_again(name):
    row = next(architecture for architecture in architectures() if architecture.id == name)
    assert count_shape(row.config) == row.shape


TINY = {"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4, "vocab_size": 320, "pad_token_id": 0}
LATENT = {"q_lora_rank": 24, "kv_lora_rank": 16, "qk_nope_head_dim": 16, "qk_rope_head_dim": 8, "v_head_dim": 16}
ROUTED = {"n_routed_experts": 4, "n_group": 1, "topk_group": 1, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
LINEAR = {
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 16,
    "linear_value_head_dim": 16,
}
GLOBAL = {"global_head_dim": 32, "num_kv_shared_layers": 2, "sliding_window": 32, "vocab_size_per_layer_input": 320}
CONFIGS = {
    "llama": {"num_hidden_layers": 3, "num_key_value_heads": 2},
    "gemma2": {"num_hidden_layers": 4, "num_key_value_heads": 2, "head_dim": 32, "sliding_window": 16},
    "mixtral": {"num_hidden_layers": 2, "num_key_value_heads": 2, "num_local_experts": 4, "num_experts_per_tok": 2},
    "deepseek_v3": {"num_hidden_layers": 3, "num_key_value_heads": 4, "first_k_dense_replace": 1, **LATENT, **ROUTED},
    "qwen3_5_text": {"num_hidden_layers": 4, "num_key_value_heads": 2, "head_dim": 16, **LINEAR},
    "gemma4_text": {"num_hidden_layers": 12, "num_key_value_heads": 2, "head_dim": 16, **GLOBAL},
}


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("tokens", [5, 40, 300])
def test_the_cache_has_exactly_the_bytes_of_the_real_one(kind, tokens):
    import torch
    from transformers import AutoModelForCausalLM, DynamicCache

    from llmops.engines.decoder.byte_count import cache_bytes

    settings = {"model_type": kind, "max_position_embeddings": 512, **TINY, **CONFIGS[kind]}
    config = build_config(settings)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).eval()
    cache = DynamicCache(config=config)
    with torch.inference_mode():
        model(torch.randint(5, 300, (1, tokens)), past_key_values=cache)
    assert cache_bytes(cache) == shape_of(settings).cache_bytes(tokens, 2) > 0


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"model_type": "bert", "num_hidden_layers": 2, "hidden_size": 96, "vocab_size": 100}, "no decoder"),
        ({"model_type": "nobody-knows", "num_hidden_layers": 2, "hidden_size": 64, "vocab_size": 100}, "can't build"),
        ({"model_type": "deepseek_v3"}, "missing"),
        ({"num_hidden_layers": 2, "hidden_size": 64, "vocab_size": 100}, "model_type missing"),
        ({"model_type": "llama", "num_hidden_layers": 0, "hidden_size": 64, "num_attention_heads": 4}, "decoder"),
    ],
)
def test_what_is_no_decoder_is_refused_in_words(config, says):
    with pytest.raises(InputError, match=says):
        shape_of(config)
