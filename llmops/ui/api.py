"""The named endpoints for programs; those over the history are `records_api`. The rest of the page is private to it."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import gradio as gr

from llmops.api.inputs import make_comparison
from llmops.api.programs import context_data, dry_run_data, load_data, plan_data
from llmops.compare.comparison import run_all
from llmops.compare.recorder import Recorder
from llmops.core.errors import LlmopsError, TooMuch, redact
from llmops.core.request import Connection
from llmops.core.run import Run, RunError
from llmops.core.view import Status, View
from llmops.data.builtin import load_builtin
from llmops.planning.availability import offers
from llmops.ui import decide_api, records_api
from llmops.ui.background import as_job
from llmops.ui.events import AT_ONCE
from llmops.ui.services import Services
from llmops.ui.stream import follow, plain
from llmops.ui.visitor import visitor_of

_HUB_WAIT_S = 3.0


def wire(services: Services) -> None:
    """Register the endpoints in the current Blocks."""

    def candidates() -> list[dict[str, Any]]:
        """All that can be selected: candidate text, name, epoch, available, why_not, licence, needs, weights_bytes."""
        reach = services.hub.in_reach(_HUB_WAIT_S)
        return [
            offer.to_json() for offer in offers(Connection(), reach, services.kept_encoders(services.asking().owner))
        ]

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
                services.pool,
                load_builtin(task),
                text,
                candidates,
                settings,
                services.settings,
                services.asking().owner,
            )
        except LlmopsError as error:
            return _refused(error, candidates)
        recorder = Recorder(services.settings.history_path, visitor_of(request, services.settings), "api", comparison)
        try:
            with services.quotas.runs(services.asking(), len(comparison.candidates), comparison.stop):
                runs = [run.to_json() for run in run_all(comparison, recorder.take)]
        except TooMuch as error:
            return _refused(error, candidates)
        trouble = recorder.settle()
        return {
            "runs": runs,
            "error": None,
            "comparison": recorder.comparison_id,
            "history_error": trouble or None,
        }

    def stream(
        request: gr.Request, text: str, task: str, candidates: list[str], settings: dict[str, Any] | None = None
    ) -> Iterator[dict[str, Any]]:
        """The same while it runs: `columns` again and again, each with candidate, status, message, text, and its run
        once there is one.

        text: the input. task: id of a built-in task. candidates: their texts. settings: as for /compare.
        """
        try:
            comparison = make_comparison(
                services.pool,
                load_builtin(task),
                text,
                candidates,
                settings,
                services.settings,
                services.asking().owner,
            )
            owner = visitor_of(request, services.settings)
            recorder = Recorder(services.settings.history_path, owner, "api", comparison)
            views = [View(candidate) for candidate in comparison.candidates]
            with services.quotas.runs(services.asking(), len(views), comparison.stop):
                comparison.start()
                for _ in follow(comparison, views, recorder, first_at_once=True):
                    yield {"columns": [plain(view) for view in views]}
        except LlmopsError as error:
            failure = RunError(error.kind, error.message, error.remedy)
            blank = [View(str(one), Status.FAILED, run=Run(str(one), error=failure)) for one in candidates]
            yield {"columns": [plain(view) for view in blank]}

    gr.api(candidates, api_name="candidates")
    gr.api(stream, api_name="stream", concurrency_limit=AT_ONCE)
    gr.api(compare, api_name="compare", concurrency_limit=AT_ONCE)
    _wire_planning(services)
    decide_api.wire(services)
    records_api.wire(services)


def _refused(error: LlmopsError, candidates: object) -> dict[str, Any]:
    failure = RunError(error.kind, redact(error.message), error.remedy)
    named = candidates if isinstance(candidates, list) else []
    return {"runs": [Run(str(one), error=failure).to_json() for one in named], "error": asdict(failure)}


def _wire_planning(services: Services) -> None:
    """Planner, dry run and probes. Measuring ones run one at a time."""

    def plan(
        model: str,
        precision: str = "bf16",
        context: int = 4096,
        requests: int = 1,
        new_tokens: int = 128,
        gpu: str | None = None,
    ) -> dict[str, Any]:
        """What a model needs, against every GPU; estimated, nothing is loaded.

        model: catalogue or hub id, embedded/decoder, or a folder. precision: fp32, bf16, fp16, int8 or nf4. context:
        tokens of prompt and answer together. requests: at a time. new_tokens: of the answer. gpu: by name; none: all.
        """
        return plan_data(services.settings, model, precision, context, requests, new_tokens, gpu or None)

    def dry_run(
        model: str, precision: str = "bf16", layers: int | None = None, prompt_tokens: int = 128, new_tokens: int = 32
    ) -> dict[str, Any]:
        """Measure a model's real shape with random weights on this machine, beside what was predicted.

        model: catalogue or hub id, embedded/decoder, or a folder. precision: fp32, bf16, fp16, int8 or nf4. layers:
        measure so many and stretch to the whole, marked estimated; none: all of them. prompt_tokens: read at once.
        new_tokens: written one by one.
        """
        counts = (layers or None, prompt_tokens, new_tokens)
        return as_job(services, lambda job: dry_run_data(model, precision, *counts, services.pool, job))

    def load_probe(task: str, candidate: str, settings: dict[str, Any] | None = None) -> dict[str, Any]:
        """Parallel requests against a candidate: a point a level.

        task: id of a built-in task, whose held-out texts are sent. candidate: its text, such as embedded/decoder@nf4.
        settings: an object with any of levels, loop (closed or open), requests_each, max_new_tokens, seed, slo_ttft_s,
        slo_tpot_s, and those of /compare.
        """
        pool, limits = services.pool, services.settings
        return as_job(services, lambda job: load_data(pool, task, candidate, settings, limits, job))

    def context_probe(task: str, candidate: str, settings: dict[str, Any] | None = None) -> dict[str, Any]:
        """The same finding at several depths of growing text: a cell a length and depth.

        task: id of a built-in task. candidate: its text, such as embedded/decoder@nf4.
        settings: an object with any of lengths, depths, finding, label, seed, and those of /compare.
        """
        pool, limits = services.pool, services.settings
        return as_job(services, lambda job: context_data(pool, task, candidate, settings, limits, job))

    gr.api(plan, api_name="plan")
    for measure, name in ((dry_run, "dry_run"), (load_probe, "load_probe"), (context_probe, "context_probe")):
        gr.api(measure, api_name=name, concurrency_id="probe", concurrency_limit=AT_ONCE)
