"""The named endpoints for programs: /candidates and /compare. Everything else on the page is private to it."""

import threading
from dataclasses import asdict
from typing import Any

import gradio as gr

from llmops.compare import run_all
from llmops.engines.base import Connection
from llmops.errors import LlmopsError
from llmops.history.recorder import Recorder
from llmops.inputs import make_comparison
from llmops.offer import offers
from llmops.programs import context_data, dry_run_data, load_data, plan_data
from llmops.records import evaluate_data, history_data
from llmops.run import Run, RunError
from llmops.task import load_builtin
from llmops.ui.services import Services
from llmops.ui.visitor import visitor_of

_HUB_WAIT_S = 3.0


def wire(services: Services) -> None:
    """Register the endpoints in the current Blocks."""

    def candidates() -> list[dict[str, Any]]:
        """All that can be selected: candidate text, name, epoch, available, why_not, licence, needs, weights_bytes."""
        reach = services.hub.in_reach(_HUB_WAIT_S)
        return [offer.to_json() for offer in offers(Connection(), reach, services.kept_encoders())]

    def compare(
        request: gr.Request, text: str, task: str, candidates: list[str], settings: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Send one text to several candidates and return a JSON object with `runs`, in the candidates' order.

        `error` beside it is null, or what is wrong with the call as a whole; each run has an `error` of its own.
        Also `comparison`, its number in the history, or history_error where it could not be kept.

        text: the input. task: id of a built-in task, such as medical. candidates: texts such as
        embedded/decoder@nf4. settings: an object with any of language, max_new_tokens, temperature, seed, truncate,
        all_at_once, unload_after, local_only, openai_key, base_url, hf_token, provider; {} for the defaults. Without
        a language it is told from the text.
        """
        try:
            comparison = make_comparison(
                services.pool, load_builtin(task), text, candidates, settings, services.settings
            )
        except LlmopsError as error:
            failure = RunError(error.kind, error.message, error.remedy)
            named = candidates if isinstance(candidates, list) else []
            return {"runs": [Run(str(one), error=failure).to_json() for one in named], "error": asdict(failure)}
        recorder = Recorder(services.settings.history_path, visitor_of(request, services.settings), "api", comparison)
        runs = [run.to_json() for run in run_all(comparison, recorder.take)]
        trouble = recorder.settle()
        return {
            "runs": runs,
            "error": None,
            "comparison": recorder.comparison_id,
            "history_error": trouble or None,
        }

    gr.api(candidates, api_name="candidates")
    gr.api(compare, api_name="compare", concurrency_limit=8)
    _wire_planning(services)


def _wire_planning(services: Services) -> None:
    """Planner, dry run and probes. Measuring ones run one at a time."""

    def plan(
        model: str, precision: str = "bf16", context: int = 4096, requests: int = 1, new_tokens: int = 128
    ) -> dict[str, Any]:
        """What a model needs, against every GPU; estimated, nothing is loaded.

        model: catalogue or hub id, embedded/decoder, or a folder. precision: fp32, bf16, fp16, int8 or nf4. context:
        tokens of prompt and answer together. requests: at a time. new_tokens: of the answer.
        """
        return plan_data(model, precision, context, requests, new_tokens)

    def dry_run(
        model: str, precision: str = "bf16", layers: int | None = None, prompt_tokens: int = 128, new_tokens: int = 32
    ) -> dict[str, Any]:
        """Measure a model's real shape with random weights on this machine, beside what was predicted.

        layers: measure so many and stretch to the whole, marked estimated; none: all of them.
        """
        counts = (layers or None, prompt_tokens, new_tokens)
        return dry_run_data(model, precision, *counts, _silent, threading.Event(), services.pool)

    def load_probe(task: str, candidate: str, settings: dict[str, Any] | None = None) -> dict[str, Any]:
        """Parallel requests against a candidate: a point a level.

        settings: an object with any of levels, loop (closed or open), requests_each, max_new_tokens, seed, slo_ttft_s,
        slo_tpot_s, and those of /compare.
        """
        pool, limits = services.pool, services.settings
        return load_data(pool, task, candidate, settings, limits, _silent, threading.Event())

    def context_probe(task: str, candidate: str, settings: dict[str, Any] | None = None) -> dict[str, Any]:
        """The same finding at several depths of growing text: a cell a length and depth.

        settings: an object with any of lengths, depths, finding, label, seed, and those of /compare.
        """
        pool, limits = services.pool, services.settings
        return context_data(pool, task, candidate, settings, limits, _silent, threading.Event())

    def evaluate(task: str, candidates: list[str], settings: dict[str, Any] | None = None) -> dict[str, Any]:
        """A task's held-out texts through candidates: metrics, pairs of candidates, and how each ended.

        settings: an object with any of repeats, resume (an evaluation's id), batched (true unless told), verdict_only,
        and those of /compare.
        """
        return evaluate_data(services.pool, task, candidates, settings, services.settings, threading.Event())

    def history(evaluation: int | None = None) -> dict[str, Any]:
        """Kept evaluations, newest first; with an id, that one's metrics and pairs."""
        return history_data(services.settings, evaluation)

    gr.api(plan, api_name="plan")
    gr.api(evaluate, api_name="evaluate", concurrency_id="evaluate", concurrency_limit=2)
    gr.api(history, api_name="history")
    for measure, name in ((dry_run, "dry_run"), (load_probe, "load_probe"), (context_probe, "context_probe")):
        gr.api(measure, api_name=name, concurrency_id="probe", concurrency_limit=1)


def _silent(message: str, fraction: float | None) -> None:
    """Progress that nobody reads."""
