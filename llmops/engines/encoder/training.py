"""Train an encoder on k examples a class, told as a stream of events; used by the page and by the engine alike.

few-shot: embeddings and logistic regression. setfit: contrastive fine-tuning by setfit's own Trainer, then the same
head. Only pool examples are ever used. Closing the stream stops the training within a step.
"""

import queue
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

from llmops.compat.sentence_transformers_internals import once_each_loss
from llmops.core.candidate import base_encoder
from llmops.core.errors import InputError, Stopped
from llmops.core.request import Job
from llmops.core.settings import Settings
from llmops.core.task import Example, Task
from llmops.engines.encoder.body import TorchBody, load_body
from llmops.engines.encoder.files import find_folder
from llmops.engines.encoder.head import Head, fit_head
from llmops.engines.encoder.long_texts import embed_readings, read_whole
from llmops.hardware.memory import reusing_memory
from llmops.hardware.openmp_threads import without_idle_workers

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_BATCH = 16
_MAX_STEPS = 60  # of contrastive fine-tuning: many classes make many pairs, but the gain is in the first ones
# setfit's own default, 2e-5, is for longer trainings. Held-out accuracy of the embedded encoder on the medical task
# (16 a class; German, English): 60 steps at 1e-4 0.67, 0.64; 150 steps at 2e-5 0.57, 0.71; few-shot head 0.55, 0.57.
_LEARNING_RATE = 1e-4
_PASSES = 2  # over the pairs, where they are few
_LEARNT_LOSS, _LEARNT_STEPS = 0.005, 4  # mean squared error of the cosines: what is left then is dropout's noise
_POLL_S = 0.1


@dataclass(frozen=True)
class TrainingSettings:
    """base: model id or folder; method: few-shot or setfit; k: examples a class."""

    base: str
    method: str
    k: int
    seed: int


@dataclass(frozen=True)
class TrainEvent:
    """fraction 0..1 of the whole; loss of this step where there is one."""

    message: str
    fraction: float
    step: int = 0
    steps: int = 0
    loss: float | None = None


@dataclass(frozen=True)
class Trained:
    """The last event: body (fine-tuned in place for setfit) and head.

    windowed: of the examples, those with more tokens than the model reads, learnt from in windows.
    """

    model: "SentenceTransformer"
    head: Head
    examples: int
    windowed: int = 0


def pick_examples(task: Task, k: int, seed: int) -> list[Example]:
    """k pool examples a class, languages taking turns; all of a class that has fewer. Raises InputError below one."""
    if k < 1:
        raise InputError("k must be 1 or more.", "Write ?k=8.")
    rng = Random(seed)
    picked: list[Example] = []
    for label in task.label_ids:
        by_language: dict[str, list[Example]] = defaultdict(list)
        for example in task.split("pool"):
            if example.label == label:
                by_language[example.language].append(example)
        if not by_language:
            raise InputError(f"The label “{label}” has no examples to learn from.", "Add some, or use zero-shot.")
        for rows in by_language.values():
            rng.shuffle(rows)
        longest = max(len(rows) for rows in by_language.values())
        turns = [rows[i] for i in range(longest) for _, rows in sorted(by_language.items()) if i < len(rows)]
        picked += turns[:k]
    return picked


def train(
    model: "SentenceTransformer",
    method: str,
    examples: Sequence[Example],
    seed: int,
    stop: threading.Event,
    yield_turn: Callable[[], None] = lambda: None,
) -> Generator[TrainEvent | Trained | None, None, None]:
    """Train `method` (few-shot or setfit) on the examples; ends with Trained, None means nothing new.

    yield_turn: called between two steps; may block, so that others get their turn (pool.slices).
    Raises Stopped or InputError.
    """
    if len({example.label for example in examples}) < 2:
        raise InputError("There is one class only to learn from.", "Give examples of two labels or more.")
    body = TorchBody(model)
    readings = read_whole(body, [example.text for example in examples])
    windowed = sum(len(reading.parts) > 1 for reading in readings)
    if windowed:
        yield TrainEvent(long_note(windowed), 0.0)
    if method == "setfit":
        parts = [replace(e, text=part) for e, reading in zip(examples, readings, strict=True) for part in reading.parts]
        yield from _fine_tune(model, parts, seed, stop, yield_turn)
        model.eval()  # the Trainer leaves dropout on
    if stop.is_set():
        raise Stopped("The training was stopped.")
    yield TrainEvent("fitting the head", 0.95)
    head = fit_head(embed_readings(body, readings), [example.label for example in examples], seed)
    yield Trained(model, head, len(examples), windowed)


def long_note(windowed: int, cut: int = 0) -> str:
    """What is said of a training whose examples were too long; nothing where none was. cut: of earlier versions."""
    if cut:
        return f"{cut:,} of its examples are longer than this encoder reads: their ends were not learnt from."
    if not windowed:
        return ""
    return f"{windowed:,} of its examples are longer than this encoder reads: learnt from in windows, averaged."


def train_named(
    task: Task,
    training: TrainingSettings,
    settings: Settings,
    job: Job,
    yield_turn: Callable[[], None] = lambda: None,
) -> Generator[TrainEvent | Trained | None, None, None]:
    """The same from a base model's name: read it first, and fetch it where it is not here. Raises LlmopsError."""
    name = base_encoder(training.base).model
    examples = pick_examples(task, training.k, training.seed)
    yield TrainEvent("reading the weights", 0.0)
    folder = find_folder(name, job, settings)
    yield from train(load_body(folder, name), training.method, examples, training.seed, job.stop, yield_turn)


def _fine_tune(
    model: "SentenceTransformer",
    examples: Sequence[Example],
    seed: int,
    stop: threading.Event,
    yield_turn: Callable[[], None],
) -> Generator[TrainEvent | None, None, None]:
    """setfit's Trainer in a thread of its own; its callback feeds the queue that is read here."""
    events: queue.SimpleQueue[TrainEvent | BaseException | None] = queue.SimpleQueue()
    leave = threading.Event()
    yield TrainEvent("preparing pairs", 0.0)

    def work() -> None:
        try:
            with without_idle_workers(), reusing_memory():
                _fit_body(model, examples, seed, events, lambda: leave.is_set() or stop.is_set(), yield_turn)
            events.put(None)
        except BaseException as error:  # noqa: BLE001  the reader raises it
            events.put(error)

    thread = threading.Thread(target=work, name="setfit", daemon=True)
    thread.start()
    try:
        while True:
            try:
                event = events.get(timeout=_POLL_S)
            except queue.Empty:
                yield None  # nothing new; lets a reader leave
                continue
            if event is None:
                return
            if isinstance(event, BaseException):
                raise event
            yield event
    finally:
        leave.set()
        thread.join()


def _fit_body(
    model: "SentenceTransformer",
    examples: Sequence[Example],
    seed: int,
    events: "queue.SimpleQueue[TrainEvent | BaseException | None]",
    stopped: Callable[[], bool],
    yield_turn: Callable[[], None],
) -> None:
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments
    from sklearn.linear_model import LogisticRegression
    from transformers import PrinterCallback, ProgressCallback, TrainerCallback

    class TrainingProgress(TrainerCallback):  # type: ignore[misc]  # mypy does not follow transformers
        """Progress and loss to the queue; asks the Trainer to stop, also where nothing is left to learn."""

        low = 0

        def on_log(self, _args: Any, state: Any, control: Any, logs: Any = None, **_kwargs: Any) -> None:  # noqa: ANN401
            loss = (logs or {}).get("embedding_loss", (logs or {}).get("loss"))
            if loss is not None:
                share = state.global_step / max(1, state.max_steps)
                message = f"fine-tuning, step {state.global_step} of {state.max_steps}"
                events.put(TrainEvent(message, 0.9 * share, state.global_step, state.max_steps, float(loss)))
                self.low = self.low + 1 if float(loss) < _LEARNT_LOSS else 0
                control.should_training_stop = control.should_training_stop or self.low >= _LEARNT_STEPS

        def on_step_end(self, _args: Any, _state: Any, control: Any, **_kwargs: Any) -> None:  # noqa: ANN401
            if stopped():
                control.should_training_stop = True
            else:
                yield_turn()

    labels = sorted({example.label for example in examples})
    wrapped = SetFitModel(model_body=model, model_head=LogisticRegression(), labels=labels)
    data = Dataset.from_dict({"text": [e.text for e in examples], "label": [labels.index(e.label) for e in examples]})
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            batch_size=_BATCH,
            num_epochs=_PASSES,
            body_learning_rate=_LEARNING_RATE,
            loss=once_each_loss(),
            # as many negative pairs as positive ones: with many classes, all pairs would take hours
            sampling_strategy="undersampling",
            max_steps=min(_MAX_STEPS, _PASSES * (_pairs(examples) // _BATCH + 1)),
            seed=seed,
            report_to="none",
            save_strategy="no",
            logging_strategy="steps",
            logging_steps=1,
            show_progress_bar=False,
        )
        trainer = Trainer(model=wrapped, args=arguments, train_dataset=data, callbacks=[TrainingProgress()])
        for printing in (PrinterCallback, ProgressCallback):
            trainer.remove_callback(printing)
        # The embedding phase alone: the head is ours, fitted on the tuned vectors.
        trainer.train_embeddings([e.text for e in examples], [labels.index(e.label) for e in examples], args=arguments)


def _pairs(examples: Sequence[Example]) -> int:
    """Pairs that undersampling gives: twice the fewer of positive and negative ones (a text with itself counts)."""
    counts = [sum(e.label == label for e in examples) for label in {e.label for e in examples}]
    positive = sum(count * (count + 1) // 2 for count in counts)
    negative = (sum(counts) ** 2 - sum(count**2 for count in counts)) // 2
    return 2 * min(positive, negative)
