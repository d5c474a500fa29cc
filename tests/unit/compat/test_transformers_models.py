"""transformers' models: the underscore names that are used, and how its loader reads what is no file."""

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MixtralConfig,
    RwkvConfig,
    ViTConfig,
)

from llmops.compat import transformers_models

SIZES = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
}


@pytest.fixture(scope="module")
def llama():
    return LlamaForCausalLM(LlamaConfig(**SIZES, tie_word_embeddings=True))


def test_a_configurations_causal_class_is_the_one_that_the_automatic_class_takes():
    config = LlamaConfig(**SIZES)
    assert transformers_models.causal_class(config) is type(AutoModelForCausalLM.from_config(config))
    assert transformers_models.causal_class(ViTConfig()) is None


def test_the_automatic_class_still_wants_a_folder(llama):
    with pytest.raises((TypeError, OSError, ValueError)):
        AutoModelForCausalLM.from_pretrained(None, config=llama.config, state_dict=llama.state_dict())
        pytest.fail("causal_class is no longer needed to load from tensors.")


def test_models_with_a_cache_of_their_own_kind_are_told(llama):
    assert transformers_models.takes_dynamic_cache(llama)
    with torch.device("meta"):
        other = AutoModelForCausalLM.from_config(RwkvConfig(hidden_size=32, num_hidden_layers=2, vocab_size=64))
    assert not transformers_models.takes_dynamic_cache(other)


def test_the_attention_is_what_was_asked_for(llama):
    assert transformers_models.attention_kind(llama) == "sdpa"
    eager = LlamaForCausalLM._from_config(LlamaConfig(**SIZES), attn_implementation="eager")
    assert transformers_models.attention_kind(eager) == "eager"


def test_layers_and_the_blocks_between_which_a_pass_can_be_left_are_found_in_several_families(llama):
    with torch.device("meta"):
        mixtral = AutoModelForCausalLM.from_config(MixtralConfig(**SIZES, num_local_experts=2))
        gpt2 = GPT2LMHeadModel(GPT2Config(n_layer=3, n_embd=32, n_head=2, vocab_size=64))
    for model in (llama, mixtral, gpt2):
        layers = list(transformers_models.layers_of(model))
        assert len(layers) == 3
        assert set(layers) <= set(transformers_models.blocks_of(model))
    assert transformers_models.blocks_of(llama) == list(transformers_models.layers_of(llama))


def test_tied_names_are_what_a_checkpoint_leaves_out(llama, tmp_path):
    from safetensors import safe_open

    llama.save_pretrained(tmp_path)
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        written = set(file.keys())
    assert transformers_models.tied_names(llama) == set(llama.state_dict()) - written == {"lm_head.weight"}
    untied = LlamaForCausalLM(LlamaConfig(**SIZES, tie_word_embeddings=False))
    assert transformers_models.tied_names(untied) == set()


def test_the_output_layer_is_left_unquantized(llama):
    assert "lm_head" in transformers_models.unquantized_names(llama)
    assert not any("proj" in name for name in transformers_models.unquantized_names(llama))


def test_the_loader_makes_each_lazy_tensor_once_and_reads_it_like_a_file(llama):
    left = transformers_models.tied_names(llama)
    wanted = {name: tensor for name, tensor in llama.state_dict().items() if name not in left}
    made = []

    def lazy(name):
        def make(shape):
            made.append(name)
            assert shape == wanted[name].shape
            return wanted[name].clone()

        return transformers_models.LazyTensor(tuple(wanted[name].shape), make)

    model, about = LlamaForCausalLM.from_pretrained(
        None,
        config=llama.config,
        state_dict={name: lazy(name) for name in wanted},
        use_safetensors=True,
        dtype=torch.float32,
        device_map={"": "cpu"},
        output_loading_info=True,
    )
    assert not about["missing_keys"]
    assert sorted(made) == sorted(wanted)
    for name, tensor in llama.state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor), name


def test_the_loader_still_replaces_for_the_whole_process_what_ties_weights():
    from transformers import PreTrainedModel, initialization

    own = PreTrainedModel.tie_weights
    with initialization.no_tie_weights():
        assert PreTrainedModel.tie_weights is not own, "models could be built side by side: BUILDING is not needed"
