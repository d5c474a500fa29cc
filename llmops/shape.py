"""What a configuration says of a decoder's size: parameters by kind, and bytes of its cache. Pure arithmetic, no torch.

One reader for the catalogue, a folder's config.json and the hub's: they share transformers' names. Sizes agree with
the real model on the meta device (a test builds each).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmops.errors import InputError

# Layers with a sliding window where the configuration has no layer_types of its own (transformers 5.23): every n-th
# layer is full, counted from the end of each group.
_FULL_EVERY = {"gemma2": 2, "gemma3_text": 6, "gpt_oss": 2}
_ALL_SLIDING = {"mistral", "phi3", "mixtral", "phimoe"}
_NORMS = {"gemma2": 4, "gemma3_text": 4}  # a layer; 2 elsewhere
_QK_NORM = {"qwen3", "qwen3_moe", "gemma3_text"}
_QKV_BIAS = {"qwen2", "phimoe", "gpt_oss"}
_OUT_BIAS = {"phimoe", "gpt_oss"}
_NORM_BIAS = {"phimoe"}


@dataclass(frozen=True)
class Shape:
    """A decoder's dimensions, as transformers names them. experts 0: a dense model.

    sliding_layers of `layers` keep only the last `window` - 1 tokens. kv_latent: values a token and layer that
    multi-head latent attention stores (kv_lora_rank + qk_rope_head_dim), 0 elsewhere.
    """

    model_type: str
    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int
    tied: bool
    context: int
    window: int | None = None
    sliding_layers: int = 0
    experts: int = 0
    experts_per_token: int = 0
    expert_intermediate: int = 0
    kv_latent: int = 0

    @property
    def embedding(self) -> int:
        """Parameters of the input embedding; the output layer has as many again unless tied."""
        return self.vocab * self.hidden

    @property
    def attention(self) -> int:
        """Weights of one layer's query, key, value and output projections."""
        return self.hidden * self.head_dim * 2 * (self.heads + self.kv_heads)

    @property
    def dense_mlp(self) -> int:
        """Weights of one layer's gate, up and down projections; 0 where experts stand in their place."""
        return 0 if self.experts else 3 * self.hidden * self.intermediate

    @property
    def expert(self) -> int:
        """Weights of one expert of one layer."""
        return 3 * self.hidden * self.expert_intermediate

    @property
    def linear(self) -> int:
        """Weights in all that bitsandbytes quantizes under transformers 5: linear layers but the output, no experts."""
        return self.layers * (self.attention + self.dense_mlp)

    @property
    def linear_rows(self) -> int:
        """Output rows of those linear layers: int8 keeps a scale for each."""
        mlp = 0 if self.experts else 2 * self.intermediate + self.hidden
        return self.layers * (self.head_dim * (self.heads + 2 * self.kv_heads) + self.hidden + mlp)

    @property
    def linear_count(self) -> int:
        """How many such layers there are; Phi fuses some of them."""
        fused = self.model_type in ("phi3",)
        return self.layers * ((4 if fused else 7) if not self.experts else 4)

    @property
    def expert_params(self) -> int:
        """Weights of all experts; they stay in full precision under bitsandbytes."""
        biases = self.experts * (2 * self.expert_intermediate + self.hidden) if self.model_type == "gpt_oss" else 0
        return self.layers * (self.experts * self.expert + biases)

    @property
    def small(self) -> int:
        """Norms, biases and routers."""
        norms = _NORMS.get(self.model_type, 2) * self.hidden * (2 if self.model_type in _NORM_BIAS else 1)
        qk = 2 * self.head_dim if self.model_type in _QK_NORM else 0
        qkv = self.head_dim * (self.heads + 2 * self.kv_heads) if self.model_type in _QKV_BIAS else 0
        out = self.hidden if self.model_type in _OUT_BIAS else 0
        router = self.experts * self.hidden
        return self.layers * (norms + qk + qkv + out + router) + self.hidden

    @property
    def head(self) -> int:
        """Parameters of an output layer of its own; 0 where it is tied to the embedding."""
        return 0 if self.tied else self.embedding

    @property
    def params(self) -> int:
        """All parameters."""
        return self.embedding + self.head + self.linear + self.expert_params + self.small

    @property
    def active(self) -> int:
        """Parameters that one token goes through, the output layer included, the embedding's table not."""
        used = self.layers * self.experts_per_token * self.expert
        return self.embedding + self.linear + used + self.small

    @property
    def active_width(self) -> int:
        """The feed-forward width that one token goes through."""
        return self.experts_per_token * self.expert_intermediate if self.experts else self.intermediate

    def cache_values(self, tokens: int) -> int:
        """Values in the cache of one sequence of `tokens`.

        2 · layers · KV heads · head size · tokens (keys and values); a sliding layer keeps window - 1 tokens at most
        (transformers 5.23's DynamicSlidingWindowLayer); latent attention keeps its latent alone.
        """
        if self.kv_latent:
            return self.layers * self.kv_latent * tokens
        per_layer = 2 * self.kv_heads * self.head_dim
        kept = min(tokens, self.window - 1) if self.window else tokens
        return per_layer * ((self.layers - self.sliding_layers) * tokens + self.sliding_layers * kept)


def read_shape(config: Mapping[str, Any]) -> Shape:
    """A configuration (config.json as a mapping) as a Shape. Raises InputError where it is none of a decoder."""
    text = config.get("text_config") or config
    try:
        layers, hidden, heads = (int(text[n]) for n in ("num_hidden_layers", "hidden_size", "num_attention_heads"))
        model_type = str(text["model_type"])
        experts = int(text.get("num_local_experts") or text.get("num_experts") or text.get("n_routed_experts") or 0)
        intermediate = int(text.get("intermediate_size") or 4 * hidden)
        sliding, window = _sliding(text, model_type, layers)
        latent = int(text.get("kv_lora_rank") or 0)
        return Shape(
            model_type=model_type,
            layers=layers,
            hidden=hidden,
            intermediate=intermediate,
            heads=heads,
            kv_heads=int(text.get("num_key_value_heads") or heads),
            head_dim=int(text.get("head_dim") or hidden // heads),
            vocab=int(text["vocab_size"]),
            tied=bool(text.get("tie_word_embeddings", config.get("tie_word_embeddings", False))),
            context=int(text["max_position_embeddings"]),
            window=window,
            sliding_layers=sliding,
            experts=experts,
            experts_per_token=int(text.get("num_experts_per_tok") or 0) if experts else 0,
            expert_intermediate=int(text.get("moe_intermediate_size") or intermediate) if experts else 0,
            kv_latent=latent + int(text.get("qk_rope_head_dim") or 0) if latent else 0,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"The configuration is none of a decoder ({error}).", "Choose a causal language model."
        ) from error


def _sliding(text: Mapping[str, Any], model_type: str, layers: int) -> tuple[int, int | None]:
    """(layers with a sliding window, its size in tokens)."""
    window = text.get("sliding_window")
    if not window or text.get("use_sliding_window") is False:
        return 0, None
    types = text.get("layer_types")
    if types:
        count = sum(one == "sliding_attention" for one in types[:layers])
    elif model_type in _FULL_EVERY:
        count = layers - layers // _FULL_EVERY[model_type]
    else:
        count = layers if model_type in _ALL_SLIDING else 0
    return count, int(window) if count else None
