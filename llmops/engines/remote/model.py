"""A model at an endpoint: a streamed chat, tried again where that may help, as a Run.

An engine gives a function that opens a stream of Chunks; it is called anew for each attempt.
"""

import math
from collections.abc import AsyncIterator, Callable, Generator

from llmops.core.candidate import Candidate
from llmops.core.errors import EndpointError, Stopped, cut_out
from llmops.core.events import Event, Finished, Started, Token, Waiting
from llmops.core.request import Request
from llmops.core.run import Memory, Run, Source
from llmops.core.verdict import read_verdict
from llmops.engines.remote.chunks import Chunk
from llmops.engines.remote.errors import EndpointRefusal, explain, refused_parameter, retry_after_s
from llmops.engines.remote.parameters import AcceptedParameters
from llmops.engines.remote.partial_answer import PartialAnswer
from llmops.engines.remote.stream_reader import StreamReader
from llmops.hardware.stopwatch import Stopwatch

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 20.0
_MAX_CHARS = 2_000_000
_MAX_ADAPTATIONS = 6

OpenStream = Callable[[Request, AcceptedParameters], AsyncIterator[Chunk]]


class RemoteModel:
    """An address and a model name. Holds no key; safe for several callers at a time."""

    device = "remote"
    weights_bytes: int | None = None

    def __init__(
        self,
        candidate: Candidate,
        open_stream: OpenStream,
        accepted: AcceptedParameters,
        notes: tuple[str, ...],
        sent_to: str = "",
    ) -> None:
        self.notes = notes
        self._sent_to = sent_to
        self.load_s = self.before_bytes = None  # nothing is loaded here
        self._candidate = candidate
        self._open = open_stream
        self._accepted = accepted

    def warm_up(self) -> None:
        """Nothing: a provider's warm-up is part of what it is."""

    def run(self, request: Request) -> Generator[Event, None, None]:
        """Stream one answer; see engines.base.Model.run. Retries before the first token are announced as Waiting."""
        adapted = retried = 0
        while True:
            started = Started()
            yield started
            answer = PartialAnswer(Stopwatch(started.at_s))
            try:
                yield from self._attempt(request, answer)
                break
            except Exception as error:  # noqa: BLE001  whatever a client raises; explain() logs what is unforeseen
                if request.stop.is_set() and not answer.pieces:
                    raise Stopped("Stopped.") from None
                parameter = refused_parameter(error)
                if not answer.pieces and adapted < _MAX_ADAPTATIONS and parameter and self._accepted.learn(parameter):
                    adapted += 1
                    continue
                explained = explain(error, self._candidate.model, request.connection)
                retry = (
                    isinstance(explained, EndpointRefusal)
                    and explained.retryable
                    and retried < request.connection.retries
                )
                if answer.pieces or not retry:
                    raise explained from None
                wait_s = min(_LONGEST_WAIT_S, retry_after_s(error) or _FIRST_WAIT_S * 2**retried)
                retried += 1
                yield Waiting(f"{explained.message} Trying again, {retried} of {request.connection.retries}", wait_s)
                if request.stop.wait(wait_s):
                    raise Stopped("Stopped while waiting to try again.") from None
        if answer.stopped and not answer.pieces:
            raise Stopped("Stopped before the first token.")
        yield Finished(self._finished(request, answer))

    def close(self) -> None:
        """Nothing is held."""

    def _attempt(self, request: Request, answer: PartialAnswer) -> Generator[Event, None, None]:
        reader = StreamReader(lambda: self._open(request, self._accepted))
        try:
            for chunk in reader.chunks():
                if request.stop.is_set():
                    answer.stopped = True
                    return
                if chunk is None:
                    continue
                answer.add(chunk)
                if answer.chars > _MAX_CHARS:
                    raise EndpointError("The endpoint does not stop answering.", "Choose another endpoint.")
                if chunk.text and not chunk.reasoning:
                    yield Token(chunk.text, at_s=chunk.at_s)
        finally:
            reader.close()
        if not answer.stopped:
            answer.check()

    def _finished(self, request: Request, answer: PartialAnswer) -> Run:
        text = cut_out("".join(answer.pieces), request.connection.secrets)
        label = read_verdict(text, request.task, request.language)
        probabilities = _probabilities(answer.logprobs, request.task.answers(request.language))
        source = {"timing": Source.CLIENT, "tokens": Source.SERVER}
        if probabilities:
            source["probabilities"] = Source.SERVER
        return Run(
            candidate=str(self._candidate),
            text=text,
            label=label,
            unparsed=label is None and not answer.stopped,
            probabilities=probabilities,
            timing=answer.timing(),
            memory=Memory(device=self.device),
            source=source,
            notes=tuple(answer.notes(self._accepted, request)),
            finish="stopped" if answer.stopped else answer.finish,
            sent_to=self._sent_to,
        )


def _probabilities(logprobs: tuple[tuple[str, float], ...], answers: dict[str, str]) -> dict[str, float] | None:
    """Label shares out of the first token's alternatives; None unless each label has one that is its alone."""
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
