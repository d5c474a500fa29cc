"""A loaded model in one caller's hands."""

from dataclasses import dataclass

from llmops.core.candidate import Candidate
from llmops.engines.base import Model
from llmops.runtime.transfers import Transfers


@dataclass(frozen=True)
class Lease:
    """A loaded model for one run.

    load_s: seconds from files on disk to weights in memory; where the model is warm, from when it was loaded.
    waited_s: for the device and for the model. warm: it was in memory before. transfers: what may be fetched beside it.
    """

    candidate: Candidate
    model: Model
    load_s: float | None
    waited_s: float
    transfers: Transfers
    warm: bool = False
