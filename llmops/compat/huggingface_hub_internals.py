"""huggingface_hub from inside: how often a download says how far it is, and to which bars."""

from collections.abc import Callable
from typing import Any

MADE_FOR = "huggingface_hub 2.4.0"
_CHUNK_BYTES = 1 << 20


def report_often() -> None:
    """Chunks of 1 MiB, for the whole process: progress is told, and Stop heard, once a chunk, which has 10 MiB."""
    from huggingface_hub import constants

    constants.DOWNLOAD_CHUNK_SIZE = _CHUNK_BYTES


def progress_class(told: Callable[[float, float], None], check: Callable[[], None]) -> Any:  # noqa: ANN401
    """A class for `tqdm_class`. told: (bytes so far, bytes in all). check: may raise, which ends the download.

    It draws nothing, but is not disabled: a disabled bar counts nothing. Bars of bytes and of files are made of it
    alike, and `unit` tells which; the bytes in all are added up as files begin.
    """
    from tqdm.auto import tqdm

    class Progress(tqdm):  # type: ignore[misc]  # tqdm has no annotations
        def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
            super().__init__(*args, **{**kwargs, "disable": False, "file": _Silent()})

        def update(self, n: float | None = 1) -> bool | None:
            check()
            done: bool | None = super().update(n)
            if self.unit == "B" and self.total:
                told(self.n, self.total)
            return done

    return Progress


class _Silent:
    """Where a progress bar's own drawing goes."""

    def write(self, text: str) -> None:
        """Nothing."""

    def flush(self) -> None:
        """Nothing."""
