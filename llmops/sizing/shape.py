"""A decoder's sizes: parameters by kind, and what its cache keeps. Pure arithmetic, no torch.

`read_shape` knows the families below by formula, from a configuration in transformers' names; what it does not know,
`counting` counts on the real classes. Sizes agree with the model on the meta device (a test builds each).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmops.core.errors import InputError

# Families whose sizes follow from their configuration by the formulas here. Every other one is counted.
_FAMILIES = {
    "llama", "mistral", "qwen2", "qwen3", "qwen3_moe", "gemma2", "gemma3_text",
    "phi3", "phimoe", "mixtral", "smollm3", "gpt_oss",
}  # fmt: skip
# Layers with a sliding window where the configuration has no layer_types of its own (transformers 5.23): every n-th
# layer is full, counted from the end of each group.
_FULL_EVERY = {"gemma2": 2, "gemma3_text": 6, "gpt_oss": 2}
_ALL_SLIDING = {"mistral", "phi3", "mixtral", "phimoe"}
_NORMS = {"gemma2": 4, "gemma3_text": 4}  # a layer; 2 elsewhere
_QK_NORM = {"qwen3", "qwen3_moe", "gemma3_text"}
_QKV_BIAS = {"qwen2", "phimoe", "gpt_oss"}
_OUT_BIAS = {"phimoe", "gpt_oss"}
_NORM_BIAS = {"phimoe"}
_FUSED = {"phi3"}  # query, key and value in one linear layer; gate and up in another


@dataclass(frozen=True)
class LayerCache:
    """What `layers` layers of one kind keep in the cache.

    values: a token and layer (keys and values; the latent of multi-head latent attention). window: the last window - 1
    tokens alone. state, state_fp32: values a layer whatever the tokens (linear attention), in the model's format and
    in fp32.
    """

    layers: int
    values: int = 0
    window: int | None = None
    state: int = 0
    state_fp32: int = 0


@dataclass(frozen=True)
class Shape:
    """A decoder's sizes, in parameters unless said otherwise.

    width: query heads · head size. context: tokens. embedding: every table that is looked up. head: an output layer of
    its own, 0 where tied. linear: what bitsandbytes quantizes under transformers 5, linear layers but the output and,
    since they are fused, no experts; linear_rows and linear_count: their output rows and how many there are; largest:
    the biggest of them. expert_params: all experts. small: norms, biases, routers, convolutions. active_width: the
    feed-forward width that one token goes through.
    """

    model_type: str
    layers: int
    hidden: int
    width: int
    vocab: int
    tied: bool
    context: int
    embedding: int
    head: int
    linear: int
    linear_rows: int
    linear_count: int
    largest: int
    small: int
    active_width: int
    cache: tuple[LayerCache, ...]
    expert_params: int = 0
    experts: int = 0
    experts_per_token: int = 0

    @property
    def params(self) -> int:
        """All parameters."""
        return self.embedding + self.head + self.linear + self.expert_params + self.small

    @property
    def output(self) -> int:
        """Parameters of the output layer, its own or the embedding's."""
        return self.vocab * self.hidden

    @property
    def active(self) -> int:
        """Parameters that one token goes through, the output layer included, looked-up tables not."""
        used = self.expert_params * self.experts_per_token // self.experts if self.experts else 0
        return self.output + self.linear + used + self.small

    @property
    def window(self) -> int | None:
        """The sliding window in tokens; None where every layer reads everything."""
        return next((kind.window for kind in self.cache if kind.window), None)

    @property
    def sliding_layers(self) -> int:
        """Layers with a sliding window."""
        return sum(kind.layers for kind in self.cache if kind.window)

    @property
    def state_layers(self) -> int:
        """Layers whose cache has the same size at every length."""
        return sum(kind.layers for kind in self.cache if not kind.values and (kind.state or kind.state_fp32))

    def cache_bytes(self, tokens: int, value_bytes: int) -> int:
        """Bytes of one sequence's cache.

        2 · layers · KV heads · head size · tokens values where every layer reads everything; a sliding layer keeps
        window - 1 tokens at most (transformers 5.23's DynamicSlidingWindowLayer); latent attention keeps its latent
        alone, kv_lora_rank + qk_rope_head_dim (DeepSeek-V2, section 2.1); linear attention a state.
        """
        total = 0
        for kind in self.cache:
            kept_tokens = min(tokens, kind.window - 1) if kind.window else tokens
            total += kind.layers * ((kind.values * kept_tokens + kind.state) * value_bytes + kind.state_fp32 * 4)
        return total

    def attended(self, tokens: int) -> int:
        """Pairs of tokens that look at each other in a prompt, over all layers; causal, and within a window."""
        pairs = 0
        for kind in self.cache:
            if kind.values:
                span = min(tokens, kind.window or tokens)
                pairs += kind.layers * (tokens * span - span * span // 2)
        return pairs


def text_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The decoder's part of a configuration, in one level."""
    inner = config.get("text_config")
    if not isinstance(inner, Mapping):
        return dict(config)
    return {"tie_word_embeddings": config.get("tie_word_embeddings", False), **inner}


def first_layers(config: Mapping[str, Any], layers: int | None) -> dict[str, Any]:
    """A configuration with its first `layers` layers alone; None: all. Raises InputError."""
    settings = text_config(config)
    if layers is None:
        return settings
    count = int(settings.get("num_hidden_layers") or 0)
    if not 1 <= layers <= count:
        raise InputError(f"The model has {count} layers; {layers} are asked.", f"Use 1 to {count}.")
    first = _first_attention(settings)
    if layers < first:
        raise InputError(
            f"The first {first - 1} layers of this model have no attention; {layers} are asked.",
            f"Use {first} to {count}.",
        )
    lists = {
        name: value[:layers] for name, value in settings.items() if isinstance(value, list) and len(value) == count
    }
    shared = settings.get("num_kv_shared_layers")  # the last ones; a slice has none of them
    settings |= lists | ({"num_kv_shared_layers": max(0, layers - (count - shared))} if shared else {})
    return settings | {"num_hidden_layers": layers}


def _first_attention(settings: Mapping[str, Any]) -> int:
    """The number of the first layer whose cache grows, counted from 1: transformers runs no model without one."""
    types = settings.get("layer_types") or []
    attending = (number for number, kind in enumerate(types, 1) if "attention" in kind and kind != "linear_attention")
    return next(attending, 1 if types else int(settings.get("full_attention_interval") or 1))


def is_known(config: Mapping[str, Any]) -> bool:
    """True where read_shape's formulas hold."""
    return text_config(config).get("model_type") in _FAMILIES


def read_shape(config: Mapping[str, Any]) -> Shape:
    """A configuration (config.json as a mapping) as a Shape. Raises InputError where it is none of a known decoder."""
    text = text_config(config)
    try:
        return _by_formula(text)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"The configuration is none of a decoder ({error}).", "Choose a causal language model."
        ) from error


def _by_formula(text: Mapping[str, Any]) -> Shape:
    layers, hidden, heads = (int(text[n]) for n in ("num_hidden_layers", "hidden_size", "num_attention_heads"))
    model_type, vocab, context = str(text["model_type"]), int(text["vocab_size"]), int(text["max_position_embeddings"])
    if model_type not in _FAMILIES:
        raise ValueError(f"of the unknown kind “{model_type[:40]}”")
    kv_heads = int(text.get("num_key_value_heads") or heads)
    head_dim = int(text.get("head_dim") or hidden // heads)
    intermediate = int(text.get("intermediate_size") or 4 * hidden)
    experts = int(text.get("num_local_experts") or text.get("num_experts") or 0)
    per_token = int(text.get("num_experts_per_tok") or 0) if experts else 0
    expert_width = int(text.get("moe_intermediate_size") or intermediate)
    if min(layers, hidden, heads, kv_heads, head_dim, intermediate, vocab, context) < 1:
        raise ValueError("a size is below 1")
    tied = bool(text.get("tie_word_embeddings", False))
    width, kv = heads * head_dim, kv_heads * head_dim
    fused = model_type in _FUSED
    dense = 0 if experts else 3 * hidden * intermediate
    rows = width + 2 * kv + hidden + (0 if experts else 2 * intermediate + hidden)
    feed_forward = 0 if experts else hidden * intermediate * (2 if fused else 1)
    biases = experts * (2 * expert_width + hidden) if model_type == "gpt_oss" else 0
    return Shape(
        model_type=model_type,
        layers=layers,
        hidden=hidden,
        width=width,
        vocab=vocab,
        tied=tied,
        context=context,
        embedding=vocab * hidden,
        head=0 if tied else vocab * hidden,
        linear=layers * (2 * hidden * (width + kv) + dense),
        linear_rows=layers * rows,
        linear_count=layers * (4 if fused or experts else 7),
        largest=max(feed_forward, hidden * (width + 2 * kv if fused else width)),
        small=layers * (_extras(model_type, hidden, width, kv, head_dim) + experts * hidden) + hidden,
        active_width=per_token * expert_width if experts else intermediate,
        cache=_cache(text, model_type, layers, 2 * kv),
        expert_params=layers * (experts * 3 * hidden * expert_width + biases),
        experts=experts,
        experts_per_token=per_token,
    )


def _extras(model_type: str, hidden: int, width: int, kv: int, head_dim: int) -> int:
    """Norms and biases of one layer."""
    norms = _NORMS.get(model_type, 2) * hidden * (2 if model_type in _NORM_BIAS else 1)
    qk = 2 * head_dim if model_type in _QK_NORM else 0
    qkv = width + 2 * kv if model_type in _QKV_BIAS else 0
    return norms + qk + qkv + (hidden if model_type in _OUT_BIAS else 0)


def _cache(text: Mapping[str, Any], model_type: str, layers: int, values: int) -> tuple[LayerCache, ...]:
    """What the layers keep, those with a sliding window apart."""
    window = text.get("sliding_window")
    types = text.get("layer_types")
    sliding = 0
    if window and text.get("use_sliding_window") is not False:
        if types:
            sliding = sum(layer_type == "sliding_attention" for layer_type in types[:layers])
        elif model_type in _FULL_EVERY:
            sliding = layers - layers // _FULL_EVERY[model_type]
        elif model_type in _ALL_SLIDING:
            sliding = layers
        elif text.get("use_sliding_window"):
            sliding = max(0, layers - int(text.get("max_window_layers") or layers))
    full = (LayerCache(layers - sliding, values),) if sliding < layers else ()
    return (*full, LayerCache(sliding, values, int(window))) if sliding and window else full
