"""Two models as one: the second answers the texts of which the first is not sure enough.

The pool loads, holds and frees both; each stage is run by the executor, as any other request is.
"""

from collections.abc import Generator
from dataclasses import replace

from llmops.core.candidate import Candidate
from llmops.core.errors import Stopped, rebuilt
from llmops.core.events import Event, Finished, Note, Started
from llmops.core.format import percent
from llmops.core.request import Request
from llmops.core.run import Memory, Run, Stage, Timing
from llmops.core.run_settings import RunSettings
from llmops.runtime.executor import execute, execute_streaming
from llmops.runtime.lease import Lease


class CascadeModel:
    """Both stages, loaded. Times are the sum of those that ran; the extra memory is the higher of the two."""

    before_bytes: int | None = None
    load_s: float | None = None
    notes: tuple[str, ...] = ()  # each stage's hold only where it ran, and its run has them

    def __init__(self, candidate: Candidate, first: Lease, second: Lease) -> None:
        self._candidate, self._first, self._second = candidate, first, second
        models = (first.model, second.model)
        known = [model.weights_bytes for model in models if model.weights_bytes is not None]
        self.weights_bytes: int | None = sum(known) if known else None
        here = dict.fromkeys(model.device for model in models if model.device != "remote")
        self.device = "+".join(here) or "remote"

    def warm_up(self) -> None:
        """Nothing: the pool has warmed up both."""

    def close(self) -> None:
        """Nothing: the pool frees both."""

    def run(self, request: Request) -> Generator[Event, None, None]:
        """The first stage, and the second where it is needed; see engines.base.Model.run."""
        yield Started()
        settings = RunSettings.of(request)
        first = execute(self._first, request, settings)
        if first.stopped:
            raise Stopped("Stopped in the first stage.")
        sure, note = self._judge(first)
        if sure:
            yield Finished(self._joined([(self._first, first)], note))
            return
        if request.stop.is_set():
            raise Stopped("Stopped between the two stages.")
        yield Note(note)
        second = yield from self._second_stage(request, settings)
        answered = [(self._first, first)] if first.error is None else []
        yield Finished(self._joined([*answered, (self._second, second)], note))

    def _judge(self, run: Run) -> tuple[bool, str]:
        """Whether the first stage suffices, and why or why not. A text it can't read is not sure."""
        first, second = self._candidate.stages
        least = f"{self._candidate.threshold:.6g}"
        if run.error is not None:
            return False, f"Asked {second}: the first stage could not answer ({run.error.message})"
        if run.label is None or not run.probabilities:
            return False, f"Asked {second}: the first stage gave no probabilities."
        probability = max(run.probabilities.values())
        if probability >= self._candidate.threshold:
            return True, f"{first} answered: {percent(probability)} sure, at or above {least}."
        return False, f"Asked {second}: the first stage was {percent(probability)} sure, below {least}."

    def _second_stage(self, request: Request, settings: RunSettings) -> Generator[Event, None, Run]:
        run = yield from execute_streaming(self._second, request, settings)
        if run.error is None:
            return run
        if run.stopped:
            raise Stopped(run.error.message, run.error.remedy)
        raise rebuilt(run.error.kind, f"Second stage: {run.error.message}", run.error.remedy)

    def _joined(self, ran: list[tuple[Lease, Run]], note: str) -> Run:
        """One run out of those that ran: the last one's answer, the sum of the times, each stage kept apart too."""
        answer = ran[-1][1]
        runs = [run for _, run in ran]
        source = {group: known for run in runs for group, known in run.source.items()}  # the answering stage's last
        return replace(
            answer,
            candidate=str(self._candidate),
            timing=self._timing(runs),
            memory=self._memory([run.memory for run in runs]),
            predicted=None,
            source=source,
            warm=self._warm(runs),
            notes=tuple(dict.fromkeys((note, *(note for run in runs for note in run.notes)))),
            energy=None,
            stages=tuple(Stage(str(lease.candidate), run.timing, lease.model.device, run.energy) for lease, run in ran),
        )

    def _warm(self, runs: list[Run]) -> bool:
        """True where every model that was loaded here had been before; a run knows it better than its lease."""
        leases = (self._first, self._second)
        known = {str(lease.candidate): lease.warm for lease in leases if lease.load_s is not None}
        return all((known | {run.candidate: run.warm for run in runs if run.timing.load_s is not None}).values())

    def _timing(self, runs: list[Run]) -> Timing:
        """Both stages' times. Loading is both models', also of one that did not run: it was loaded for this."""
        queues = [run.timing.queue_s for run in runs if run.timing.queue_s is not None]
        by_candidate = {run.candidate: run.timing.load_s for run in runs}
        leases = (self._first, self._second)
        loads = [by_candidate.get(str(lease.candidate), lease.load_s) for lease in leases]
        known = [load_s for load_s in loads if load_s is not None]
        timing = runs[0].timing if len(runs) == 1 else _after(runs[0].timing, runs[1].timing)
        return replace(timing, load_s=sum(known) if known else None, queue_s=sum(queues) if queues else None)

    def _memory(self, used: list[Memory]) -> Memory:
        """Weights of both, since both are held; the rest of those that ran."""
        peaks = [memory.peak_bytes for memory in used if memory.peak_bytes is not None]
        return Memory(self.weights_bytes, used[-1].kv_cache_bytes, max(peaks, default=None), None, self.device)


def _after(first: Timing, second: Timing) -> Timing:
    """The second stage's times, later by what the first one took: TTFT and E2E hold the work of both."""
    earlier_s = first.e2e_s

    def later(value_s: float | None) -> float | None:
        return None if value_s is None or earlier_s is None else earlier_s + value_s

    counts = [timing.prompt_tokens for timing in (first, second) if timing.prompt_tokens is not None]
    return Timing(
        ttft_s=later(second.ttft_s),
        e2e_s=later(second.e2e_s),
        prompt_tokens=sum(counts) if len(counts) == 2 else None,
        output_tokens=second.output_tokens,
    )
