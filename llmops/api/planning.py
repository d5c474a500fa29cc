"""/plan and /dry_run from plain values to plain data."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from llmops.api.context import ApiContext, error_in
from llmops.catalog.gpus import find_gpu, gpus
from llmops.core.request import NOBODY, Connection, Job
from llmops.core.settings import Settings
from llmops.planning import planner
from llmops.planning.architecture import find_config, find_shape, index_note
from llmops.planning.dry_run import dry_run
from llmops.planning.settings import GivenDryRun, GivenPlan
from llmops.sizing.shape import Shape


def make_plan(settings: Settings, asked: GivenPlan, connection: Connection = NOBODY) -> tuple[planner.Plan, Shape]:
    """A plan against every GPU, or one by name, and the model's sizes. Raises LlmopsError."""
    rows = [find_gpu(asked.gpu)] if asked.gpu else gpus()
    shape = find_shape(asked.model, connection, settings)
    plan = planner.plan(asked.model, shape, asked, rows)
    note = index_note(asked.model, shape, connection, settings)
    return replace(plan, notes=(*plan.notes, note) if note else plan.notes), shape


def plan_data(settings: Settings, given: Mapping[str, Any], connection: Connection = NOBODY) -> dict[str, Any]:
    """A plan. given: GivenPlan's settings. See planner.Plan.to_json."""
    answer: dict[str, Any] = {"model": given.get("model"), "error": None}
    with error_in(answer, "plan") as asker:
        asker.connection = connection
        plan, _ = make_plan(settings, GivenPlan.read(given), connection)
        answer |= plan.to_json()
    return answer


def dry_run_data(context: ApiContext, given: Mapping[str, Any], job: Job) -> dict[str, Any]:
    """A dry run. given: GivenDryRun's settings. See dry_run.DryRun.to_json."""
    answer: dict[str, Any] = {"model": given.get("model"), "error": None}
    with error_in(answer, "dry run") as asker:
        asker.connection = job.connection
        asked = GivenDryRun.read(given)
        config = find_config(asked.model, job.connection, context.settings)
        answer |= dry_run(asked, config, context.pool, job).to_json()
    return answer
