"""On a Hugging Face Space: what the platform says in its variables, taken to where libraries look. Nothing elsewhere.

Variables as the hub's documentation lists them (spaces-overview, 2026-11): CPU_CORES, MEMORY, SPACE_ID, SYSTEM.
"""

import os
import re
import tempfile
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from llmops.core.publicness import is_space

_BUCKET = Path("/data")  # where a Space's storage bucket is mounted, if it has one
_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def prepare(environment: MutableMapping[str, str] = os.environ) -> None:
    """Before heavy imports: as many threads as the Space has cores, and a model cache that can be written."""
    if not is_space(environment):
        return
    cores = environment.get("CPU_CORES", "")
    if cores.isdigit() and int(cores) > 0:  # the host has more, but they are not this Space's
        environment.setdefault("OMP_NUM_THREADS", cores)
    cache = Path(environment.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    if not can_write(cache):
        environment["HF_HOME"] = str(Path(tempfile.gettempdir()) / "llmops-hub")


def memory_bytes(environment: Mapping[str, str] = os.environ) -> int | None:
    """What the Space's hardware has; None elsewhere, or where it is not told."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti)?", environment.get("MEMORY", "").strip())
    if not found or not is_space(environment):
        return None
    return int(float(found[1]) * _UNITS.get(found[2] or "", 1))


def data_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """Where things are kept: as told, on a Space its bucket, else the home; a temporary place where that can't be."""
    if told := environment.get("LLMOPS_DATA"):
        return Path(told).expanduser()
    if is_space(environment) and _BUCKET.is_dir() and can_write(_BUCKET):
        return _BUCKET / "llmops"
    home = Path.home() / ".local" / "share" / "llmops"
    return home if can_write(home) else Path(tempfile.gettempdir()) / "llmops"


def can_write(folder: Path) -> bool:
    """True where the folder, or the nearest one above it that exists, takes files; tried, as rights can lie."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            return True
    except OSError:
        return False
