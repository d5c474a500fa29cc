"""Where a decoder's files lie: embedded, in a folder, or in the hub's cache. Nothing is read here."""

from pathlib import Path

from llmops.core.candidate import EMBEDDED_DECODER
from llmops.core.errors import EndpointError, ModelNotFound
from llmops.core.request import Job
from llmops.core.settings import Settings
from llmops.embedded import DECODER_DIR
from llmops.engines.decoder import memory_check
from llmops.hub import fetch


def find_folder(model: str, job: Job, settings: Settings) -> tuple[Path, tuple[str, ...]]:
    """The folder of a model, fetched where needed; what is in the cache serves while the hub is out of reach."""
    folder = _named_folder(model, settings)
    if folder is not None:
        if not folder.is_dir():
            raise ModelNotFound(
                f"“{model}” is not on this machine.", "Check the path, or use a hub id such as org/name."
            )
        fetch.check_files(folder, model)
        return folder, ()
    try:
        return fetch.download(model, job, settings), ()
    except EndpointError:
        folder = _cached_folder(model)
        if folder is None or memory_check.estimate(folder, "bf16") is None:
            raise
        return folder, ("The hub could not be asked: this is the copy fetched before.",)


def _named_folder(model: str, settings: Settings) -> Path | None:
    """Where an embedded model or a user's folder should be; None for a hub id."""
    if model == EMBEDDED_DECODER:
        return DECODER_DIR
    try:
        return Path(model).expanduser() if fetch.is_folder(model, settings) else None
    except (OSError, RuntimeError, ValueError) as error:  # a name too long, an unknown ~user, a null character
        raise ModelNotFound(f"“{model}” can't be a folder.", "Write org/name, or a path that exists.") from error


def _cached_folder(model: str) -> Path | None:
    try:
        return fetch.cached(model)
    except (OSError, ValueError):  # the hub client's own check of an id; loading says what is wrong with it
        return None


def local_folder(model: str, settings: Settings) -> Path | None:
    """Like find_folder, without any network: None where the model would have to be fetched."""
    return _named_folder(model, settings) or _cached_folder(model)
