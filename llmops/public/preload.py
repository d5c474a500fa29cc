"""Models that are ready before the first visitor comes: on a Space, where a start is long and nobody waits for it."""

import logging
import threading
from collections.abc import Sequence

from llmops.catalog.models import model_kinds
from llmops.core.candidate import Kind, parse_candidate
from llmops.core.errors import LlmopsError
from llmops.core.request import Job
from llmops.core.settings import Settings
from llmops.core.task import Task
from llmops.hardware import zerogpu
from llmops.runtime.pool import Pool

_log = logging.getLogger(__name__)


def place(candidates: Sequence[str], settings: Settings) -> None:
    """ZeroGPU's part, before launch: decoders where each child finds them. Nothing elsewhere."""
    if zerogpu.active():
        from llmops.engines.decoder import zerogpu_child

        zerogpu_child.place_models(candidates, settings)


def start(pool: Pool, task: Task, candidates: Sequence[str]) -> threading.Thread:
    """Load the local candidates one after the other, in the background, each in its turn on the device."""
    thread = threading.Thread(target=_load, args=(pool, task, candidates), name="preload", daemon=True)
    thread.start()
    return thread


def _load(pool: Pool, task: Task, candidates: Sequence[str]) -> None:
    for text in candidates:
        candidate = parse_candidate(text, model_kinds())
        if not candidate.is_local or (zerogpu.active() and candidate.kind == Kind.DECODER):
            continue
        try:
            with pool.exclusive(candidate, task, Job()):
                _log.info("preloaded %s", text)
        except LlmopsError as error:  # whoever asks for it will read why in its column
            _log.warning("%s could not be preloaded: %s", text, error.message)
