"""From a model's name to a folder on disk: embedded, a folder of the user's, or the hub; and what can be wrong with it.

Only safetensors, configuration and tokenizer files are ever fetched or accepted; code and pickles never. Loading is
the engines' part.
"""

import os
import re
from pathlib import Path

from llmops.compat import huggingface_hub_internals
from llmops.core.errors import LlmopsError, ModelNotFound, ModelRefused, Stopped
from llmops.core.request import Connection, Job, Report
from llmops.core.settings import Settings
from llmops.hub.allowed import check_model, folders_allowed
from llmops.hub.errors import explain
from llmops.hub.safetensors_files import is_complete

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?")
_PATTERNS = ["*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "*.tiktoken"]
_IGNORED = ["original/*", "consolidated*", "onnx/*", "openvino/*", "gguf/*", "coreml/*"]
_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt", ".joblib")
_HUB_TIMEOUT_S = 10.0


def is_folder(model: str, settings: Settings) -> bool:
    """True where the name means a place on disk, and such places may be read."""
    if not folders_allowed(settings):
        return False
    return model.startswith((".", "/", "~")) or (":" in model[:3]) or Path(model).expanduser().is_dir()


def folder_of(model: str) -> Path:
    """A user's folder, checked. Raises ModelNotFound or ModelRefused."""
    path = Path(model).expanduser()
    if not path.is_dir():
        raise ModelNotFound(f"There is no folder “{model}”.", "Check the path, or use a hub id such as org/name.")
    check_files(path, model)
    return path


def check_files(path: Path, model: str) -> None:
    """Raise ModelRefused where a folder has no configuration, or no weights but pickles."""
    if not (path / "config.json").is_file() and not (path / "modules.json").is_file():
        raise ModelRefused(
            f"“{model}” is no model: there is no config.json in it.", "Choose the folder with the config."
        )
    names = [file.name for file in path.rglob("*") if file.is_file()]
    if not any(name.endswith(".safetensors") for name in names):
        if any(name.endswith(_PICKLES) for name in names):
            raise ModelRefused(
                f"“{model}” has its weights as pickle files only, which could run code when read.",
                "Save it again with save_pretrained(), which writes safetensors.",
            )
        raise ModelRefused(f"“{model}” has no weights in safetensors.", "Save it with save_pretrained().")


def hub_token(connection: Connection) -> str | bool:
    """The visitor's token, else the owner's from the environment, else False: no token at all."""
    return connection.hf_token or os.environ.get("HF_TOKEN") or False


def download(model: str, job: Job, settings: Settings) -> Path:
    """A hub model as a local folder; files that are in the cache already are not fetched again.

    Raises ModelNotFound, ModelGated, ModelRefused, EndpointError (broken transfer), OutOfMemory (full disk), Stopped.
    """
    _check_id(model, settings)
    job.report(f"looking for {model} on the hub", None)
    try:
        _check_listing(model, job.connection)
        _remove_cut_files(model, job.report)
        return _snapshot(model, job)
    except LlmopsError:
        raise
    except Exception as error:
        raise explain(error, model) from error


def small_file(model: str, name: str, connection: Connection, settings: Settings) -> Path:
    """One file of a hub model, such as its config.json; no weights. Raises ModelNotFound, ModelGated, EndpointError."""
    _check_id(model, settings)
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache

    token = hub_token(connection)
    try:
        if not constants.HF_HUB_OFFLINE and not isinstance(try_to_load_from_cache(model, name), str):
            # Asked first, for without a hub in reach the download of a new file retries for 23 s.
            get_hf_file_metadata(hf_hub_url(model, name), token=token, timeout=_HUB_TIMEOUT_S)
        return Path(hf_hub_download(model, name, token=token))
    except Exception as error:
        raise explain(error, model) from error


def header_bytes(model: str, connection: Connection, settings: Settings) -> int:
    """Bytes of the tensors in a hub model's single weights file, from its header alone. Raises LlmopsError."""
    _check_id(model, settings)
    from huggingface_hub import HfApi

    try:
        header = HfApi().parse_safetensors_file_metadata(model, "model.safetensors", token=hub_token(connection))
    except Exception as error:
        raise explain(error, model) from error
    return max(tensor.data_offsets[1] for tensor in header.tensors.values())


def _check_id(model: str, settings: Settings) -> None:
    if not _HUB_ID.fullmatch(model) or ".." in model or "--" in model:
        raise ModelNotFound(f"“{model}” is neither a folder nor a hub id.", "Write org/name, or a path that exists.")
    check_model(model, settings)


def _check_listing(model: str, connection: Connection) -> None:
    """Look at the file list before anything is fetched."""
    from huggingface_hub import HfApi
    from huggingface_hub.constants import HF_HUB_OFFLINE

    if HF_HUB_OFFLINE:
        return
    token = hub_token(connection)
    # Not list_repo_files: without a hub in reach that one retries for 23 s.
    repository = HfApi().model_info(model, token=token, timeout=_HUB_TIMEOUT_S)
    names = [file.rfilename for file in repository.siblings or ()]
    HfApi().auth_check(model, token=token)
    if not any(name.endswith(".safetensors") for name in names):
        what = (
            "as pickle files only" if any(name.endswith(_PICKLES) for name in names) else "in no form that is read here"
        )
        raise ModelRefused(f"“{model}” has its weights {what}.", "Choose a model with safetensors.")


def _snapshot(model: str, job: Job) -> Path:
    from huggingface_hub import snapshot_download

    huggingface_hub_internals.report_often()

    def report(done: float, total: float) -> None:
        job.report(f"downloading {model}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB", done / total)

    def check() -> None:
        if job.stop.is_set():
            raise Stopped("Stopped while downloading; what is here stays for the next time.")

    folder = snapshot_download(
        model,
        token=hub_token(job.connection),
        allow_patterns=_PATTERNS,
        ignore_patterns=_IGNORED,
        tqdm_class=huggingface_hub_internals.progress_class(report, check),
    )
    path = Path(folder)
    check_files(path, model)
    return path


def cached(model: str) -> Path | None:
    """The folder of a hub model that was fetched before; None where it was not. No network, nothing heavy."""
    if not _HUB_ID.fullmatch(model):
        return None
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(model, "config.json")
    return Path(config).parent if isinstance(config, str) else None


def _remove_cut_files(model: str, report: Report) -> None:
    """Remove what an earlier transfer or a full disk left cut short in the cache, so that it is fetched again."""
    folder = cached(model)
    for path in folder.glob("*.safetensors") if folder else ():
        if not is_complete(path):
            report(f"{path.name} was cut short; fetching it again", None)
            path.resolve().unlink(missing_ok=True)
            path.unlink(missing_ok=True)
