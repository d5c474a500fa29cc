"""The local decoder engine: any causal language model through transformers, on CPU, CUDA or MPS."""

from collections.abc import Sequence
from pathlib import Path

from llmops.core.candidate import Candidate
from llmops.core.errors import LlmopsError
from llmops.core.request import Connection, Job
from llmops.core.settings import Settings
from llmops.core.task import Example, Task
from llmops.engines.base import TextLengths
from llmops.engines.decoder import files, loading, memory_check, prompt_lengths
from llmops.engines.decoder.model import DecoderModel
from llmops.hardware.machine import hardware
from llmops.hub.errors import explain


class DecoderEngine:
    """Makes DecoderModels."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def key(self, candidate: Candidate, _task: Task) -> str:
        """Models are shared by name and precision; nothing of a task is in them."""
        return f"{candidate.model}@{candidate.precision}"

    def device(self, _candidate: Candidate, _connection: Connection) -> str:
        """The first GPU, else the CPU."""
        return hardware().decoder_device

    def estimate_bytes(self, candidate: Candidate) -> int | None:
        """From the checkpoint's tensor shapes, where all of it is on disk."""
        folder = files.local_folder(candidate.model, self._settings)
        return memory_check.estimate(folder, candidate.precision or "bf16") if folder else None

    def fetch(self, candidate: Candidate, job: Job) -> None:
        """The files alone; see engines.base.FetchingEngine."""
        files.find_folder(candidate.model, job, self._settings)

    def text_lengths(
        self, candidate: Candidate, task: Task, texts: Sequence[Example], new_tokens: int
    ) -> TextLengths | None:
        """Of the prompts; see engines.base.MeasuringEngine."""
        folder = files.local_folder(candidate.model, self._settings)
        return prompt_lengths.measure(folder, task, texts, new_tokens) if folder and folder.is_dir() else None

    def load(self, candidate: Candidate, _task: Task, job: Job) -> DecoderModel:
        """Fetch and load. Raises LlmopsError with what would help."""
        job.check("Stopped before loading.")
        device = self.device(candidate, job.connection)
        folder, notes = files.find_folder(candidate.model, job, self._settings)
        memory_check.check_weights(folder, candidate, device)
        job.check("Stopped before loading.")
        job.report("reading the weights", None)
        return open_folder(folder, candidate, device, notes, self._settings.data_dir)


def make(settings: Settings) -> DecoderEngine:
    """See engines.Engines."""
    return DecoderEngine(settings)


def open_folder(
    folder: Path, candidate: Candidate, device: str, notes: tuple[str, ...], data_dir: Path
) -> DecoderModel:
    """A checked folder as a model; data_dir keeps quantized copies. Raises LlmopsError."""
    try:
        parts = loading.load(folder, candidate, device, data_dir)
    except LlmopsError:
        raise
    except Exception as error:
        if memory_check.is_out_of_memory(error):
            raise memory_check.release_and_explain(error, candidate, device) from None
        raise explain(error, candidate.model) from error
    return DecoderModel(parts, candidate, device, notes)
