"""ZeroGPU: Hugging Face lends a GPU for one call at a time, in a process forked for it. Elsewhere nothing here acts.

What the `spaces` package (0.51, read in its source) asks: it is imported before gradio and before anything touches
CUDA; a function of it exists before launch; that function runs in a forked child; its arguments and all it yields are
pickled, so no lock, model or exception crosses; and whose quota pays is told by the calling thread's context.
"""

import os
import queue
import tempfile
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from llmops.compat import spaces_internals
from llmops.core.errors import LlmopsError, ZeroGpuUnavailable, rebuilt, redact
from llmops.core.failures import log_unforeseen

DEVICE = "cuda:0"
# Of an RTX PRO 6000 a "large" call gets half: 48 GB (docs of ZeroGPU, 2026-11); a child sees what it really has.
_GPU_BYTES = 48_000_000_000
_BEAT_S = 0.2
_MAX_CALL_S = 120  # of one call: what an anonymous visitor has in a day

Work = Callable[..., Iterable[Any]]
"""A module's own function: work(*arguments, stop) yields plain data. It is found again by name in the child."""

_gpu_function: Callable[[Work, tuple[Any, ...], str, int], Iterator[tuple[str, Any]]] | None = None
_in_child = False


def active(environment: Mapping[str, str] = os.environ) -> bool:
    """True on a ZeroGPU Space."""
    return environment.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def prepare() -> None:
    """Import `spaces` and register the function that borrows a GPU. Before gradio is imported; nothing elsewhere."""
    global _gpu_function
    if active() and _gpu_function is None:
        import spaces

        spaces_internals.end_children_at_exit()
        _gpu_function = spaces.GPU(duration=lambda _work, _arguments, _stopped, seconds: seconds)(_work_in_child)


def gpu() -> tuple[str, int, float]:
    """Name, bytes and compute capability of what will be lent; `spaces` has torch answer for it."""
    import torch

    properties = torch.cuda.get_device_properties(0)
    return (
        f"{properties.name}, lent",
        min(int(properties.total_memory), _GPU_BYTES),
        float(f"{properties.major}.{properties.minor}"),
    )


def free_bytes() -> int:
    """Free memory of the GPU: in a child as it is, before that all of it."""
    if not _in_child:
        return gpu()[1]
    import torch

    return int(torch.cuda.mem_get_info(DEVICE)[0])


def run_on_gpu(
    work: Work, arguments: tuple[Any, ...], seconds: float, stop: threading.Event
) -> Generator[Any, None, None]:
    """Borrow a GPU for about so many seconds and yield what `work` yields there.

    Raises what work raised, as far as it is an LlmopsError, and ZeroGpuUnavailable. Once `stop` is set, work's own is
    set, so that it can end in good order; closing this generator ends it too.
    """
    if _gpu_function is None:
        raise ZeroGpuUnavailable("No GPU can be borrowed: the `spaces` package is not prepared.", "Start with app.py.")
    with tempfile.TemporaryDirectory(prefix="llmops-") as folder:
        stopped = Path(folder) / "stopped"  # an Event does not cross to a child that is kept from an earlier call
        try:
            call = _gpu_function(work, arguments, str(stopped), int(min(seconds, _MAX_CALL_S)))
            with closing(call) as messages:  # type: ignore[type-var]
                for kind, item in messages:
                    if kind == "error":
                        raise rebuilt(*item)
                    if kind == "item":
                        yield item
                    if stop.is_set() and not stopped.exists():
                        stopped.touch()
        except LlmopsError:
            raise
        except Exception as error:  # noqa: BLE001  gradio's, with quota or queue in its words; gradio is unknown here
            words = str(getattr(error, "message", ""))
            if not words:
                log_unforeseen(error, "borrowing a GPU")
            cause = redact(words or f"{type(error).__name__}: {error}")[:300]
            raise ZeroGpuUnavailable(
                f"ZeroGPU lent no GPU: {cause}",
                "Sign in with Hugging Face for a larger quota, try later, or use encoders and hosted models.",
            ) from None


def _work_in_child(
    work: Work, arguments: tuple[Any, ...], stopped: str, _seconds: int
) -> Generator[tuple[str, Any], None, None]:
    """The child's side: ("item", data), ("beat", None) when nothing comes, ("error", parts) instead of an exception."""
    global _in_child
    _in_child = True
    messages: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    stop = threading.Event()

    def run_work() -> None:
        try:
            for item in work(*arguments, stop):
                messages.put(("item", item))
            messages.put(("end", None))
        except LlmopsError as error:
            messages.put(("error", (error.kind, error.message, error.remedy)))
        except BaseException as error:  # noqa: BLE001  the parent gets no traceback, so it is logged here
            log_unforeseen(error, "work on a lent GPU")
            messages.put(("error", ("unexpected", redact(f"{type(error).__name__}: {error}")[:500], "Retry.")))

    thread = threading.Thread(target=run_work, name="zerogpu-work", daemon=True)
    thread.start()
    try:
        kind = "beat"
        while kind not in ("end", "error"):
            try:
                kind, item = messages.get(timeout=_BEAT_S)
            except queue.Empty:
                kind, item = "beat", None
            yield kind, item  # closing is heard here alone
            if Path(stopped).exists():
                stop.set()
    finally:
        stop.set()
        thread.join()
