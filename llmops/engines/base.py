"""The shape every engine has, and what it is given. Knows no engine and no page.

An engine turns a Candidate into a loaded Model; the Model runs one Request as a stream of events. Loading,
sharing and freeing belong to `runtime.pool`; queue and load times are added by `runtime.executor`.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from llmops.core.candidate import Candidate
from llmops.core.errors import LlmopsError
from llmops.core.events import Event
from llmops.core.request import Connection, Job, Request
from llmops.core.run import Run
from llmops.core.task import Example, Task


class Model(Protocol):
    """Something loaded. `run` may be called again and again, by one caller at a time."""

    device: str
    """Where it runs: `cpu`, `cuda:0`, `mps`, or `remote`."""
    weights_bytes: int | None
    """Sum of the bytes of all parameters, buffers and quantization constants; None where unknown."""
    load_s: float | None
    """Seconds from files on disk to weights in memory; fetching, training and converting are not in it."""
    before_bytes: int | None
    """What the device held before the weights were read; None where unknown."""
    notes: tuple[str, ...]
    """Sentences that hold for every run (what stayed in full precision, which dtype was taken instead)."""

    def warm_up(self) -> None:
        """One small untimed run, so that first-call costs are in no figure."""
        ...

    def run(self, request: Request) -> Generator[Event, None, None]:
        """Yield Started, Token*, Note*, Waiting* and then Finished; raise LlmopsError on failure.

        The Finished run carries ttft_s, e2e_s, token counts, memory and source; load_s and queue_s stay None.
        Closing the generator stops the work and returns only when it has really ended.
        """
        ...

    def close(self) -> None:
        """Give back everything held. The model can't be used afterwards."""
        ...


@runtime_checkable
class BatchModel(Protocol):
    """What local models can do beside `run`: many texts in one go, each with the same result as alone."""

    can_batch: bool
    """False where this model can't: its texts then run one by one."""

    def run_batch(self, requests: Sequence[Request]) -> list[Run | LlmopsError]:
        """One Run a request, in order, or the error of that text alone. Greedy; the requests share one stop.

        The runs have no times and no peak: those are the batch's. Raises Stopped, and then no request has a result.
        """
        ...


@dataclass(frozen=True)
class TextLengths:
    """tokens: of each text as a model would be given it, instruction included; limit: how many of them it reads."""

    tokens: tuple[int, ...]
    limit: int


@runtime_checkable
class MeasuringEngine(Protocol):
    """What engines can do whose models' tokenizers are files here."""

    def text_lengths(
        self, candidate: Candidate, task: Task, texts: Sequence[Example], new_tokens: int
    ) -> TextLengths | None:
        """Told without loading weights; None where the files are not on this machine. new_tokens: an answer's."""
        ...


@runtime_checkable
class FetchingEngine(Protocol):
    """What engines can do whose models' files may have to be fetched: a part of `load` that needs no device."""

    def fetch(self, candidate: Candidate, job: Job) -> None:
        """Put the files on this machine. Raises what loading raises for want of them; honours stop."""
        ...


class Engine(Protocol):
    """Makes models. One object a pool, made with the process's settings; holds no model itself."""

    def key(self, candidate: Candidate, task: Task) -> str:
        """What the pool shares by: equal keys may share one loaded model."""
        ...

    def device(self, candidate: Candidate, connection: Connection) -> str:
        """Where it would run, told without loading anything heavy; `remote` for endpoints elsewhere."""
        ...

    def estimate_bytes(self, candidate: Candidate) -> int | None:
        """Bytes its weights will take, before loading; None where unknown."""
        ...

    def load(self, candidate: Candidate, task: Task, job: Job) -> Model:
        """Load (download, train, convert where needed). Raises LlmopsError; honours stop with errors.Stopped."""
        ...
