"""The named endpoints that put a task to use, registered: /train and /classify."""

from typing import Any

from llmops.api.classification import classify_data
from llmops.api.context import ApiContext
from llmops.api.encoder_training import train_data
from llmops.core.candidate import EMBEDDED_ENCODER
from llmops.ui.background import as_job
from llmops.ui.endpoints import register
from llmops.ui.events import AT_ONCE
from llmops.ui.services import Services


def wire(services: Services) -> None:
    """Register the endpoints in the current Blocks."""
    context = ApiContext(services.pool, services.quotas)

    def train(
        task: str, name: str, base: str = EMBEDDED_ENCODER, settings: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """An encoder on a task's examples, kept under a name; the answer's `candidate` can be run like any other.

        Parameters:
            task: id of a built-in task, or the text of a task.toml; its pool is learnt from
            name: trained/NAME is the candidate afterwards
            base: model that is trained
        """
        return as_job(services, lambda job: train_data(context, task, base, name, settings, job))

    def classify(texts: list[Any], task: str, candidate: str, settings: dict[str, Any] | None = None) -> dict[str, Any]:
        """Texts without labels through a candidate: `answers` with label, confidence and error, in the texts' order.

        Parameters:
            texts: texts, or objects with text and language
            task: id of a built-in task, or the text of a task.toml
            candidate: its text, such as trained/mine or cascade(…)
        """
        return as_job(services, lambda job: classify_data(context, texts, task, candidate, settings, job))

    for measure, name in ((train, "train"), (classify, "classify")):
        register(measure, name, concurrency_id="evaluate", concurrency_limit=AT_ONCE)
