"""libgomp, the OpenMP that torch brings: the threads it keeps for every thread that has computed.

They spin for the next parallel region only while no more threads are kept than there are processors, and those of an
idle thread count: on 2 cores one such thread made a decode step twice as long. Who keeps which is
`hardware.openmp_threads`'s.
"""

import ctypes
import sys
from functools import cache
from pathlib import Path
from typing import Any

MADE_FOR = "torch 2.13.0"
_SOFT = 1  # omp_pause_soft (OpenMP 5.0): what was set stays set


def give_back_workers() -> None:
    """End the calling thread's workers; its next parallel region makes new ones. torch has no call for it."""
    if "torch" in sys.modules and (library := _libgomp()) is not None:
        library.omp_pause_resource_all(_SOFT)


@cache
def _libgomp() -> Any:  # noqa: ANN401
    """The copy that torch loaded; None on a system with another OpenMP."""
    import torch

    for file in (Path(torch.__file__).parent / "lib").glob("libgomp*.so*"):
        try:
            library = ctypes.CDLL(str(file))
            library.omp_pause_resource_all.restype = ctypes.c_int
        except (OSError, AttributeError):
            continue
        return library
    return None
