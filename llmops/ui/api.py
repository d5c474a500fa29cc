"""The named endpoints for programs, registered: what they do is `llmops/api`. The rest of the page is private to it.

Those over the history are `records_api` and `decide_api`, /train and /classify `encoder_api`.
"""

from collections.abc import Iterator
from typing import Any

from llmops.api.compare import compare_data, stream_data
from llmops.api.context import ApiContext
from llmops.api.planning import dry_run_data, plan_data
from llmops.api.probes import context_data, load_data
from llmops.api.schemas import schemas
from llmops.core.request import Connection
from llmops.planning.availability import list_candidates
from llmops.ui import decide_api, encoder_api, records_api
from llmops.ui.background import as_job
from llmops.ui.endpoints import register
from llmops.ui.events import AT_ONCE
from llmops.ui.services import Services

_HUB_WAIT_S = 3.0


def wire(services: Services) -> None:
    """Register the endpoints in the current Blocks."""
    context = ApiContext(services.pool, services.quotas)

    def candidates() -> list[dict[str, Any]]:
        """All that can be selected: candidate text, name, epoch, available, why_not, licence, needs, weights_bytes."""
        reach = services.hub.in_reach(_HUB_WAIT_S)
        return [
            option.to_json()
            for option in list_candidates(Connection(), reach, services.kept_encoders(services.asking().owner))
        ]

    def schema() -> dict[str, Any]:
        """Endpoint: the JSON schema of its settings, or of its parameters where these are its settings."""
        return schemas(services.settings)

    def compare(text: str, task: str, candidates: list[str], settings: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send one text to several candidates and return a JSON object with `runs`, in the candidates' order.

        `error` beside it is null, or what is wrong with the call as a whole; each run has an `error` of its own.
        Also `comparison`, its number in the history, or history_error where it could not be kept.

        Parameters:
            text: the input
            task: id of a built-in task, such as medical, or the text of a task.toml
            candidates: texts such as embedded/decoder@nf4
        """
        return compare_data(context, services.asking(), text, task, candidates, settings)

    def stream(
        text: str, task: str, candidates: list[str], settings: dict[str, Any] | None = None
    ) -> Iterator[dict[str, Any]]:
        """The same while it runs: `columns` again and again, each with candidate, status, message, text, and its run
        once there is one.

        Parameters:
            text: the input
            task: id of a built-in task, or the text of a task.toml
            candidates: their texts
        """
        yield from stream_data(context, services.asking(), text, task, candidates, settings)

    register(candidates, "candidates")
    register(schema, "schema")
    register(stream, "stream", concurrency_limit=AT_ONCE)
    register(compare, "compare", concurrency_limit=AT_ONCE)
    _wire_planning(context, services)
    decide_api.wire(services)
    records_api.wire(services)
    encoder_api.wire(services)


def _wire_planning(api: ApiContext, services: Services) -> None:
    """Planner, dry run and probes. Measuring ones run one at a time."""

    def plan(
        model: str,
        precision: str = "bf16",
        context: int = 4096,
        requests: int = 1,
        new_tokens: int = 128,
        gpu: str | None = None,
    ) -> dict[str, Any]:
        """What a model needs, against every GPU; estimated, nothing is loaded."""
        return plan_data(
            services.settings,
            {
                "model": model,
                "precision": precision,
                "context": context,
                "requests": requests,
                "new_tokens": new_tokens,
                "gpu": gpu,
            },
        )

    def dry_run(
        model: str, precision: str = "bf16", layers: int | None = None, prompt_tokens: int = 128, new_tokens: int = 32
    ) -> dict[str, Any]:
        """Measure a model's real shape with random weights on this machine, beside what was predicted."""
        given = {
            "model": model,
            "precision": precision,
            "layers": layers or None,
            "prompt_tokens": prompt_tokens,
            "new_tokens": new_tokens,
        }
        return as_job(services, lambda job: dry_run_data(api, given, job))

    def load_probe(task: str, candidate: str, settings: dict[str, Any] | None = None) -> dict[str, Any]:
        """Parallel requests against a candidate: a point a level.

        Parameters:
            task: id of a built-in task, or the text of a task.toml; its held-out texts are sent
            candidate: its text, such as embedded/decoder@nf4
        """
        return as_job(services, lambda job: load_data(api, task, candidate, settings, job))

    def context_probe(task: str, candidate: str, settings: dict[str, Any] | None = None) -> dict[str, Any]:
        """The same finding at several depths of growing text: a cell a length and depth.

        Parameters:
            task: id of a built-in task, or the text of a task.toml
            candidate: its text, such as embedded/decoder@nf4
        """
        return as_job(services, lambda job: context_data(api, task, candidate, settings, job))

    register(plan, "plan")
    for measure, name in ((dry_run, "dry_run"), (load_probe, "load_probe"), (context_probe, "context_probe")):
        register(measure, name, concurrency_id="probe", concurrency_limit=AT_ONCE)
