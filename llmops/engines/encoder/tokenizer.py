"""Texts as an encoder's token ids: tokenized once, by the model's own fast tokenizer without the layers above it.

Where a model's preparation is more than its tokenizer (its ids for a probe are not the same), the model does it.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops.compat.transformers_models import LOCAL_ONLY
from llmops.engines.base import TextLengths

if TYPE_CHECKING:
    import numpy as np
    from sentence_transformers import SentenceTransformer

_PROBES = ("  A probe, GRÖSSER than one word. ", "two\twords")


class EncoderTokenizer:
    """The tokenizer of one encoder; `limit` tokens of a text are read."""

    def __init__(self, model: "SentenceTransformer", limit: int) -> None:
        self._model: Any = model
        self._pad = int(model.tokenizer.pad_token_id or 0)
        self._limit = limit
        self._unknown: int | None = model.tokenizer.unk_token_id
        self._fast = _fast(model)
        if self._fast is not None:
            probed = [self._model.preprocess([text])["input_ids"][0].tolist() for text in _PROBES]
            right = getattr(model.tokenizer, "padding_side", "right") == "right"
            if not right or probed != self.ids(_PROBES):
                self._fast = None

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text with the model's own start and end marks, uncut."""
        if self._fast is not None:
            return [encoding.ids for encoding in self._fast.encode_batch_fast(list(texts))]
        return [self._model.tokenizer(text, truncation=False, verbose=False)["input_ids"] for text in texts]

    def unknown(self, ids: Sequence[int]) -> int:
        """How many ids stand for what the vocabulary lacks."""
        return 0 if self._unknown is None else sum(token == self._unknown for token in ids)

    def features(self, texts: Sequence[str], ids: Sequence[Sequence[int]] | None = None) -> dict[str, "np.ndarray"]:
        """(texts, tokens) int64 each: what the model reads, padded on the right. Longer texts are cut. ids: theirs."""
        import numpy as np

        text_ids = self.ids(texts) if ids is None else ids
        if self._fast is None or any(len(row_ids) > self._limit for row_ids in text_ids):
            prepared = self._model.preprocess(list(texts))
            return {name: value.numpy() for name, value in prepared.items() if hasattr(value, "numpy")}
        width = max(len(row_ids) for row_ids in text_ids)
        filled = np.full((len(text_ids), width), self._pad, np.int64)
        mask = np.zeros((len(text_ids), width), np.int64)
        for row, row_ids in enumerate(text_ids):
            filled[row, : len(row_ids)] = row_ids
            mask[row, : len(row_ids)] = 1
        return {"input_ids": filled, "attention_mask": mask, "token_type_ids": np.zeros_like(filled)}


def measure(folder: Path, texts: Sequence[str]) -> TextLengths:
    """Tokens of texts with the model's own marks, and how many it reads, from its files: no weights are loaded."""
    from transformers import AutoConfig, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, **LOCAL_ONLY)
    encoded = tokenizer(list(texts), truncation=False, verbose=False)["input_ids"] if texts else []
    limit = _own_limit(folder)
    if limit is None:  # as the library caps it
        positions = getattr(AutoConfig.from_pretrained(folder, **LOCAL_ONLY), "max_position_embeddings", -1)
        limit = min(int(tokenizer.model_max_length), positions) if positions > 0 else int(tokenizer.model_max_length)
    return TextLengths(tuple(len(ids) for ids in encoded), limit)


def _own_limit(folder: Path) -> int | None:
    """What sentence-transformers was told to read; None where nothing says it."""
    try:
        told = json.loads((folder / "sentence_bert_config.json").read_text(encoding="utf-8")).get("max_seq_length")
    except (OSError, ValueError, AttributeError):
        return None
    return int(told) if told else None


def _fast(model: Any) -> Any:  # noqa: ANN401
    """A copy of the tokenizer's fast part, which neither cuts nor pads; None where it has none."""
    from tokenizers import Tokenizer

    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer):
        return None
    copied = Tokenizer.from_str(backend.to_str())
    copied.no_truncation()
    copied.no_padding()
    return copied
