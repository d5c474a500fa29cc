"""From a model's name to its Shape, without its weights: the catalogue, a folder's config.json, or the hub's.

Fetching is `fetch`'s part, arithmetic `shape`'s.
"""

import json
from pathlib import Path
from typing import Any

from llmops.catalog.architectures import Architecture, architectures
from llmops.catalog.shapes import shape_of
from llmops.core.candidate import EMBEDDED_DECODER
from llmops.core.errors import InputError, LlmopsError, ModelNotFound
from llmops.core.request import Connection
from llmops.core.settings import Settings
from llmops.embedded import DECODER_DIR
from llmops.hub import fetch
from llmops.sizing.shape import Shape


def find_config(model: str, connection: Connection, settings: Settings) -> dict[str, Any]:
    """A model's configuration. Raises LlmopsError: not in the catalogue and no hub, no such folder, gated."""
    name = model.strip()
    if not name:
        raise InputError("No model is given.", "Write a model id, such as meta-llama/Llama-3.1-8B-Instruct.")
    row = _row(name)
    if row is not None:
        return dict(row.config)
    if name == EMBEDDED_DECODER:
        return _embedded_config()
    if fetch.is_folder(name, settings):
        return _read(Path(name).expanduser() / "config.json", name)
    return _read(fetch.small_file(name, "config.json", connection, settings), name)


def embedded_shape() -> Shape:
    """The sizes of the decoder that comes with the package."""
    return shape_of(_embedded_config())


def _embedded_config() -> dict[str, Any]:
    return _read(DECODER_DIR / "config.json", EMBEDDED_DECODER)


def find_shape(model: str, connection: Connection, settings: Settings) -> Shape:
    """A model's sizes; see find_config."""
    row = _row(model)
    return row.shape if row is not None else shape_of(find_config(model, connection, settings))


def _row(model: str) -> Architecture | None:
    name = model.strip().casefold()
    return next((row for row in architectures() if row.id.casefold() == name), None)


def index_note(model: str, shape: Shape, connection: Connection, settings: Settings) -> str:
    """What the hub's safetensors index or header says of a model that only the hub knows; empty where it agrees.

    It gives the bytes of the files; they are two a parameter in the usual 16 bits.
    """
    name = model.strip()
    in_catalogue = any(row.id.casefold() == name.casefold() for row in architectures())
    if in_catalogue or name == EMBEDDED_DECODER or fetch.is_folder(name, settings):
        return ""
    try:
        stored = _stored_bytes(name, connection, settings)
    except (LlmopsError, KeyError, TypeError, ValueError):
        return ""
    if abs(stored - 2 * shape.params) <= 0.03 * stored:
        return ""
    return (
        f"The hub's files hold {stored / 1e9:.2f} GB; this plan counts {2 * shape.params / 1e9:.2f} GB in 16 bits. "
        "The files may be in another format, or hold more than the decoder."
    )


def _stored_bytes(name: str, connection: Connection, settings: Settings) -> int:
    """Bytes of the weights: from the index, or from the header of a file that is the only one."""
    try:
        index = _read(fetch.small_file(name, "model.safetensors.index.json", connection, settings), name)
    except ModelNotFound:
        return fetch.header_bytes(name, connection, settings)
    return int(index["metadata"]["total_size"])


def _read(path: Path, model: str) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelNotFound(f"There is no config.json for “{model}”.", "Check the path or the id.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"The config.json of “{model}” can't be read.", "Fetch it again.") from error
    if not isinstance(config, dict):
        raise InputError(f"The config.json of “{model}” is no object.", "Fetch it again.")
    return config
