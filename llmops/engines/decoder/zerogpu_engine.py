"""The local decoder engine on ZeroGPU: a model's runs happen in a forked child that has a GPU for some seconds.

Files are fetched out here, where no GPU second counts.
"""

from llmops.core.candidate import Candidate
from llmops.core.request import Job
from llmops.core.settings import Settings
from llmops.core.task import Task
from llmops.engines.decoder import files, memory_check
from llmops.engines.decoder.engine import DecoderEngine
from llmops.engines.decoder.zerogpu_model import ZeroGpuDecoderModel
from llmops.hardware import zerogpu


class ZeroGpuDecoderEngine(DecoderEngine):
    """Makes ZeroGpuDecoderModels."""

    def load(self, candidate: Candidate, _task: Task, job: Job) -> ZeroGpuDecoderModel:  # type: ignore[override]
        """Fetch; nothing is read yet. Raises LlmopsError with what would help."""
        job.check("Stopped before loading.")
        folder, notes = files.find_folder(candidate.model, job, self._settings)
        memory_check.check_weights(folder, candidate, zerogpu.DEVICE)
        return ZeroGpuDecoderModel(candidate, folder, notes, self._settings.data_dir)


def make(settings: Settings) -> ZeroGpuDecoderEngine:
    """See engines.Engines."""
    return ZeroGpuDecoderEngine(settings)
