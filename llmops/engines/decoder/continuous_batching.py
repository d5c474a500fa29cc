"""Several requests at a time through one loaded decoder, as one batch.

transformers' continuous batching where it supports the device (CUDA and CPU in 5.23), else batches of ours: whoever
waits when the last batch has ended makes the next. Token times are stamped in the thread that makes the tokens.
"""

import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, Protocol

from llmops.core.errors import EndpointError
from llmops.engines.decoder.generate_callbacks import stop_when, token_streamer

if TYPE_CHECKING:
    from transformers import GenerationConfig, PreTrainedModel

_PAGE = 64  # tokens a cache block
_MOST_BATCH_TOKENS = 2048
_POLL_S = 0.1


@dataclass(frozen=True)
class TimedAnswer:
    """One request's stamps in time.perf_counter seconds: hand-over and each token."""

    handed_s: float
    stamps: tuple[float, ...]
    ids: tuple[int, ...]


class Batcher(Protocol):
    """Takes requests from any thread."""

    def submit(self, ids: list[int], max_new_tokens: int) -> "Future[TimedAnswer]":
        """Hand over one prompt."""
        ...


@contextmanager
def batching(model: "PreTrainedModel", generation: "GenerationConfig", requests: int, tokens: int) -> Iterator[Batcher]:
    """A batcher for up to `requests` at a time of `tokens` each (prompt and answer); nothing else may use the model."""
    if model.device.type in ("cuda", "cpu"):
        batcher: _ContinuousBatcher | _StaticBatcher = _ContinuousBatcher(model, generation, requests, tokens)
    else:
        batcher = _StaticBatcher(model, generation, requests)
    batcher.start()
    try:
        yield batcher
    finally:
        batcher.close()


class _ContinuousBatcher:
    """transformers' manager; the cache is sized for the load, since by default it takes most of the memory."""

    def __init__(self, model: Any, generation: "GenerationConfig", requests: int, tokens: int) -> None:  # noqa: ANN401
        from transformers import ContinuousBatchingConfig

        blocks = requests * ceil((tokens + 1) / _PAGE) + 2
        config = ContinuousBatchingConfig(
            page_size=_PAGE,
            num_blocks=blocks,
            max_batch_tokens=min(_MOST_BATCH_TOKENS, max(256, requests * tokens)),
            allow_block_sharing=False,  # each prompt is to be read in full
            auto_switch_to_flash=False,
            use_async_batching=False,
        )
        self._manager = model.init_continuous_batching(generation, continuous_batching_config=config)
        self._waiting: dict[str, Future[TimedAnswer]] = {}
        self._guard = threading.Lock()
        self._count = 0
        self._over = ""  # why no more is taken
        self._closed = threading.Event()
        self._reader = threading.Thread(target=self._read, name="batch-results", daemon=True)

    def start(self) -> None:
        self._manager.start()
        self._reader.start()

    def submit(self, ids: list[int], max_new_tokens: int) -> "Future[TimedAnswer]":
        with self._guard:
            if self._over:
                raise EndpointError(self._over, "Lower the load, or retry.")
            self._count += 1
            name = f"r{self._count}"
            future: Future[TimedAnswer] = Future()
            self._waiting[name] = future
        self._manager.add_request(ids, name, max_new_tokens, record_timestamps=True)
        return future

    def close(self) -> None:
        self._closed.set()
        self._manager.stop(block=True, hard_stop=True)
        self._manager.destroy()
        self._reader.join()
        self._fail("The batch was stopped.")

    def _read(self) -> None:
        while not self._closed.is_set():
            if not self._manager.is_running():
                self._fail("The batch broke down.")
                return
            result = self._manager.get_result(timeout=_POLL_S)
            if result is None or not result.is_finished():
                continue
            with self._guard:
                future = self._waiting.pop(result.request_id, None)
            if future is None:
                continue
            if result.error or not result.timestamps:
                future.set_exception(EndpointError(f"The batch gave no answer ({result.error}).", "Lower the load."))
            else:
                stamps = tuple(result.timestamps)
                future.set_result(TimedAnswer(result.created_time, stamps, tuple(result.generated_tokens)))

    def _fail(self, why: str) -> None:
        with self._guard:
            self._over = why
            unanswered, self._waiting = list(self._waiting.values()), {}
        for future in unanswered:
            future.set_exception(EndpointError(why, "Lower the load, or retry."))


class _StaticBatcher:
    """Our own: left-padded batches, one after the other."""

    def __init__(self, model: Any, generation: "GenerationConfig", requests: int) -> None:  # noqa: ANN401
        self._model, self._generation, self._most = model, generation, requests
        self._waiting: queue.SimpleQueue[tuple[float, list[int], int, Future[TimedAnswer]]] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="batches", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(self, ids: list[int], max_new_tokens: int) -> "Future[TimedAnswer]":
        future: Future[TimedAnswer] = Future()
        self._waiting.put((time.perf_counter(), ids, max_new_tokens, future))
        return future

    def close(self) -> None:
        self._closed.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._closed.is_set():
            try:
                batch = [self._waiting.get(timeout=_POLL_S)]
            except queue.Empty:
                continue
            while len(batch) < self._most and not self._waiting.empty():
                batch.append(self._waiting.get())
            try:
                self._run(batch)
            except Exception as error:  # noqa: BLE001  raised to those who wait; the next batch may work
                for *_, future in batch:
                    if not future.done():
                        future.set_exception(error)

    def _run(self, batch: list[tuple[float, list[int], int, "Future[TimedAnswer]"]]) -> None:
        import torch
        from transformers import GenerationConfig

        stamps: list[float] = []  # one a step: a token of each row
        pad = self._generation.pad_token_id or 0
        longest = max(len(ids) for _, ids, _, _ in batch)
        rows = [[pad] * (longest - len(ids)) + ids for _, ids, _, _ in batch]
        mask = [[0] * (longest - len(ids)) + [1] * len(ids) for _, ids, _, _ in batch]
        ends = self._generation.eos_token_id
        settings = GenerationConfig(
            max_new_tokens=max(count for _, _, count, _ in batch), do_sample=False, pad_token_id=pad, eos_token_id=ends
        )
        with torch.inference_mode():
            sequences = self._model.generate(
                inputs=torch.tensor(rows, device=self._model.device),
                attention_mask=torch.tensor(mask, device=self._model.device),
                generation_config=settings,
                streamer=token_streamer(lambda _: stamps.append(time.perf_counter())),
                stopping_criteria=stop_when(self._closed.is_set),
            )
        last = set(ends if isinstance(ends, list) else [ends])
        for (handed_s, _, count, future), row in zip(batch, sequences[:, longest:].tolist(), strict=True):
            end = next((index + 1 for index, token in enumerate(row) if token in last), len(row))
            end = min(end, count)
            future.set_result(TimedAnswer(handed_s, tuple(stamps[:end]), tuple(row[:end])))
