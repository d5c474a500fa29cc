"""Quantized copies of decoders, kept on disk: the second load reads few bytes and quantizes nothing.

A copy is made from a checked local folder of safetensors, lies in the app's own data folder as safetensors, and is
named by everything that it depends on: the source's files, the quantizer's settings and the libraries' versions. So a
changed source has another name, and the old copy goes when space for new ones is needed.
"""

import hashlib
import json
import logging
import shutil
import tempfile
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_MIN_SOURCE_BYTES = 100_000_000  # of the source: what is smaller is quantized in a moment
_DISK_SHARE = 0.1  # of the disk, used and free together: all copies
_READ = "last-used"
_log = logging.getLogger(__name__)


def copy_folder(source: Path, quantizer: dict[str, Any], data_dir: Path) -> Path | None:
    """Where the copy of a folder lies or would lie; None where it is not worth its disk. quantizer: its settings."""
    files = sorted(file for file in source.glob("*") if file.suffix in (".safetensors", ".json"))
    if sum(file.stat().st_size for file in files if file.suffix == ".safetensors") < _MIN_SOURCE_BYTES:
        return None
    stamps = [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in map(Path.resolve, files)]
    libraries = [version(name) for name in ("torch", "transformers", "bitsandbytes")]
    identity = json.dumps([str(source.resolve()), stamps, quantizer, libraries], default=str)
    return data_dir / "quantized" / hashlib.sha256(identity.encode()).hexdigest()[:24]


def is_complete(copy: Path) -> bool:
    """Whether a copy is there in full; using it keeps it."""
    if not (copy / "config.json").is_file():
        return False
    with suppress(OSError):  # a data folder that can only be read: the copy serves all the same
        (copy / _READ).touch()
    return True


def save_copy(model: "PreTrainedModel", copy: Path) -> None:
    """Write a copy in one step, room permitting. Never raises: a model that could not be kept works as well."""
    if copy.exists():
        return
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=copy.parent, prefix=".partial-"))
    except OSError as error:
        _log.warning("no quantized copy is kept: %s", error)
        return
    try:
        if _free_space(copy.parent, sum(tensor.nbytes for tensor in model.state_dict().values())):
            model.save_pretrained(partial)
            partial.rename(copy)
    except Exception:  # noqa: BLE001  a full disk, or a kind of model that the library can't write
        _log.warning("no quantized copy is kept", exc_info=True)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _free_space(root: Path, needed: int) -> bool:
    """Drop the copies unused for longest until `needed` bytes fit under root's limit; False where they never would."""
    disk = shutil.disk_usage(root)
    limit = disk.total * _DISK_SHARE
    copies = sorted((copy for copy in root.iterdir() if not copy.name.startswith(".")), key=_last_used)
    sizes = {copy: sum(file.stat().st_size for file in copy.iterdir()) for copy in copies}
    while copies and (sum(sizes.values()) + needed > limit or shutil.disk_usage(root).free < 2 * needed):
        oldest = copies.pop(0)
        shutil.rmtree(oldest, ignore_errors=True)
        del sizes[oldest]
    return needed <= limit and shutil.disk_usage(root).free >= 2 * needed


def _last_used(copy: Path) -> float:
    mark = copy / _READ
    return mark.stat().st_mtime if mark.exists() else copy.stat().st_mtime
