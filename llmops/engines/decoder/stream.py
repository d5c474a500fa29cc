"""generate() in a compute thread, watched from outside: tokens stamped where they are made, text pieced together,
stopped at the next token or, while it reads the prompt, at the next layer."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from llmops.compat.transformers_models import blocks_of
from llmops.core.events import Token
from llmops.engines.decoder.generate_callbacks import token_streamer
from llmops.hardware.openmp_threads import ComputeThread
from llmops.hardware.stopwatch import Stopwatch

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from transformers.generation.streamers import BaseStreamer

_POLL_S = 0.1
_PIECE_S = 1 / 30  # as often as a page is painted


class Interrupted(BaseException):
    """Raised inside a forward pass to leave it. Not an Exception, so that no library swallows it."""


class Interrupt:
    """Whether the run that is on should end: the visitor's own event, or `set` by whoever reads the run."""

    def __init__(self) -> None:
        self._ended = False
        self._visitor: threading.Event | None = None

    def begin(self, visitor: threading.Event | None) -> None:
        """A new run begins; None for work that nobody waits for."""
        self._ended, self._visitor = False, visitor

    def set(self) -> None:
        """End it, whatever the visitor says."""
        self._ended = True

    def is_set(self) -> bool:
        """Asked between layers and tokens, so it costs next to nothing."""
        return self._ended or (self._visitor is not None and self._visitor.is_set())


class LayerInterrupt:
    """Leave a forward pass between two layers once `interrupt` is set: a long prompt is then no wait.

    On for reading only: asked at every layer of every token, it would cost one or two percent of a small model's rate.
    """

    def __init__(self, model: "PreTrainedModel", interrupt: Interrupt) -> None:
        self._interrupt = interrupt
        self._layers = blocks_of(model)
        self._hooks: list[Any] = []

    def enable(self) -> None:
        """From now on."""
        self.disable()
        self._hooks = [layer.register_forward_pre_hook(self.check) for layer in self._layers]

    def disable(self) -> None:
        """No longer; called between two passes."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    def check(self, *_: object) -> None:
        """Raise Interrupted once it is set; also between two tokens, where it costs less than a stopping criterion."""
        if self._interrupt.is_set():
            raise Interrupted


class GenerateCall:
    """One generate() call. Iterate it for Token events; afterwards `ids`, `watch` and `error` are final."""

    def __init__(
        self,
        tokenizer: "PreTrainedTokenizerBase",
        layer_interrupt: LayerInterrupt,
        watch: Stopwatch,
    ) -> None:
        self.watch = watch
        self._layer_interrupt = layer_interrupt
        self.ids: list[int] = []
        self.error: BaseException | None = None
        self._tokenizer = tokenizer
        self._arrived: deque[tuple[float, int]] = deque()
        self._first, self._ended = threading.Event(), threading.Event()
        self._done: Future[None] | None = None

    def start(self, thread: ComputeThread, generate: Callable[["BaseStreamer"], object]) -> None:
        """Begin generate(streamer) in the compute thread."""
        self._done = thread.start(lambda: self._run(generate))

    def join(self) -> None:
        """Wait until the thread has really left it."""
        if self._done is not None:
            self._done.result()

    def tokens(self) -> Iterator[Token]:
        """Pieces of text as they come: the first token at once, then all that a thirtieth of a second has brought.

        Reading each by itself would take the interpreter away from the thread that makes the next. Ends with
        generate(), after an error too.
        """
        text = TextPieces(self._tokenizer)
        while not self._first.wait(_POLL_S):  # wakes up, so that an interpreter that is shutting down gets its turn
            pass
        while True:
            ended = self._ended.is_set()
            arrived = [self._arrived.popleft() for _ in range(len(self._arrived))]
            self.ids.extend(token for _, token in arrived)
            if arrived and (piece := text.add([token for _, token in arrived])):
                yield Token(piece, at_s=arrived[-1][0])
            if ended:
                break
            self._ended.wait(_PIECE_S)
        if held_back := text.flush():
            yield Token(held_back)

    def _run(self, generate: Callable[["BaseStreamer"], object]) -> None:
        try:
            import torch

            self._layer_interrupt.enable()
            with torch.inference_mode():
                generate(token_streamer(self._on_token, self._layer_interrupt.disable))
        except BaseException as error:  # noqa: BLE001  raised by whoever reads, who must always hear of the end
            self.error = error
        finally:
            self._layer_interrupt.disable()
            self._ended.set()
            self._first.set()

    def _on_token(self, token: "torch.Tensor") -> None:
        self._arrived.append((self.watch.tick(), int(token.item())))
        if not self._first.is_set():
            self._first.set()
        self._layer_interrupt.check()


class TextPieces:
    """Token ids to text that only grows: a half-finished character waits for its rest."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._shown_ids = 0  # ids whose text was given out
        self._start = 0  # where decoding begins: some tokens before, because spaces depend on them

    def add(self, tokens: Iterable[int]) -> str:
        """The text that these tokens complete; often empty inside an emoji."""
        self._ids.extend(tokens)
        return self._next(final=False)

    def flush(self) -> str:
        """What was held back at the end: a character that never got its rest shows as U+FFFD."""
        return self._next(final=True)

    def _next(self, final: bool) -> str:
        before = self._decode(self._ids[self._start : self._shown_ids])
        now = self._decode(self._ids[self._start :])
        if len(now) <= len(before) or (now.endswith("\ufffd") and not final):
            return ""
        self._start, self._shown_ids = self._shown_ids, len(self._ids)
        return now[len(before) :]

    def _decode(self, ids: list[int]) -> str:
        return self._tokenizer.decode(ids, skip_special_tokens=True) if ids else ""
