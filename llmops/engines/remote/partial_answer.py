"""What one attempt at an answer has brought so far: text, times, token counts, and what is to be said of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from llmops.core.errors import EndpointError
from llmops.core.request import Request
from llmops.core.run import Timing
from llmops.engines.remote.chunks import Chunk
from llmops.engines.remote.parameters import AcceptedParameters
from llmops.hardware.stopwatch import Stopwatch

# Chunks that follow each other quicker than this on average (over 2,000 a second) were sent together: their times tell
# of the sending, not of the making. `transformers serve` does so with short answers of a quick model.
_SENT_AT_ONCE_S = 0.0005


@dataclass
class PartialAnswer:
    """Filled chunk by chunk; text is in `pieces`, thinking is not."""

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

    def add(self, chunk: Chunk) -> None:
        """One more chunk."""
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
        return last - first < _SENT_AT_ONCE_S * (self.text_chunks - 1)

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

    def notes(self, accepted: AcceptedParameters, request: Request) -> Iterator[str]:
        """Sentences about the figures."""
        if self.cached_tokens:
            yield f"The server had {self.cached_tokens:,} of the prompt's tokens cached: TTFT is that of a warm prompt."
        if self.reasoned:
            yield "The model thought before it answered; TTFT is the first token of the thinking."
        if self.at_once:
            yield "The server sent its answer in one go: TTFT is that of the whole, times of single tokens are unknown."
        elif self.unseen_tokens:
            yield f"{self.unseen_tokens:,} thinking tokens were made and paid, but not sent: TTFT includes them."
        if not accepted.temperature and request.generation.temperature == 0:
            yield "This model takes no temperature: its answers may vary."
