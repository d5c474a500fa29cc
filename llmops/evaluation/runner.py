"""A labelled set through every candidate, unattended: each text is in the history as soon as it is done.

Local candidates go one after the other (load, warm-up, measure, unload), remote ones beside them. Stop keeps what is
done; a resumed evaluation needs its id only, and repeats no text. Which texts count is `heldout`'s part, which of them
run alone `batches`', and how they are put to a model `ask`'s.
"""

import queue
import threading
import time
from collections.abc import Generator, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from pathlib import Path

from llmops.catalog.models import model_kinds
from llmops.compare.comparison import Options
from llmops.core.candidate import Candidate, parse_candidate
from llmops.core.errors import InputError, LlmopsError, Stopped, TooMuch
from llmops.core.request import Connection, Generation, Report
from llmops.core.run import RunError
from llmops.core.settings import load_settings
from llmops.core.task import Example, Task
from llmops.evaluation.ask import Ask, Place, as_error
from llmops.evaluation.batches import USUAL, How, Size, ran_alone, sample
from llmops.evaluation.heldout import hold_out
from llmops.evaluation.row_writer import Keeper
from llmops.history.sets import LabelledSet
from llmops.history.store import History
from llmops.runtime.pool import Pool

_POLL_S = 0.1
_RUNNING: set[tuple[Path, int]] = set()
_GUARD = threading.Lock()


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
    """The evaluation's id, how many texts are scored, and how many were left out (why: reason → how many).

    unknown: kept encoders of which it is not recorded what they learnt from.
    """

    evaluation_id: int
    texts: int
    left_out: int
    why: dict[str, int] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


Update = Begun | Progress | Ended


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
    how: How = USUAL,
) -> Generator[Update, None, None]:
    """Run and record; ends when every candidate has ended. Raises InputError and HistoryError before it begins."""
    chosen = list(dict.fromkeys(candidates))
    if not chosen:
        raise InputError("No candidate is selected.", "Choose at least one.")
    if not 1 <= repeats <= 100:
        raise InputError(f"{repeats} repeats are asked.", "Use 1 to 100.")
    if how.verdict_only and options.generation.temperature > 0:
        raise InputError("A verdict alone is read without sampling.", "Set the temperature to 0.")
    held_out = hold_out(task, examples, chosen, options.connection.owner)
    if not held_out.texts:
        raise InputError("There is no text to score.", "Give labelled texts that are not examples to learn from.")
    unknown = next((one for one in held_out.texts if one.label not in task.label_ids), None)
    if unknown is not None:
        raise InputError(f"“{unknown.label}” is no label of the task.", f"Labels: {', '.join(task.label_ids)}.")
    most, answers = load_settings().max_answers, len(held_out.texts) * repeats * len(chosen)
    if most is not None and answers > most:
        raise TooMuch(
            f"That would be {answers:,} answers; {most:,} are made here in one evaluation.", "Use fewer texts."
        )
    labelled = LabelledSet.of(task, held_out.texts)
    settings = {**options.record(), "repeats": repeats, **how.record()}
    settings.pop("language")  # each text is asked in its own
    number = history.begin(
        task.id, task.name, task.label_ids, labelled.hash, chosen, settings, held_out.left_out, held_out.why, labelled
    )
    begun = Begun(number, len(held_out.texts), held_out.left_out, held_out.why, held_out.unknown)
    yield from _run(pool, labelled, chosen, options, history, begun, repeats, how, stop)


def resume(
    pool: Pool, history: History, evaluation_id: int, connection: Connection, stop: threading.Event
) -> Generator[Update, None, None]:
    """Go on with an evaluation that was broken off: its own texts, candidates and settings; keys are today's.

    Raises HistoryError for an unknown one, InputError for one that runs already or was made elsewhere.
    """
    found = history.evaluation(evaluation_id)
    if found.origin:
        raise InputError(f"Evaluation {evaluation_id} was made elsewhere ({found.origin}).", "Begin anew.")
    labelled = history.labelled(evaluation_id)
    kept = found.settings
    generation = Generation(kept["max_new_tokens"], kept["temperature"], kept["seed"])
    options = Options(
        language=labelled.task.languages[0],
        generation=generation,
        connection=replace(connection, local_only=connection.local_only or kept["local_only"]),
        truncate=kept["truncate"],
    )
    begun = Begun(evaluation_id, len(labelled.texts), found.left_out, found.left_out_why)
    yield from _run(pool, labelled, found.candidates, options, history, begun, kept["repeats"], How.of(kept), stop)


def _run(
    pool: Pool,
    labelled: LabelledSet,
    candidates: Sequence[str],
    options: Options,
    history: History,
    begun: Begun,
    repeats: int,
    how: How,
    stop: threading.Event,
) -> Generator[Update, None, None]:
    """One evaluation, by one caller at a time."""
    key = (history.path, begun.evaluation_id)
    with _GUARD:
        if key in _RUNNING:
            raise InputError(f"Evaluation {begun.evaluation_id} is running already.", "Wait for it, or stop it.")
        _RUNNING.add(key)
    try:
        yield begun
        ask = Ask(labelled.task, labelled.texts, options, how, stop)
        work = _Work(pool, ask, history, begun.evaluation_id, repeats)
        yield from work.run(candidates)
    finally:
        with _GUARD:
            _RUNNING.discard(key)


class _Work:
    """The threads of one evaluation, and the queue they report to."""

    def __init__(
        self,
        pool: Pool,
        ask: Ask,
        history: History,
        evaluation_id: int,
        repeats: int,
    ) -> None:
        self._pool, self._ask = pool, ask
        self._history, self._id, self._repeats = history, evaluation_id, repeats
        self._leave = threading.Event()
        self._told: queue.SimpleQueue[Update | None] = queue.SimpleQueue()  # None: a chain is through

    def run(self, candidates: Sequence[str]) -> Generator[Update, None, None]:
        """Start every chain, and pass on what they tell."""
        parsed: dict[str, Candidate | LlmopsError] = {
            one: _parse(one, self._ask.options.connection.owner) for one in candidates
        }
        local = [one for one, what in parsed.items() if isinstance(what, LlmopsError) or what.is_local]
        chains = [local, *([one] for one in candidates if one not in local)]
        threads = [
            # With the caller's context: it tells whose quota a lent GPU costs.
            threading.Thread(
                target=copy_context().run, args=(self._chain, chain, parsed), name="evaluation", daemon=True
            )
            for chain in chains
            if chain
        ]
        for name in candidates:
            self._told.put(Progress(name, 0, self._repeats * len(self._ask.examples), None, "waits for its turn"))
        for thread in threads:
            thread.start()
        running = len(threads)
        try:
            while running:
                try:
                    told = self._told.get(timeout=_POLL_S)
                except queue.Empty:
                    continue
                if told is None:
                    running -= 1
                else:
                    yield told
        finally:
            self._leave.set()
            for thread in threads:
                thread.join()

    def _chain(self, candidates: Sequence[str], parsed: dict[str, Candidate | LlmopsError]) -> None:
        try:
            for name in candidates:
                try:
                    what = parsed[name]
                    if isinstance(what, LlmopsError):
                        raise what
                    self._candidate(name, what)
                    self._told.put(Ended(name, None))
                except Exception as error:
                    self._told.put(Ended(name, as_error(error, self._ask.options)))
        finally:
            self._told.put(None)

    def _candidate(self, name: str, candidate: Candidate) -> None:
        done = self._history.done(self._id, name)
        places = [(repeat, place) for repeat in range(self._repeats) for place in range(len(self._ask.examples))]
        total = len(places)
        left = [one for one in places if one not in done]
        self._told.put(Progress(name, total - len(left), total, None))
        if not left:
            return
        self._check_stop()

        def report(message: str, fraction: float | None) -> None:
            self._told.put(Progress(name, total - len(left), total, None, message))

        keeper = Keeper(self._history, self._id)
        try:
            self._texts(name, candidate, left, self._alone(candidate, left, done), total, keeper, report)
        finally:
            if candidate.is_local and not candidate.owner:  # on a public page it stays for the others
                self._pool.unload(candidate, self._ask.task)
            keeper.flush(lambda words: report(words, None), self._stopped)

    def _alone(self, candidate: Candidate, left: Sequence[Place], done: set[Place]) -> set[Place]:
        """All texts of a remote candidate or of a sampling one; else a sample, if batches are wanted."""
        generation = self._ask.options.generation
        if not self._ask.how.batched or not candidate.is_local or generation.temperature > 0:
            return set(left)
        rows = [row for row in self._history.rows(self._id) if row.candidate == str(candidate)] if done else []
        return sample(left, sum(ran_alone(row.run) for row in rows), generation.seed)

    def _texts(
        self,
        name: str,
        candidate: Candidate,
        left: Sequence[Place],
        alone: set[Place],
        total: int,
        keeper: "Keeper",
        report: Report,
    ) -> None:
        """First those that run alone, then the rest by language and length, so that a batch has little padding."""
        ask, asked = self._ask, (candidate, self._ask.task, self._ask.options.connection, report, self._ask.stop)
        first = [one for one in left if one in alone]
        rest = sorted((one for one in left if one not in alone), key=ask.shape)
        size, done = Size(), total - len(left)
        while first or rest:
            self._check_stop()
            # A turn a text or a batch: others are not kept waiting for the whole set.
            with self._pool.alone(*asked) as lease:
                begun_s = time.perf_counter()  # loading is no pace
                if not first and getattr(lease.model, "batches", False):
                    chosen = [one for one in rest[: size.texts] if ask.shape(one)[0] == ask.shape(rest[0])[0]]
                    del rest[: len(chosen)]
                    runs = ask.together(name, lease, chosen)
                else:
                    chosen = [(first or rest).pop(0)]
                    runs = [ask.alone(name, lease, chosen[0])]
                seconds = time.perf_counter() - begun_s
            if len(chosen) > 1:
                size.took(seconds)
            keeper.keep(*(ask.row(name, one, run) for one, run in zip(chosen, runs, strict=True)))
            for number in range(1, len(chosen) + 1):
                still = len(first) + len(rest) + len(chosen) - number
                seconds_left = still * seconds / len(chosen)
                self._told.put(Progress(name, done + number, total, seconds_left, keeper.trouble))
            done += len(chosen)

    def _stopped(self) -> bool:
        return self._ask.stop.is_set() or self._leave.is_set()

    def _check_stop(self) -> None:
        if self._stopped():
            raise Stopped("Stopped; what is done is kept.", "Resume it to go on.")


def _parse(text: str, owner: str) -> Candidate | LlmopsError:
    try:
        return parse_candidate(text, model_kinds()).owned_by(owner)
    except LlmopsError as error:
        return error
