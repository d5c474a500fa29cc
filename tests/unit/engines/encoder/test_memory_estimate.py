"""What an encoder is expected to take, against transformers' own classes and the published sizes."""

import pytest

from llmops.engines.encoder.memory_estimate import peak_bytes, read_shape, weights_bytes

SIZES = {
    "bert": {},
    "roberta": {"vocab_size": 50265, "max_position_embeddings": 514, "type_vocab_size": 1},
    "xlm-roberta": {"vocab_size": 250002, "hidden_size": 384, "intermediate_size": 1536},
    "camembert": {"vocab_size": 32005, "max_position_embeddings": 514, "type_vocab_size": 1},
    "mpnet": {},
    "distilbert": {},
}


@pytest.mark.parametrize("kind", SIZES)
def test_a_shape_has_the_parameters_and_buffers_of_the_real_class(kind):
    import torch
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.for_model(kind, **SIZES[kind])
    with torch.device("meta"):
        model = AutoModel.from_config(config)
    shape = read_shape(config.to_dict())
    assert shape.params == sum(parameter.numel() for parameter in model.parameters())
    tensors = [*model.parameters(), *model.buffers()]
    assert weights_bytes(shape, "fp32") == sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def test_fp32_agrees_with_a_published_size_within_2_percent():
    # bge-small-en-v1.5: 127.32 MB, MiB as the figure shows (SetFit with Optimum Intel, Hugging Face blog).
    bge = {"vocab_size": 30522, "max_position_embeddings": 512, "type_vocab_size": 2, "num_hidden_layers": 12}
    shape = read_shape(
        {"model_type": "bert", "hidden_size": 384, "intermediate_size": 1536, "num_attention_heads": 12, **bge}
    )
    assert weights_bytes(shape, "fp32") / 2**20 == pytest.approx(127.32, rel=0.02)


@pytest.mark.parametrize("config", [{"model_type": "modernbert"}, {"model_type": "bert"}, {}])
def test_of_another_architecture_nothing_is_known(config):
    assert read_shape(config) is None


def test_in_int8_no_peak_is_claimed():
    shape = read_shape({"model_type": "distilbert", "dim": 768, "hidden_dim": 3072, "n_layers": 6, "n_heads": 12,
                        "vocab_size": 30522, "max_position_embeddings": 512})  # fmt: skip
    assert peak_bytes(shape, "int8", 512) is None
    assert peak_bytes(shape, "fp32", 512) == 512 * 4 * (2 * 3072 + 3 * 768)


def test_a_column_shows_what_was_expected_and_the_gap_and_no_peak_that_nobody_knows():
    from llmops.core.run import Memory, Run
    from llmops.core.view import View
    from llmops.ui.render import figures

    measured = Memory(weights_bytes=23_000_000, peak_bytes=500_000, device="cpu")
    run = Run("embedded/encoder@int8", memory=measured, predicted=Memory(weights_bytes=22_900_000))
    shown = figures(View("embedded/encoder@int8", run=run))
    assert "Weights, expected" in shown
    assert "22.9 MB (+0.4%)" in shown
    assert "Weights and peak, expected" not in shown
    assert "KV cache" not in shown
