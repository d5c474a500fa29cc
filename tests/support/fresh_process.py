"""Memory measured in a process of its own: other tests hold some, and what they freed is used again unseen."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

from llmops.hardware.memory import keep_no_free_memory

T = TypeVar("T")


def in_fresh_process(work: Callable[..., T], *arguments: Any) -> T:
    """What a module's function returns in a new process, whose freed memory goes back as it does in the app."""
    with ProcessPoolExecutor(1, get_context("spawn"), keep_no_free_memory) as process:
        return process.submit(work, *arguments).result()
