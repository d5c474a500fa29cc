"""Work in a process of its own: for memory, of which other tests hold some, and for variables read at an import."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar
from unittest.mock import patch

from llmops.hardware.memory import keep_no_free_memory

T = TypeVar("T")


def in_fresh_process(work: Callable[..., T], *arguments: Any, environment: Mapping[str, str] | None = None) -> T:
    """What a module's function returns in a new process, whose freed memory goes back as it does in the app.

    environment: all of its variables; None: this process's.
    """
    variables = patch.dict(os.environ, environment or {}, clear=environment is not None)
    with variables, ProcessPoolExecutor(1, get_context("spawn"), keep_no_free_memory) as process:
        return process.submit(work, *arguments).result()
