"""Small random models with tokenizers, written to a folder as any model would be: Llama, Mixtral, Gemma 2, BERT.

Their answers are noise; what is tested with them is everything around the answer. Seeded, so runs repeat.
"""

from pathlib import Path

TEXTS = (
    "The aid is needed. Positive: it is recommended. Negative: it is not proven.",
    "Das Hilfsmittel ist notwendig. Positiv: empfohlen. Negativ: nicht belegt, größer, Öl, süß.",
    "Emoji 🙂 🦽 and signs €.",
)
PLAIN_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
REFUSES_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
REFUSES_SYSTEM += PLAIN_TEMPLATE
DROPS_SYSTEM = (
    "{% for message in messages %}{% if message['role'] != 'system' %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endif %}{% endfor %}<|assistant|>"
)
OPENS_THINKING = PLAIN_TEMPLATE + "{{ '<think>\n' }}"


def tokenizer(template: str | None = PLAIN_TEMPLATE):
    """Byte-level BPE over TEXTS, so that any text has tokens and an emoji has several."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    marks = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=384, special_tokens=marks, initial_alphabet=alphabet, show_progress=False)
    backend.train_from_iterator(TEXTS, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token=marks[0],
        eos_token=marks[1],
        additional_special_tokens=marks[2:],
        chat_template=template,
        clean_up_tokenization_spaces=False,
    )


def llama(folder: Path, template: str | None = PLAIN_TEMPLATE, *, seed: int = 0, ends: bool = False, **sizes) -> Path:
    """A Llama of two small layers; `sizes` go to LlamaConfig. It never ends by itself unless `ends`."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return _save(LlamaForCausalLM, LlamaConfig, folder, template, seed, sizes, ends)


def mixtral(folder: Path, **sizes) -> Path:
    """A mixture of four experts, which transformers 5 keeps as fused parameters."""
    from transformers import MixtralConfig, MixtralForCausalLM

    sizes = {"num_local_experts": 4, "intermediate_size": 512, **sizes}
    return _save(MixtralForCausalLM, MixtralConfig, folder, PLAIN_TEMPLATE, 0, sizes, False)


def gemma(folder: Path, **sizes) -> Path:
    """Sliding windows in every other layer, and a template that refuses a system turn."""
    from transformers import Gemma2Config, Gemma2ForCausalLM

    sizes = {"head_dim": 32, "sliding_window": 16, **sizes}
    return _save(Gemma2ForCausalLM, Gemma2Config, folder, REFUSES_SYSTEM, 0, sizes, False)


def bert(folder: Path, **sizes) -> Path:
    """An encoder: no decoder that writes text."""
    from transformers import BertConfig, BertModel

    return _save(BertModel, BertConfig, folder, None, 0, sizes, False)


def _save(model_class, config_class, folder: Path, template, seed: int, sizes: dict, ends: bool) -> Path:
    import torch

    made = tokenizer(template)
    usual = {
        "vocab_size": len(made),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 512,
        "initializer_range": 0.2,
        "pad_token_id": made.pad_token_id,
        "bos_token_id": None,
        "eos_token_id": made.eos_token_id if ends else None,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = model_class(config_class(**{**usual, **sizes}))
    if not ends:  # an end token that is never likely, for tests that count tokens
        model.config.eos_token_id = len(made) - 1
        if getattr(model, "generation_config", None) is not None:
            model.generation_config.eos_token_id = len(made) - 1
        with torch.no_grad():
            head = model.get_output_embeddings()
            if head is not None and not model.config.tie_word_embeddings:
                head.weight[-1] = 0
    model.save_pretrained(folder)
    made.save_pretrained(folder)
    return folder
