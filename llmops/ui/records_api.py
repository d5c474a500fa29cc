"""The named endpoints over what is kept: /evaluate, /learning_curve, /history and /export."""

from typing import Any

import gradio as gr

from llmops.api.records import curve_data, evaluate_data, export_data, history_data
from llmops.ui.background import as_job
from llmops.ui.events import AT_ONCE
from llmops.ui.services import Services
from llmops.ui.visitor import visitor_of


def wire(services: Services) -> None:
    """Register the endpoints in the current Blocks."""

    def evaluate(task: str, candidates: list[str], settings: dict[str, Any] | None = None) -> dict[str, Any]:
        """Labelled texts through candidates: metrics, pairs of candidates, ladders, and how each ended.

        task: id of a built-in task. candidates: texts such as embedded/decoder@nf4.
        settings: an object with any of texts (objects with text, label and language; else the task's held-out split),
        repeats, ladder (a local model, in every precision), resume (an evaluation's id; the rest is then its own),
        batched (true unless told), verdict_only, and those of /compare.
        """
        pool, limits = services.pool, services.settings
        return as_job(services, lambda job: evaluate_data(pool, task, candidates, settings, limits, job))

    def learning_curve(task: str, settings: dict[str, Any] | None = None) -> dict[str, Any]:
        """An encoder's accuracy against the examples it learns from, and the k that reaches each decoder.

        task: id of a built-in task.
        settings: an object with any of base, method (few-shot, setfit), ks, seeds, evaluation (an id: its texts, task
        and decoders are taken).
        """
        pool, limits = services.pool, services.settings
        return as_job(services, lambda job: curve_data(pool, task, settings, limits, job))

    def history(
        request: gr.Request, evaluation: int | None = None, other: int | None = None, comparison: int | None = None
    ) -> dict[str, Any]:
        """What is kept, newest first; with an id, an evaluation's metrics; with two, both side by side.

        evaluation: its id; none: list everything. other: a second evaluation's id. comparison: the id of a single
        comparison, which is given with its runs.
        """
        limits = services.settings
        return history_data(limits, evaluation, other, comparison, visitor_of(request, limits))

    def export(request: gr.Request, evaluation: int, kind: str = "html", language: str = "en") -> dict[str, Any]:
        """An evaluation as a file: name and base64.

        evaluation: its id. kind: xlsx, csv, jsonl or html. language: of the html, en or de.
        """
        limits = services.settings
        return export_data(limits, evaluation, kind, visitor_of(request, limits), language)

    gr.api(evaluate, api_name="evaluate", concurrency_id="evaluate", concurrency_limit=AT_ONCE)
    gr.api(learning_curve, api_name="learning_curve", concurrency_id="evaluate", concurrency_limit=AT_ONCE)
    gr.api(history, api_name="history")
    gr.api(export, api_name="export")
