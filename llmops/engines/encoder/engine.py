"""The encoder engine: zero-shot, few-shot head or SetFit, in fp32 or int8, on the CPU."""

import hashlib
import json
from collections.abc import Sequence

from llmops.core.candidate import Candidate
from llmops.core.request import Connection, Job
from llmops.core.settings import Settings
from llmops.core.task import Example, Task
from llmops.engines.base import TextLengths
from llmops.engines.encoder import body, files, int8, loading, tokenizer
from llmops.engines.encoder.model import EncoderModel
from llmops.hardware.memory import LoadMeasurement

_INT8_SHARE = 0.3  # of fp32's bytes: a quarter, and what stays in floating point; only for the estimate


class EncoderEngine:
    """Makes EncoderModels."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def key(self, candidate: Candidate, task: Task) -> str:
        """Two tasks never share: what a head learnt is part of the model."""
        learnt = [[example.text, example.label, example.language] for example in task.split("pool")]
        described = [[label.id, label.description] for label in task.labels]
        digest = hashlib.sha256(json.dumps([learnt, described], sort_keys=True).encode()).hexdigest()[:16]
        owner = f"{candidate.owner}:" if loading.is_trained_here(candidate) else ""
        return f"{owner}{candidate}#{digest}"

    def device(self, _candidate: Candidate, _connection: Connection) -> str:
        """Encoders run on the CPU."""
        return "cpu"

    def estimate_bytes(self, candidate: Candidate) -> int | None:
        """The size of the weights file, where it is on disk."""
        folder = loading.weights_folder(candidate, self._settings)
        size = sum(file.stat().st_size for file in folder.glob("*.safetensors")) if folder else 0
        if not size:
            return None
        return int(size * _INT8_SHARE) if candidate.precision == "int8" else size

    def fetch(self, candidate: Candidate, job: Job) -> None:
        """The files alone; a kept encoder's base was fetched when it was trained. See engines.base.FetchingEngine."""
        if not loading.is_trained_here(candidate):
            files.find_folder(candidate.model, job, self._settings)

    def text_lengths(
        self, candidate: Candidate, _task: Task, texts: Sequence[Example], _new_tokens: int
    ) -> TextLengths | None:
        """Of the texts alone; see engines.base.MeasuringEngine."""
        folder = loading.weights_folder(candidate, self._settings)
        return tokenizer.measure(folder, [example.text for example in texts]) if folder else None

    def load(self, candidate: Candidate, task: Task, job: Job) -> "EncoderModel":
        """Fetch, train where the method asks for it, and make the int8 copy where wanted. Raises LlmopsError."""
        parts = loading.load(candidate, task, job, self._settings)
        job.check("Stopped while loading.")
        shape = loading.read_shape(parts.model)
        if candidate.precision != "int8":
            return EncoderModel(candidate, body.TorchBody(parts.model), parts, shape, parts.measured.load_s)
        folder = int8.make_int8_copy(parts.model, self._settings.data_dir, job.report)
        with LoadMeasurement("cpu") as compilation:
            int8_body = int8.OpenVinoBody(parts.model, folder)
        return EncoderModel(
            candidate, int8_body, parts, shape, (parts.measured.load_s or 0) + (compilation.load_s or 0)
        )


def make(settings: Settings) -> EncoderEngine:
    """See engines.Engines."""
    return EncoderEngine(settings)
