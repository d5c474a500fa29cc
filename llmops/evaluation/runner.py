"""A labelled set through every candidate, unattended: each text is in the history as soon as it is done.

Local candidates go one after the other (load, warm-up, measure, unload), remote ones beside them. Stop keeps what is
done; a resumed evaluation needs its id only, and repeats no text. Which texts count is `heldout`'s part, which of them
run alone `batch_sizes`', how they are asked `requests`', and one text's run the executor's.
"""

import queue
import threading
import time
from collections.abc import Generator, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from pathlib import Path

from llmops.catalog.models import model_kinds
from llmops.core.candidate import Candidate, parse_candidate
from llmops.core.errors import InputError, LlmopsError, Stopped
from llmops.core.failures import as_run_error
from llmops.core.request import Generation, Job, Report
from llmops.core.run import Run, RunError
from llmops.core.run_settings import RunSettings
from llmops.evaluation.batch_sizes import AnswerMode, BatchSize, ran_alone, sample
from llmops.evaluation.long_texts import count_long_texts, sentences, without_long
from llmops.evaluation.requests import Place, TextRequests
from llmops.evaluation.row_writer import RowWriter
from llmops.evaluation.spec import EvaluationSpec
from llmops.history.evaluations import Evaluation
from llmops.history.sets import LabelledSet
from llmops.history.store import History
from llmops.runtime.executor import execute, execute_batch
from llmops.runtime.lease import Lease
from llmops.runtime.pool import Pool

_POLL_S = 0.1
_RUNNING: set[tuple[Path, int]] = set()
_GUARD = threading.Lock()


@dataclass(frozen=True)
class CandidateProgress:
    """How far a candidate is. seconds_left: from the pace so far; None before the first text."""

    candidate: str
    done: int
    total: int
    seconds_left: float | None
    message: str = ""


@dataclass(frozen=True)
class CandidateEnded:
    """A candidate is through; error where it could not go on."""

    candidate: str
    error: RunError | None


@dataclass(frozen=True)
class EvaluationBegun:
    """The evaluation's id, how many texts are scored, and how many were left out (why: reason → how many).

    unknown: kept encoders of which it is not recorded what they learnt from. long: a sentence on each candidate that
    some texts are too long for.
    """

    evaluation_id: int
    texts: int
    left_out: int
    why: dict[str, int] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    long: tuple[str, ...] = ()


EvaluationUpdate = EvaluationBegun | CandidateProgress | CandidateEnded


def evaluate(
    pool: Pool, spec: EvaluationSpec, history: History, stop: threading.Event
) -> Generator[EvaluationUpdate, None, None]:
    """Run and record; ends when every candidate has ended. Raises InputError and HistoryError before it begins."""
    task, held_out = spec.task, spec.checked(pool.settings)
    long = count_long_texts(pool, task, held_out.texts, spec.chosen, spec.settings)
    if spec.settings.long_texts == "leave_out":
        held_out = without_long(held_out, long)
    labelled = LabelledSet.of(task, held_out.texts)
    kept = {**spec.settings.record(), "repeats": spec.repeats, **spec.mode.record()}
    kept["too_long"] = {count.candidate: count.to_json() for count in long}
    kept.pop("language")  # each text is asked in its own
    record = Evaluation(
        task_id=task.id,
        task_name=task.name,
        settings=kept,
        labels=task.label_ids,
        data_hash=labelled.hash,
        candidates=tuple(spec.chosen),
        left_out=held_out.left_out,
        left_out_why=held_out.why,
    )
    number = history.evaluations.add_with_set(record, labelled)
    begun = EvaluationBegun(
        number, len(held_out.texts), held_out.left_out, held_out.why, held_out.unknown, sentences(kept)
    )
    requests = TextRequests(task, labelled.texts, spec.settings, spec.mode, stop)
    yield from _run(_Threads(pool, requests, history, number, spec.repeats), spec.chosen, begun)


def resume(pool: Pool, history: History, evaluation_id: int, job: Job) -> Generator[EvaluationUpdate, None, None]:
    """Go on with an evaluation that was broken off: its own texts, candidates and settings; keys are today's.

    Raises HistoryError for an unknown one, InputError for one that runs already or was made elsewhere.
    """
    evaluation = history.evaluations.get(evaluation_id)
    if evaluation.origin:
        raise InputError(f"Evaluation {evaluation_id} was made elsewhere ({evaluation.origin}).", "Begin anew.")
    labelled = history.evaluations.labelled(evaluation_id)
    kept = evaluation.settings
    settings = RunSettings(
        language=labelled.task.languages[0],
        generation=Generation(kept["max_new_tokens"], kept["temperature"], kept["seed"]),
        connection=replace(job.connection, local_only=job.connection.local_only or kept["local_only"]),
        long_texts=kept.get("long_texts") or ("cut" if kept.get("truncate") else "refuse"),
    )
    begun = EvaluationBegun(evaluation_id, len(labelled.texts), evaluation.left_out, evaluation.left_out_why)
    requests = TextRequests(labelled.task, labelled.texts, settings, AnswerMode.of(kept), job.stop)
    threads = _Threads(pool, requests, history, evaluation_id, kept["repeats"])
    yield from _run(threads, evaluation.candidates, begun)


def _run(
    threads: "_Threads", candidates: Sequence[str], begun: EvaluationBegun
) -> Generator[EvaluationUpdate, None, None]:
    """One evaluation, by one caller at a time."""
    key = (threads.history.path, begun.evaluation_id)
    with _GUARD:
        if key in _RUNNING:
            raise InputError(f"Evaluation {begun.evaluation_id} is running already.", "Wait for it, or stop it.")
        _RUNNING.add(key)
    try:
        yield begun
        yield from threads.run(candidates)
    finally:
        with _GUARD:
            _RUNNING.discard(key)


class _Threads:
    """The threads of one evaluation, and the queue they report to."""

    def __init__(self, pool: Pool, requests: TextRequests, history: History, evaluation_id: int, repeats: int) -> None:
        self.history = history
        self._pool, self._requests = pool, requests
        self._id, self._repeats = evaluation_id, repeats
        self._leave = threading.Event()
        self._updates: queue.SimpleQueue[EvaluationUpdate | None] = queue.SimpleQueue()  # None: a thread is through

    def run(self, candidates: Sequence[str]) -> Generator[EvaluationUpdate, None, None]:
        """Start every thread, and pass on what they tell."""
        owner = self._requests.settings.connection.owner
        parsed = {name: _parse(name, owner) for name in candidates}
        local = [name for name, candidate in parsed.items() if isinstance(candidate, LlmopsError) or candidate.is_local]
        groups = [local, *([name] for name in candidates if name not in local)]
        threads = [
            # With the caller's context: it tells whose quota a lent GPU costs.
            threading.Thread(
                target=copy_context().run, args=(self._one_by_one, group, parsed), name="evaluation", daemon=True
            )
            for group in groups
            if group
        ]
        for name in candidates:
            total = self._repeats * len(self._requests.examples)
            self._updates.put(CandidateProgress(name, 0, total, None, "waits for its turn"))
        for thread in threads:
            thread.start()
        running = len(threads)
        try:
            while running:
                try:
                    update = self._updates.get(timeout=_POLL_S)
                except queue.Empty:
                    continue
                if update is None:
                    running -= 1
                else:
                    yield update
        finally:
            self._leave.set()
            for thread in threads:
                thread.join()

    def _one_by_one(self, names: Sequence[str], parsed: dict[str, Candidate | LlmopsError]) -> None:
        secrets = self._requests.settings.connection.secrets
        try:
            for name in names:
                try:
                    candidate = parsed[name]
                    if isinstance(candidate, LlmopsError):
                        raise candidate
                    self._candidate(name, candidate)
                    self._updates.put(CandidateEnded(name, None))
                except Exception as caught:  # noqa: BLE001  a candidate's end: as_run_error logs it
                    self._updates.put(CandidateEnded(name, as_run_error(caught, name, secrets)))
        finally:
            self._updates.put(None)

    def _candidate(self, name: str, candidate: Candidate) -> None:
        done = self.history.evaluations.answered(self._id, name)
        numbers = range(len(self._requests.examples))
        places = [(repeat, number) for repeat in range(self._repeats) for number in numbers]
        left = [place for place in places if place not in done]
        work = _CandidateWork(name, candidate, len(places), RowWriter(self.history, self._id))
        self._updates.put(CandidateProgress(name, len(places) - len(left), len(places), None))
        if not left:
            return
        self._check_stop()

        def report(message: str, _fraction: float | None) -> None:
            self._updates.put(CandidateProgress(name, len(places) - len(left), len(places), None, message))

        try:
            self._texts(work, left, self._alone(candidate, left, done), report)
        finally:
            if candidate.is_local and not candidate.owner:  # on a public page it stays for the others
                self._pool.unload(candidate, self._requests.task)
            work.writer.flush(lambda trouble: report(trouble, None), self._stopped)

    def _alone(self, candidate: Candidate, left: Sequence[Place], done: set[Place]) -> set[Place]:
        """All texts of a remote candidate or of a sampling one; else a sample, if batches are wanted."""
        generation = self._requests.settings.generation
        if not self._requests.mode.batched or not candidate.is_local or generation.temperature > 0:
            return set(left)
        rows = self.history.evaluations.rows(self._id) if done else []
        alone_before = sum(row.candidate == str(candidate) and ran_alone(row.run) for row in rows)
        return sample(left, alone_before, generation.seed)

    def _texts(self, work: "_CandidateWork", left: Sequence[Place], alone: set[Place], report: Report) -> None:
        """First those that run alone, then the rest by language and length, so that a batch has little padding."""
        requests = self._requests
        job = Job(requests.settings.connection, report, requests.stop)
        first = [place for place in left if place in alone]
        rest = sorted((place for place in left if place not in alone), key=requests.shape)
        size, done = BatchSize(), work.total - len(left)
        while first or rest:
            self._check_stop()
            # A turn a text or a batch: others are not kept waiting for the whole set.
            with self._pool.exclusive(work.candidate, requests.task, job) as lease:
                started_s = time.perf_counter()  # loading is no pace
                if not first and getattr(lease.model, "can_batch", False):
                    language = requests.shape(rest[0])[0]
                    places = [place for place in rest[: size.texts] if requests.shape(place)[0] == language]
                    del rest[: len(places)]
                else:
                    places = [(first or rest).pop(0)]
                runs = self._answers(lease, places, alone=len(places) == 1)
                seconds = time.perf_counter() - started_s
            if len(places) > 1:
                size.took(seconds)
            work.writer.keep(*(requests.row(work.name, place, run) for place, run in zip(places, runs, strict=True)))
            for count in range(1, len(places) + 1):
                still = len(first) + len(rest) + len(places) - count
                seconds_left = still * seconds / len(places)
                self._updates.put(
                    CandidateProgress(work.name, done + count, work.total, seconds_left, work.writer.trouble)
                )
            done += len(places)

    def _answers(self, lease: Lease, places: Sequence[Place], alone: bool) -> list[Run]:
        """A run a place. Raises Stopped, and then none has a result."""
        made = [self._requests.request(place) for place in places]
        if not alone:
            return execute_batch(lease, made, self._requests.settings)
        run = execute(lease, made[0], self._requests.settings)
        if run.stopped:
            raise Stopped("Stopped.")
        return [run]

    def _stopped(self) -> bool:
        return self._requests.stop.is_set() or self._leave.is_set()

    def _check_stop(self) -> None:
        if self._stopped():
            raise Stopped("Stopped; what is done is kept.", "Resume it to go on.")


@dataclass(frozen=True)
class _CandidateWork:
    """One candidate's part: its name as chosen, and how many answers it owes in all."""

    name: str
    candidate: Candidate
    total: int
    writer: RowWriter


def _parse(text: str, owner: str) -> Candidate | LlmopsError:
    try:
        return parse_candidate(text, model_kinds()).owned_by(owner)
    except LlmopsError as error:
        return error
