"""Folders for files that are made to be downloaded. Gradio copies a file as soon as it is handed over, so the original
is deleted soon after, and all of them when the process ends."""

import atexit
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path

_KEPT_S = 600.0


@cache
def _root() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="llmops-downloads-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def new_folder() -> Path:
    """An empty folder that nobody else can guess; older ones are deleted."""
    for left in _root().iterdir():
        if time.time() - left.stat().st_mtime > _KEPT_S:
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(dir=_root()))
