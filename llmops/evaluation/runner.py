"""A labelled set through every candidate, unattended: each text is in the history as soon as it is done.

Local candidates go one after the other (load, warm-up, measure, unload), remote ones beside them. Of a local
candidate's texts a sample runs alone and the rest in batches (`batches`). Stop keeps what is done; a resumed evaluation
repeats no text. Texts that are also examples to learn from are left out and counted.
"""

import hashlib
import json
import queue
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from llmops.candidate import Candidate, parse_candidate
from llmops.catalog import kinds
from llmops.compare import Options
from llmops.engines.base import Report, Request, Together
from llmops.errors import EndpointError, HistoryError, InputError, LlmopsError, Stopped, redact
from llmops.evaluation.batches import EARLIER, How, Size, ran_alone, sample
from llmops.events import Finished
from llmops.history.store import History, Row
from llmops.pool import Lease, Pool
from llmops.run import Run, RunError
from llmops.task import Example, Task

_POLL_S = 0.1
_GIVE_UP = 5  # failures in a row: the candidate is down, and its failures would only say that again


@dataclass(frozen=True)
class Progress:
    """How far a candidate is. seconds_left: from the pace so far; None before the first text."""

    candidate: str
    done: int
    total: int
    seconds_left: float | None
    message: str = ""


@dataclass(frozen=True)
class Ended:
    """A candidate is through; error where it could not go on."""

    candidate: str
    error: RunError | None


@dataclass(frozen=True)
class Begun:
    """The evaluation's id, how many texts are scored, and how many were left out."""

    evaluation_id: int
    texts: int
    left_out: int


Update = Begun | Progress | Ended


def scored(task: Task, examples: Sequence[Example]) -> tuple[list[Example], int]:
    """(texts that count, number left out because the task's pool holds them too)."""
    learnt = {_plain(example.text) for example in task.split("pool")}
    kept = [example for example in examples if _plain(example.text) not in learnt]
    return kept, len(examples) - len(kept)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def evaluate(
    pool: Pool,
    task: Task,
    examples: Sequence[Example],
    candidates: Sequence[str],
    options: Options,
    history: History,
    stop: threading.Event,
    *,
    repeats: int = 1,
    resume: int | None = None,
    how: How = How(),
) -> Generator[Update, None, None]:
    """Run and record; ends when every candidate has ended. Raises InputError and HistoryError before it begins."""
    chosen = list(dict.fromkeys(candidates))
    if not chosen:
        raise InputError("No candidate is selected.", "Choose at least one.")
    if not 1 <= repeats <= 100:
        raise InputError(f"{repeats} repeats are asked.", "Use 1 to 100.")
    if how.verdict_only and options.generation.temperature > 0:
        raise InputError("A verdict alone is read without sampling.", "Set the temperature to 0.")
    kept, left_out = scored(task, examples)
    if not kept:
        raise InputError("There is no text to score.", "Give labelled texts that are not examples to learn from.")
    unknown = next((one for one in kept if one.label not in task.label_ids), None)
    if unknown is not None:
        raise InputError(f"“{unknown.label}” is no label of the task.", f"Labels: {', '.join(task.label_ids)}.")
    settings = {**options.record(), "repeats": repeats, **how.record()}
    evaluation_id = _begin(history, task, kept, chosen, settings, left_out, resume)
    yield Begun(evaluation_id, len(kept), left_out)
    yield from _Work(pool, task, kept, options, history, evaluation_id, repeats, stop, how).run(chosen)


def _begin(
    history: History,
    task: Task,
    kept: Sequence[Example],
    candidates: Sequence[str],
    settings: dict[str, Any],
    left_out: int,
    resume: int | None,
) -> int:
    rows = [[one.text, one.label, one.language] for one in kept]
    prompts = {code: [prompt.instruction, prompt.system, prompt.user] for code, prompt in task.prompts.items()}
    digest = hashlib.sha256(json.dumps([rows, prompts, task.label_ids]).encode()).hexdigest()
    settings.pop("language")  # each text is asked in its own
    if resume is None:
        return history.begin(task.id, task.name, task.label_ids, digest, candidates, settings, left_out)
    found = history.evaluation(resume)
    if (
        found.data_hash != digest
        or {**EARLIER, **found.settings} != settings
        or set(found.candidates) != set(candidates)
    ):
        raise InputError(
            f"Evaluation {resume} had other texts, candidates or settings.", "Resume it with the same, or begin anew."
        )
    return resume


class _Work:
    """The threads of one evaluation, and the queue they report to."""

    def __init__(
        self,
        pool: Pool,
        task: Task,
        examples: Sequence[Example],
        options: Options,
        history: History,
        evaluation_id: int,
        repeats: int,
        stop: threading.Event,
        how: How,
    ) -> None:
        self._how = how
        self._pool, self._task, self._examples, self._options = pool, task, examples, options
        self._history, self._id, self._repeats = history, evaluation_id, repeats
        self._stop, self._leave = stop, threading.Event()
        self._told: queue.SimpleQueue[Update] = queue.SimpleQueue()

    def run(self, candidates: Sequence[str]) -> Generator[Update, None, None]:
        """Start every chain, and pass on what they tell."""
        parsed: dict[str, Candidate | LlmopsError] = {one: _parse(one) for one in candidates}
        local = [one for one, what in parsed.items() if isinstance(what, LlmopsError) or what.is_local]
        chains = [local, *([one] for one in candidates if one not in local)]
        threads = [
            threading.Thread(target=self._chain, args=(chain, parsed), name="evaluation", daemon=True)
            for chain in chains
            if chain
        ]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads) or not self._told.empty():
                try:
                    yield self._told.get(timeout=_POLL_S)
                except queue.Empty:
                    continue
        finally:
            self._leave.set()
            for thread in threads:
                thread.join()

    def _chain(self, candidates: Sequence[str], parsed: dict[str, Candidate | LlmopsError]) -> None:
        for name in candidates:
            try:
                what = parsed[name]
                if isinstance(what, LlmopsError):
                    raise what
                self._candidate(name, what)
                self._told.put(Ended(name, None))
            except Exception as error:
                self._told.put(Ended(name, self._as_error(error)))

    def _candidate(self, name: str, candidate: Candidate) -> None:
        kept = [row for row in self._history.rows(self._id) if row.candidate == name]
        done = {(row.repeat, row.place) for row in kept}
        places = [(repeat, place) for repeat in range(self._repeats) for place in range(len(self._examples))]
        total = len(places)
        left = [one for one in places if one not in done]
        self._told.put(Progress(name, total - len(left), total, None))
        if not left:
            return
        self._check_stop()

        def report(message: str, fraction: float | None) -> None:
            self._told.put(Progress(name, total - len(left), total, None, message))

        keeper = _Keeper(self._history, self._id)
        alone = set(left)
        if self._how.batched and candidate.is_local and self._options.generation.temperature == 0:
            alone = sample(left, sum(ran_alone(row.run) for row in kept), self._options.generation.seed)
        try:
            self._texts(name, candidate, left, alone, total, keeper, report)
        finally:
            keeper.flush()
            if candidate.is_local:
                self._pool.unload(candidate, self._task)

    def _texts(
        self,
        name: str,
        candidate: Candidate,
        left: Sequence[tuple[int, int]],
        alone: set[tuple[int, int]],
        total: int,
        keeper: "_Keeper",
        report: Report,
    ) -> None:
        """First those that run alone, then the rest by language and length, so that a batch has little padding."""
        asked = (candidate, self._task, self._options.connection, report, self._stop)
        first = [one for one in left if one in alone]
        rest = sorted((one for one in left if one not in alone), key=self._shape)
        size, done = Size(), total - len(left)
        while first or rest:
            self._check_stop()
            # A turn a text or a batch: others are not kept waiting for the whole set.
            with self._pool.alone(*asked) as lease:
                begun_s = time.perf_counter()  # loading is no pace
                if not first and getattr(lease.model, "batches", False):
                    chosen = rest[: size.texts]
                    chosen = [one for one in chosen if self._shape(one)[0] == self._shape(chosen[0])[0]]
                    del rest[: len(chosen)]
                    runs = self._together(name, lease, chosen)
                else:
                    chosen = [(first or rest).pop(0)]
                    runs = [self._one(name, lease, *chosen[0])]
                seconds = time.perf_counter() - begun_s
            if len(chosen) > 1:
                size.took(seconds)
            keeper.keep(*(self._row(name, *one, run) for one, run in zip(chosen, runs, strict=True)))
            for number in range(1, len(chosen) + 1):
                left_over = seconds / len(chosen) * (len(first) + len(rest) + len(chosen) - number)
                self._told.put(Progress(name, done + number, total, left_over, keeper.trouble))
            done += len(chosen)

    def _shape(self, one: tuple[int, int]) -> tuple[str, int]:
        example = self._examples[one[1]]
        return example.language, len(example.text)

    def _row(self, name: str, repeat: int, place: int, run: Run) -> Row:
        example = self._examples[place]
        return Row(
            candidate=name,
            place=place,
            repeat=repeat,
            text=example.text,
            language=example.language,
            y_true=example.label,
            y_hat=run.label,
            unparsed=run.unparsed,
            failed=run.error is not None,
            created="",
            run=run.to_json(),
        )

    def _request(self, repeat: int, place: int) -> Request:
        """One text in its language. The seed moves on with each repeat, so that sampling can differ."""
        example, options = self._examples[place], self._options
        return Request(
            self._task,
            example.text,
            example.language,
            replace(options.generation, seed=options.generation.seed + repeat),
            options.connection,
            self._stop,
            truncate=options.truncate,
            verdict_only=self._how.verdict_only,
        )

    def _together(self, name: str, lease: Lease, chosen: Sequence[tuple[int, int]]) -> list[Run]:
        """A batch. Its runs have no time of their own: each carries the batch's, and how many shared it."""
        model = lease.model
        if not isinstance(model, Together):
            raise TypeError(f"{name} takes no batches.")
        begun_s = time.perf_counter()
        found = model.together([self._request(*one) for one in chosen])
        shared = {"batch_texts": len(chosen), "batch_s": time.perf_counter() - begun_s}
        settings = {**self._options.record(), **shared}
        note = f"Ran in a batch of {len(chosen)} texts, so it has no latency of its own."
        return [
            Run(name, settings=settings, error=self._as_error(one))
            if isinstance(one, LlmopsError)
            else replace(
                one,
                candidate=name,
                timing=replace(one.timing, load_s=lease.load_s),
                settings=settings,
                notes=(*one.notes, note),
            )
            for one in found
        ]

    def _one(self, name: str, lease: Lease, repeat: int, place: int) -> Run:
        """One text; a failure is a result."""
        request = self._request(repeat, place)
        blank = Run(name, settings=self._options.record())
        try:
            with closing(lease.model.run(request)) as events:
                for event in events:
                    if isinstance(event, Finished):
                        if event.run.finish == "stopped":
                            raise Stopped("Stopped.")
                        timing = replace(event.run.timing, load_s=lease.load_s, queue_s=0.0)
                        return replace(event.run, candidate=name, timing=timing, settings=blank.settings)
            raise EndpointError("The run ended without a result.", "Retry.")
        except Stopped:
            raise
        except Exception as error:
            return replace(blank, error=self._as_error(error))

    def _as_error(self, error: Exception) -> RunError:
        secrets = self._options.connection.secrets
        if isinstance(error, LlmopsError):
            return RunError(error.kind, redact(error.message, secrets), redact(error.remedy, secrets))
        return RunError("unexpected", redact(f"{type(error).__name__}: {error}", secrets)[:500], "Retry.")

    def _check_stop(self) -> None:
        if self._stop.is_set() or self._leave.is_set():
            raise Stopped("Stopped; what is done is kept.", "Resume it to go on.")


class _Keeper:
    """Writes rows to the history. Holds them while it can't, and failures until the candidate has answered again."""

    def __init__(self, history: History, evaluation_id: int) -> None:
        self._history, self._id = history, evaluation_id
        self._held: list[Row] = []
        self.trouble = ""

    def keep(self, *rows: Row) -> None:
        """Keep rows. Raises EndpointError after too many failures in a row, which are then not kept."""
        for row in rows:
            self._held.append(row)
            if all(one.failed for one in self._held[-_GIVE_UP:]) and len(self._held) >= _GIVE_UP:
                error = row.run["error"]
                self._held = [one for one in self._held if not one.failed]
                raise EndpointError(f"{_GIVE_UP} texts in a row failed: {error['message']}", error["remedy"])
        if any(not row.failed for row in rows):
            self.write()

    def write(self) -> None:
        """Write what is held; what can't be written stays, and `trouble` says why."""
        try:
            self._history.add(self._id, *self._held)
            self._held = []
            self.trouble = ""
        except HistoryError as error:
            self.trouble = f"{error.message} {error.remedy} {len(self._held)} results wait in memory."

    def flush(self) -> None:
        """The last attempt. Raises HistoryError where results could not be kept."""
        self.write()
        if self._held:
            raise HistoryError(self.trouble, "Mend it and resume: the texts that are missing run again.")


def _parse(text: str) -> Candidate | LlmopsError:
    try:
        return parse_candidate(text, kinds())
    except LlmopsError as error:
        return error


def summary(history: History, evaluation_id: int, seed: int = 0) -> dict[str, Any]:
    """An evaluation with its metrics and every pair of candidates, as plain data."""
    from dataclasses import asdict
    from itertools import combinations

    from llmops.evaluation.metrics import compare, measure

    found = history.evaluation(evaluation_id)
    rows = history.rows(evaluation_id)
    order = {name: number for number, name in enumerate(found.candidates)}
    measured = sorted(measure(rows, found.labels, seed), key=lambda one: order.get(one.candidate, 0))
    pairs = [compare(rows, one, other, seed) for one, other in combinations([one.candidate for one in measured], 2)]
    return {
        "evaluation": asdict(found),
        "metrics": [one.to_json() for one in measured],
        "pairs": [one.to_json() for one in pairs],
    }
