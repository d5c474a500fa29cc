"""Two models as one: the second answers the texts of which the first is not sure enough.

The pool loads, holds and frees both; this runs them. It knows their events and figures, not what they are.
"""

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace

from llmops.core.candidate import Candidate
from llmops.core.errors import LlmopsError, Stopped
from llmops.core.events import Event, Finished, Note, Started
from llmops.core.format import percent
from llmops.core.request import Request
from llmops.core.run import Memory, Run, Source, Stage, Timing
from llmops.engines.base import Model


class CascadeModel:
    """Both stages, loaded. Times are the sum of those that ran; the extra memory is the higher of the two."""

    before_bytes: int | None = None
    load_s: float | None = None

    def __init__(self, candidate: Candidate, first: Model, second: Model) -> None:
        self.notes = first.notes  # the second's (what leaves the machine, say) hold only where it ran
        self._candidate, self._first, self._second = candidate, first, second
        known = [one.weights_bytes for one in (first, second) if one.weights_bytes is not None]
        self.weights_bytes: int | None = sum(known) if known else None
        here = dict.fromkeys(one.device for one in (first, second) if one.device != "remote")
        self.device = "+".join(here) or "remote"

    def warm_up(self) -> None:
        """Nothing: the pool has warmed up both."""

    def close(self) -> None:
        """Nothing: the pool frees both."""

    def run(self, request: Request) -> Generator[Event, None, None]:
        """The first stage, and the second where it is needed; see engines.base.Model.run."""
        yield Started()
        first, why = self._try_first(request)
        if first is not None and not why:
            yield Finished(self._joined(first, None, self._sure(first)))
            return
        if request.stop.is_set():
            raise Stopped("Stopped between the two stages.")
        yield Note(why)
        second = yield from self._ask_second(request)
        yield Finished(self._joined(first, second, why))

    def _try_first(self, request: Request) -> tuple[Run | None, str]:
        """The first stage's run, and why it does not suffice (empty: it does). A text it can't read is not sure."""
        run: Run | None = None
        try:
            with closing(self._first.run(request)) as events:
                for event in events:
                    if isinstance(event, Finished):
                        run = event.run
        except Stopped:
            raise
        except LlmopsError as error:
            return None, f"Asked {self._candidate.stages[1]}: the first stage could not answer ({error.message})"
        if run is None or run.label is None or not run.probabilities:
            return run, f"Asked {self._candidate.stages[1]}: the first stage gave no probabilities."
        sure = max(run.probabilities.values())
        if sure >= self._candidate.threshold:
            return run, ""
        least = self._candidate.threshold
        return run, f"Asked {self._candidate.stages[1]}: the first stage was {percent(sure)} sure, below {least:.6g}."

    def _sure(self, run: Run) -> str:
        sure = max((run.probabilities or {"": 0.0}).values())
        return (
            f"{self._candidate.stages[0]} answered: {percent(sure)} sure, at or above {self._candidate.threshold:.6g}."
        )

    def _ask_second(self, request: Request) -> Generator[Event, None, Run]:
        try:
            with closing(self._second.run(request)) as events:
                for event in events:
                    if isinstance(event, Finished):
                        return event.run
                    yield event
        except Stopped:
            raise
        except LlmopsError as error:
            raise type(error)(f"Second stage: {error.message}", error.remedy) from error
        raise LlmopsError("The second stage ended without a result.", "Retry.")

    def _joined(self, first: Run | None, second: Run | None, note: str) -> Run:
        """One run out of those that ran: the last one's answer, the sum of the times, each stage kept apart too."""
        names = [str(one) for one in self._candidate.stages]
        models = (self._first, self._second)
        ran = [(names[i], models[i], run) for i, run in enumerate((first, second)) if run is not None]
        answer = ran[-1][2]
        timing = answer.timing if first is None or second is None else _after(first.timing, second.timing)
        own = self._second.notes if second is not None else ()
        return replace(
            answer,
            candidate=str(self._candidate),
            timing=timing,
            memory=self._memory([run.memory for _, _, run in ran]),
            predicted=None,
            source=_sources(answer.source, first.source if first else {}),
            notes=(*((note,) if note else ()), *own, *dict.fromkeys(n for _, _, run in ran for n in run.notes)),
            energy=None,
            stages=tuple(Stage(name, run.timing, model.device, run.energy) for name, model, run in ran),
        )

    def _memory(self, used: list[Memory]) -> Memory:
        """Weights of both, since both are held; the rest of those that ran."""
        peaks = [one.peak_bytes for one in used if one.peak_bytes is not None]
        return Memory(self.weights_bytes, used[-1].kv_cache_bytes, max(peaks, default=None), None, self.device)


def _after(first: Timing, second: Timing) -> Timing:
    """The second stage's times, later by what the first one took: TTFT and E2E hold the work of both."""
    earlier = first.e2e_s

    def later(value: float | None) -> float | None:
        return None if value is None or earlier is None else earlier + value

    counts = (first.prompt_tokens, second.prompt_tokens)
    return Timing(
        ttft_s=later(second.ttft_s),
        e2e_s=later(second.e2e_s),
        prompt_tokens=None if None in counts else sum(one or 0 for one in counts),
        output_tokens=second.output_tokens,
    )


def _sources(second: dict[str, Source], first: dict[str, Source]) -> dict[str, Source]:
    """Where a figure is a sum, how the answering stage knows it; what only the first one knows stays its own."""
    return {**first, **second}
