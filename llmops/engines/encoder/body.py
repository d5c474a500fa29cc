"""The part of an encoder that turns texts into vectors: a sentence-transformers model, in fp32 through torch.

Where its files lie is `files`' part, what a text costs in tokens `tokenizer`'s, what follows the vectors `head`'s.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from llmops.compat.sentence_transformers_internals import TEXT
from llmops.compat.transformers_models import BUILDING, LOCAL_ONLY
from llmops.core.errors import LlmopsError, ModelRefused
from llmops.engines.encoder.tokenizer import EncoderTokenizer
from llmops.hardware.openmp_threads import compute
from llmops.hub.errors import explain

if TYPE_CHECKING:
    import numpy as np
    from sentence_transformers import SentenceTransformer

_MODULE = re.compile(r"sentence_transformers\.(?:[a-z_]+\.)*(?:Transformer|Pooling|Normalize|Dense)")


def import_libraries() -> None:
    """Seconds of imports, done where they are in no figure."""
    import sentence_transformers  # noqa: F401


def load_body(folder: Path, name: str) -> "SentenceTransformer":
    """A sentence-transformers model on the CPU in fp32. Raises LlmopsError in the model's `name`."""
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    _check_modules(folder, name)
    try:
        with BUILDING:
            return SentenceTransformer(
                str(folder),
                device="cpu",
                model_kwargs={"use_safetensors": True, "dtype": torch.float32},
                **LOCAL_ONLY,
            )
    except LlmopsError:
        raise
    except Exception as error:
        raise explain(error, name) from error


def _check_modules(folder: Path, name: str) -> None:
    """Raise ModelRefused unless a model is made of modules that are known: their names are imported and called."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        types = [str(module["type"]) for module in modules]
    except FileNotFoundError:
        return  # a plain transformer; the library pools it
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelRefused(f"The modules.json of “{name}” can't be read.", "Fetch or save it again.") from error
    unknown = next((kind for kind in types if not _MODULE.fullmatch(kind)), None)
    if unknown is not None:
        raise ModelRefused(f"“{name}” is made of “{unknown[:80]}”, which is not known here.", "Choose another encoder.")


class Body(Protocol):
    """Vectors of texts; the rest of the engine does not care how."""

    model: Any
    max_tokens: int
    weights_bytes: int
    tokenizer: EncoderTokenizer

    def embed(self, texts: Sequence[str], ids: Sequence[Sequence[int]] | None = None) -> "np.ndarray":
        """(texts, width) float32. Longer texts than max_tokens are cut. ids: theirs, where they are known already."""
        ...


class TorchBody:
    """fp32 through torch."""

    def __init__(self, model: "SentenceTransformer") -> None:
        self.model: Any = model
        self.max_tokens = int(model.max_seq_length or model.tokenizer.model_max_length)
        self.tokenizer = EncoderTokenizer(model, self.max_tokens)
        tensors = [*model.parameters(), *model.buffers()]
        self.weights_bytes = sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    def embed(self, texts: Sequence[str], ids: Sequence[Sequence[int]] | None = None) -> "np.ndarray":
        """See Body."""
        import torch

        tensors = {name: torch.from_numpy(value) for name, value in self.tokenizer.features(texts, ids).items()}

        def forward() -> "np.ndarray":
            with torch.inference_mode():
                features = self.model({**tensors, **TEXT})
            vectors: np.ndarray = features["sentence_embedding"].numpy()
            return vectors

        return compute(forward)


def embed_all(
    body: Body, texts: Sequence[str], batch: int = 32, ids: Sequence[Sequence[int]] | None = None
) -> "np.ndarray":
    """(texts, width) in batches of similar length, given back in the texts' order."""
    import numpy as np

    text_ids = body.tokenizer.ids(texts) if ids is None else ids
    order = sorted(range(len(texts)), key=lambda index: len(text_ids[index]))
    vectors: np.ndarray | None = None
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        embedded = body.embed([texts[i] for i in chosen], [text_ids[i] for i in chosen])
        if vectors is None:
            vectors = np.empty((len(texts), embedded.shape[1]), embedded.dtype)
        vectors[chosen] = embedded
    if vectors is None:
        raise ValueError("There are no texts.")
    return vectors
