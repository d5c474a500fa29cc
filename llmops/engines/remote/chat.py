"""What remote engines share: a streamed chat read in a thread of its own, retries, figures, and errors in words.

A remote engine gives an `open` coroutine that yields Chunks; reading runs in an event loop, because only there can a
blocked read be cancelled so that the connection really closes.
"""

import asyncio
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from llmops.core.candidate import Candidate
from llmops.core.errors import EndpointError, Stopped, cut_out
from llmops.core.events import Event, Finished, Started, Token, Waiting
from llmops.core.request import Request
from llmops.core.run import Memory, Run, Source, Timing
from llmops.core.verdict import read_verdict
from llmops.engines.remote.errors import Refused, explain, refused_parameter, retry_after_s
from llmops.hardware.stopwatch import Stopwatch

_POLL_S = 0.1
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 20.0
_MOST_CHARS = 2_000_000
_MOST_ADAPTATIONS = 6
# Chunks that follow each other quicker than this on average (over 2,000 a second) were sent together: their times tell
# of the sending, not of the making. `transformers serve` does so with short answers of a quick model.
_TOGETHER_S = 0.0005


@dataclass(frozen=True)
class Chunk:
    """A piece of a streamed answer. logprobs: (token, log probability) alternatives of the first token, where given.

    sent marks the moment before the request leaves: clocks start there, not at building a client.
    """

    text: str = ""
    sent: bool = False
    reasoning: bool = False
    finish: str | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    thought_tokens: int | None = None
    logprobs: tuple[tuple[str, float], ...] = ()
    at_s: float = field(default_factory=time.perf_counter)


@dataclass
class Accepts:
    """What this endpoint and model take, learnt from their refusals, so that only the first call pays for it."""

    completion_tokens: bool  # max_completion_tokens (OpenAI) rather than max_tokens (most others)
    temperature: bool = True
    seed: bool = True
    stream_options: bool = True
    logprobs: bool = True

    def learn(self, parameter: str) -> bool:
        """Send it no longer (or the other name of the limit); False where there is nothing left to change."""
        if parameter in ("max_tokens", "max_completion_tokens"):
            now = "max_completion_tokens" if self.completion_tokens else "max_tokens"
            if parameter != now:
                return False
            self.completion_tokens = not self.completion_tokens
            return True
        name = "logprobs" if parameter == "top_logprobs" else parameter
        if not getattr(self, name, False):
            return False
        setattr(self, name, False)
        return True


Open = Callable[[Request, Accepts], AsyncIterator[Chunk]]


class RemoteModel:
    """An address and a model name. Holds no key; safe for several callers at a time."""

    device = "remote"
    weights_bytes: int | None = None

    def __init__(
        self, candidate: Candidate, open_stream: Open, accepts: Accepts, notes: tuple[str, ...], sent_to: str = ""
    ) -> None:
        self.notes = notes
        self._sent_to = sent_to
        self.load_s = self.before_bytes = None  # nothing is loaded here
        self._candidate = candidate
        self._open = open_stream
        self._accepts = accepts

    def warm_up(self) -> None:
        """Nothing: a provider's warm-up is part of what it is."""

    def close(self) -> None:
        """Nothing is held."""

    def run(self, request: Request) -> Generator[Event, None, None]:
        """Stream one answer; see engines.base.Model.run. Retries before the first token are announced as Waiting."""
        adapted = retried = 0
        while True:
            started = Started()
            yield started
            gathered = _Gathered(Stopwatch(started.at_s))
            try:
                yield from self._attempt(request, gathered)
                break
            except Exception as error:
                if request.stop.is_set() and not gathered.pieces:
                    raise Stopped("Stopped.") from None
                parameter = refused_parameter(error)
                if not gathered.pieces and adapted < _MOST_ADAPTATIONS and parameter and self._accepts.learn(parameter):
                    adapted += 1
                    continue
                explained = explain(error, self._candidate.model, request.connection)
                again = isinstance(explained, Refused) and explained.again and retried < request.connection.retries
                if gathered.pieces or not again:
                    raise explained from None
                wait_s = min(_LONGEST_WAIT_S, retry_after_s(error) or _FIRST_WAIT_S * 2**retried)
                retried += 1
                yield Waiting(f"{explained.message} Trying again, {retried} of {request.connection.retries}", wait_s)
                if request.stop.wait(wait_s):
                    raise Stopped("Stopped while waiting to try again.") from None
        if gathered.stopped and not gathered.pieces:
            raise Stopped("Stopped before the first token.")
        yield Finished(self._finished(request, gathered))

    def _attempt(self, request: Request, gathered: "_Gathered") -> Generator[Event, None, None]:
        reader = _Reader(lambda: self._open(request, self._accepts))
        try:
            for chunk in reader.chunks():
                if request.stop.is_set():
                    gathered.stopped = True
                    return
                if chunk is None:
                    continue
                gathered.take(chunk)
                if gathered.chars > _MOST_CHARS:
                    raise EndpointError("The endpoint does not stop answering.", "Choose another endpoint.")
                if chunk.text and not chunk.reasoning:
                    yield Token(chunk.text, at_s=chunk.at_s)
        finally:
            reader.close()
        if not gathered.stopped:
            gathered.check()

    def _finished(self, request: Request, gathered: "_Gathered") -> Run:
        text = cut_out("".join(gathered.pieces), request.connection.secrets)
        label = read_verdict(text, request.task, request.language)
        probabilities = _probabilities(gathered.logprobs, request.task.answers(request.language))
        source = {"timing": Source.CLIENT, "tokens": Source.SERVER}
        if probabilities:
            source["probabilities"] = Source.SERVER
        return Run(
            candidate=str(self._candidate),
            text=text,
            label=label,
            unparsed=label is None and not gathered.stopped,
            probabilities=probabilities,
            timing=gathered.timing(),
            memory=Memory(device=self.device),
            source=source,
            notes=tuple(gathered.notes(self._accepts, request)),
            finish="stopped" if gathered.stopped else gathered.finish,
            sent_to=self._sent_to,
        )


@dataclass
class _Gathered:
    """What one attempt has brought so far."""

    watch: Stopwatch
    pieces: list[str] = field(default_factory=list)
    logprobs: tuple[tuple[str, float], ...] = ()
    finish: str | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    thought_tokens: int | None = None
    reasoned: bool = False
    stopped: bool = False
    any_chunk: bool = False
    chars: int = 0
    text_chunks: int = 0

    def take(self, chunk: Chunk) -> None:
        if chunk.sent:
            self.watch.handed_s = chunk.at_s
            return
        self.any_chunk = True
        self.chars += len(chunk.text)
        if chunk.text:
            # The first chunk of many servers is an empty role; only text is a token.
            self.watch.tick(chunk.at_s)
            self.text_chunks += 1
            if chunk.reasoning:
                self.reasoned = True
            else:
                self.pieces.append(chunk.text)
        self.logprobs = self.logprobs or (() if chunk.reasoning else chunk.logprobs)
        self.finish = chunk.finish or self.finish
        self.prompt_tokens = chunk.prompt_tokens if chunk.prompt_tokens is not None else self.prompt_tokens
        self.output_tokens = chunk.output_tokens if chunk.output_tokens is not None else self.output_tokens
        self.cached_tokens = chunk.cached_tokens if chunk.cached_tokens is not None else self.cached_tokens
        self.thought_tokens = chunk.thought_tokens if chunk.thought_tokens is not None else self.thought_tokens

    @property
    def at_once(self) -> bool:
        """True where the whole answer came in one go."""
        first, last = self.watch.first_s, self.watch.last_s
        if first is None or last is None or self.text_chunks < 2:
            return False
        return last - first < _TOGETHER_S * (self.text_chunks - 1)

    @property
    def unseen_tokens(self) -> int | None:
        """Tokens made before the first was sent: all, in one go; else thinking that is counted but not sent."""
        if self.at_once:
            return self.output_tokens
        return None if self.reasoned or not self.thought_tokens else self.thought_tokens

    def timing(self) -> Timing:
        """The clock's stamps with the server's own token counts."""
        timing = self.watch.timing(self.prompt_tokens, self.output_tokens)
        return replace(timing, unseen_tokens=self.unseen_tokens)

    def check(self) -> None:
        """Raise where the stream is over without having ended."""
        if not self.any_chunk:
            raise EndpointError(
                "The address answered, but not as an OpenAI-compatible server.", "Check the address; most end in /v1."
            )
        if self.finish is None:
            raise EndpointError("The stream broke off before the answer was complete.", "Retry.")

    def notes(self, accepts: Accepts, request: Request) -> Iterator[str]:
        if self.cached_tokens:
            yield f"The server had {self.cached_tokens:,} of the prompt's tokens cached: TTFT is that of a warm prompt."
        if self.reasoned:
            yield "The model thought before it answered; TTFT is the first token of the thinking."
        if self.at_once:
            yield "The server sent its answer in one go: TTFT is that of the whole, times of single tokens are unknown."
        elif self.unseen_tokens:
            yield f"{self.unseen_tokens:,} thinking tokens were made and paid, but not sent: TTFT includes them."
        if not accepts.temperature and request.generation.temperature == 0:
            yield "This model takes no temperature: its answers may vary."


class _Reader:
    """Chunks of one stream, read by an event loop in a thread; `close` cancels it and waits until it has left."""

    def __init__(self, open_stream: Callable[[], AsyncIterator[Chunk]]) -> None:
        self._open = open_stream
        self._read: queue.SimpleQueue[Chunk | BaseException | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="remote-stream", daemon=True)
        self._thread.start()

    def chunks(self) -> Iterator[Chunk | None]:
        """Chunks as they come; None at least every 0.1 s without one. Raises what the stream raised."""
        while True:
            try:
                got = self._read.get(timeout=_POLL_S)
            except queue.Empty:
                yield None
                continue
            if got is None:
                return
            if isinstance(got, BaseException):
                raise got
            yield got

    def close(self) -> None:
        self._ready.wait()
        if self._loop is not None and self._task is not None and not self._task.done():
            with suppress(RuntimeError):  # it ended in this moment
                self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
            self._read.put(None)
        except asyncio.CancelledError:
            self._read.put(None)
        except BaseException as error:  # raised again where it is read
            self._read.put(error)
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._ready.set()
        async with aclosing(self._open()) as stream:  # type: ignore[type-var]
            async for chunk in stream:
                self._read.put(chunk)


def _probabilities(logprobs: tuple[tuple[str, float], ...], answers: dict[str, str]) -> dict[str, float] | None:
    """Label shares out of the first token's alternatives; None unless each label has one that is its alone."""
    import math

    mass = dict.fromkeys(answers, 0.0)
    for token, logprob in logprobs:
        start = token.strip().casefold()
        fitting = [label for label, word in answers.items() if start and word.casefold().startswith(start)]
        if len(fitting) == 1:
            mass[fitting[0]] += math.exp(logprob)
    total = sum(mass.values())
    return {label: value / total for label, value in mass.items()} if all(mass.values()) else None


def model_notes(where: str) -> tuple[str, ...]:
    """The privacy line of a remote candidate."""
    return (f"The text leaves this machine: it is sent to {where}.",)


def as_chunk(part: Any) -> Chunk:  # noqa: ANN401
    """A streamed chat completion chunk (openai's or huggingface_hub's, alike by attribute) as ours."""
    choice = part.choices[0] if getattr(part, "choices", None) else None
    delta = getattr(choice, "delta", None)
    content = getattr(delta, "content", None) or ""
    reasoning = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None) or ""
    usage = getattr(part, "usage", None)
    details = getattr(usage, "prompt_tokens_details", None)
    output_details = getattr(usage, "completion_tokens_details", None)
    first = (getattr(getattr(choice, "logprobs", None), "content", None) or [None])[0]
    return Chunk(
        text=content or (reasoning if isinstance(reasoning, str) else ""),
        reasoning=not content and bool(reasoning),
        finish=getattr(choice, "finish_reason", None),
        prompt_tokens=getattr(usage, "prompt_tokens", None),
        output_tokens=getattr(usage, "completion_tokens", None),
        cached_tokens=getattr(details, "cached_tokens", None),
        thought_tokens=getattr(output_details, "reasoning_tokens", None),
        logprobs=tuple(
            (alternative.token, alternative.logprob) for alternative in getattr(first, "top_logprobs", None) or ()
        ),
    )
