"""/load_probe and /context_probe from plain values to plain data; what was measured before an error stays."""

from collections.abc import Mapping
from typing import Any

from llmops.api.context import ApiContext, error_in
from llmops.api.tasks import chosen_task
from llmops.core.request import Job
from llmops.core.task import Task
from llmops.probes.context import EndedEarly, GivenContext, context_probe
from llmops.probes.load import GivenLoad, load_probe
from llmops.probes.target import ProbeTarget


def load_data(
    context: ApiContext, task: Task | str, candidate: str, given: str | Mapping[str, Any] | None, job: Job
) -> dict[str, Any]:
    """Load points. given: GivenLoad's settings."""
    answer: dict[str, Any] = {"candidate": candidate, "points": [], "source": "client-measured", "error": None}
    with error_in(answer, f"load probe of {candidate}") as asker:
        chosen = chosen_task(task, context.settings)
        asked = GivenLoad.within(given, context.settings)
        settings = asked.run_settings(chosen, owner=job.owner)
        asker.connection = settings.connection
        for point in load_probe(context.pool, ProbeTarget(chosen, candidate, settings), asked, job):
            answer["points"].append(point.to_json())
    return answer


def context_data(
    context: ApiContext, task: Task | str, candidate: str, given: str | Mapping[str, Any] | None, job: Job
) -> dict[str, Any]:
    """Cells by length and depth. given: GivenContext's settings."""
    answer: dict[str, Any] = {
        "candidate": candidate,
        "cells": [],
        "ended": None,
        "source": "client-measured",
        "error": None,
    }
    with error_in(answer, f"context probe of {candidate}") as asker:
        chosen = chosen_task(task, context.settings)
        asked = GivenContext.within(given, context.settings)
        settings = asked.run_settings(chosen, asked.finding or "", job.owner)
        asker.connection = settings.connection
        for found in context_probe(context.pool, ProbeTarget(chosen, candidate, settings), asked, job):
            if isinstance(found, EndedEarly):
                answer["ended"] = {"length": found.length, "message": found.message}
            else:
                answer["cells"].append(found.to_json())
    return answer
