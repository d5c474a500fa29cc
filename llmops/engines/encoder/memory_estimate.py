"""What an encoder is expected to take: bytes of its weights, and of one text's activations. Estimates.

Pure arithmetic on a configuration in transformers' names, for BERT and the families built like it; of any other nothing
is known. An encoder keeps nothing of what it has read: there is no KV cache.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TYPED = {"bert", "roberta", "xlm-roberta", "camembert"}  # with a table of token types
_FAMILIES = {*_TYPED, "mpnet", "distilbert"}
_FLOAT_BYTES, _INDEX_BYTES = 4, 8


@dataclass(frozen=True)
class EncoderShape:
    """An encoder's sizes. hidden, inner: widths of a token and of the feed-forward layer, in values.

    tables and linear: parameters of what is looked up and of the layers' matrices; rows: their rows together. small:
    biases and norms. pooler: parameters of BERT's own pooler, which is loaded and not used. buffer_bytes: of positions.
    """

    hidden: int
    inner: int
    tables: int
    linear: int
    rows: int
    small: int
    pooler: int
    buffer_bytes: int

    @property
    def params(self) -> int:
        """All parameters."""
        return self.tables + self.linear + self.small + self.pooler


def read_shape(config: Mapping[str, Any]) -> EncoderShape | None:
    """A configuration as a shape; None for a family that is not known here, and where a size is missing.

    Tables of words, positions and token types (MPNet: of relative positions); a layer has four square matrices for
    attention and two for the feed-forward part (BERT, arXiv 1810.04805, as transformers 5.23 builds it).
    """
    kind = config.get("model_type")
    if kind not in _FAMILIES:
        return None
    try:
        hidden = int(config["dim" if kind == "distilbert" else "hidden_size"])
        inner = int(config["hidden_dim" if kind == "distilbert" else "intermediate_size"])
        layers = int(config["n_layers" if kind == "distilbert" else "num_hidden_layers"])
        heads = int(config["n_heads" if kind == "distilbert" else "num_attention_heads"])
        positions = int(config["max_position_embeddings"])
        types = int(config["type_vocab_size"]) if kind in _TYPED else 0
        looked_up = int(config["vocab_size"]) + positions + types
    except (KeyError, TypeError, ValueError):
        return None
    buckets = int(config.get("relative_attention_num_buckets") or 32) if kind == "mpnet" else 0
    return EncoderShape(
        hidden=hidden,
        inner=inner,
        tables=looked_up * hidden + buckets * heads,
        linear=layers * (4 * hidden * hidden + 2 * hidden * inner),
        rows=looked_up + buckets + layers * (5 * hidden + inner),
        small=2 * hidden + layers * (9 * hidden + inner),
        pooler=0 if kind == "distilbert" else hidden * hidden + hidden,
        buffer_bytes=(2 if types else 1) * positions * _INDEX_BYTES,
    )


def weights_bytes(shape: EncoderShape, precision: str) -> int:
    """Bytes of the weights.

    fp32: four a parameter, and the positions, which are stored as 64-bit numbers. int8, as nncf 3.4 leaves a
    transformer that OpenVINO 2026.4 saves: one byte a value of every matrix, looked-up tables too, an fp32 scale a row,
    biases and norms in fp32; the pooler is not exported.
    """
    if precision == "int8":
        return shape.tables + shape.linear + _FLOAT_BYTES * (shape.rows + shape.small)
    return _FLOAT_BYTES * shape.params + shape.buffer_bytes


def peak_bytes(shape: EncoderShape, precision: str, tokens: int) -> int | None:
    """Highest extra bytes of one text that is read alone; None in int8.

    fp32 values, tokens times the larger of two moments, fitted to measurements of transformers 5.23's BertLayer under
    inference_mode at two widths (sdpa without a mask holds no square of the tokens):
    2 · inner + 3 · hidden at the feed-forward layer's activation
    function (its input and output, beside the layer's input and the attention's output), and 8 · hidden in attention.
    Measured within 1 % from 1,024 tokens on, at inner = 2 and 4 · hidden. Below 256 tokens, blocks that the allocator
    kept hide it or weigh more than it: an estimate that one run can't confirm. In int8 OpenVINO keeps its buffers from
    text to text, and only a text longer than all before adds to them: what one text adds is not known.
    """
    if precision == "int8":
        return None
    return _FLOAT_BYTES * tokens * max(2 * shape.inner + 3 * shape.hidden, 8 * shape.hidden)
