"""glibc's malloc, for the whole process: when freed memory goes back to the system.

Every figure of memory that stays behind, and the pool's budget, count on it going back. Nothing happens where the C
library is another one.
"""

import ctypes
import sys
from functools import cache
from typing import Any

MADE_FOR = "glibc 2.36"
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_AT_ONCE = 1 << 20  # bytes
_MOST_MAPPED, _MOST_KEPT = 32 << 20, 1 << 30  # bytes; glibc takes no more for the first


def return_freed_blocks() -> None:
    """Freed blocks of 1 MiB and more go back at once, also those of other threads.

    Left alone, glibc raises its thresholds to 32 and 64 MiB as blocks are freed (mallopt(3)), and what a thread freed
    stays in that thread's arena, which malloc_trim does not shrink from the top.
    """
    _set_thresholds(_AT_ONCE, _AT_ONCE)


def keep_freed_blocks() -> None:
    """Freed blocks are kept for the next ones, until `return_freed_blocks` and `trim`.

    Some MB that are mapped and returned again and again take half of a batch's time in page faults.
    """
    _set_thresholds(_MOST_MAPPED, _MOST_KEPT)


def trim() -> None:
    """Give back what is free between blocks in use; glibc gives back the end of its memory alone."""
    if (library := _library()) is not None:
        library.malloc_trim(0)


def _set_thresholds(mapped_bytes: int, trim_bytes: int) -> None:
    """Blocks from so many bytes on are mapped on their own; so much may lie free at an arena's end."""
    if (library := _library()) is not None:
        library.mallopt(_M_MMAP_THRESHOLD, mapped_bytes)
        library.mallopt(_M_TRIM_THRESHOLD, trim_bytes)


@cache
def _library() -> Any:  # noqa: ANN401
    """None on a system with another C library."""
    if sys.platform != "linux":
        return None
    try:
        library = ctypes.CDLL("libc.so.6")
        library.mallopt, library.malloc_trim  # noqa: B018  (looks them up)
    except (OSError, AttributeError):
        return None
    return library
