"""Memory that runs out: refused before with what would help, survived in the middle, and the next run works."""

from collections.abc import Iterator
from unittest.mock import patch

import torch

from llmops.core.errors import OutOfMemory
from tests.gpu.loaded import Trial, loaded, request, run
from tests.gpu.rows import Row

_LEFT_BYTES = 24 << 20


def fault_rows(trial: Trial) -> Iterator[Row]:
    """On a GPU alone: memory of its own can be filled."""
    if not trial.is_gpu:
        return
    with loaded(trial, "nf4") as (model, _):
        asked = request(trial)
        before = run(model, asked)
        yield from _refused(model, asked, checked=True)
        yield from _refused(model, asked, checked=False)
        after = run(model, asked)
        yield Row("memory", "the next run's tokens are the same", float(after.text == before.text), "1 = yes", 1, True)


def _refused(model, asked, *, checked: bool) -> Iterator[Row]:
    what = "a full GPU is told before the run" if checked else "memory that runs out in the middle is told"
    filler = _fill(model.device)
    error: OutOfMemory | None = None
    try:
        if checked:
            run(model, asked)
        else:
            with patch("llmops.engines.decoder.memory_check.check_run"):
                run(model, asked)
    except OutOfMemory as refused:
        error = refused
    finally:
        filler.clear()
        torch.cuda.empty_cache()
    said = f"{error.message} {error.remedy}" if error else "no error"
    yield Row("memory", what, float(bool(error and error.remedy)), "1 = yes", 1, True, said)


def _fill(device: str) -> list[torch.Tensor]:
    """Tensors that leave next to nothing free."""
    torch.cuda.empty_cache()
    filler: list[torch.Tensor] = []
    size = torch.cuda.mem_get_info(device)[0]
    while size >= _LEFT_BYTES:
        try:
            filler.append(torch.empty(size, dtype=torch.uint8, device=device))
        except torch.cuda.OutOfMemoryError:
            size //= 2
    return filler
