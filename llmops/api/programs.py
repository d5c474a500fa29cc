"""Planner and probes from plain values to plain data: what the named endpoints and the command line share.

A wrong value or a failing candidate is an `error` in the answer, beside whatever was measured before it.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from llmops.api.inputs import read_settings
from llmops.catalog.gpus import find_gpu, gpus
from llmops.core.errors import InputError, LlmopsError, TooMuch, redact
from llmops.core.json_object import as_object
from llmops.core.request import Connection, Job
from llmops.core.run_settings import RunSettings
from llmops.core.settings import Settings
from llmops.core.task import Task
from llmops.data.builtin import load_builtin
from llmops.planning import planner
from llmops.planning.architecture import find_config, find_shape, index_note
from llmops.planning.dry_run import dry_run
from llmops.probes import context, load
from llmops.probes.target import ProbeTarget
from llmops.runtime.pool import Pool
from llmops.sizing.shape import Shape

_OBJECTIVE = {"slo_ttft_s": "ttft_s", "slo_tpot_s": "tpot_s"}


def make_plan(
    settings: Settings,
    model: str,
    precision: str,
    tokens: int,
    requests: int,
    new_tokens: int = 128,
    gpu: str | None = None,
    connection: Connection | None = None,
) -> tuple[planner.Plan, Shape]:
    """A plan against every GPU, or one by name, and the model's sizes. Raises LlmopsError."""
    connection = connection or Connection()
    rows = [find_gpu(gpu)] if gpu else gpus()
    shape = find_shape(model, connection, settings)
    made = planner.plan(model, shape, precision, tokens, requests, rows, new_tokens)
    note = index_note(model, shape, connection, settings)
    return replace(made, notes=(*made.notes, note) if note else made.notes), shape


def plan_data(
    settings: Settings,
    model: str,
    precision: str,
    tokens: int,
    requests: int,
    new_tokens: int = 128,
    gpu: str | None = None,
    connection: Connection | None = None,
) -> dict[str, Any]:
    """make_plan as plain data. See planner.Plan.to_json."""
    try:
        made, _ = make_plan(settings, model, precision, tokens, requests, new_tokens, gpu, connection)
        return made.to_json() | {"error": None}
    except LlmopsError as error:
        return {"model": model, **error_data(error, connection)}


def dry_run_data(
    model: str,
    precision: str,
    layers: int | None,
    prompt_tokens: int,
    new_tokens: int,
    pool: Pool,
    job: Job,
) -> dict[str, Any]:
    """A dry run. See dry_run.DryRun.to_json."""
    try:
        config = find_config(model, job.connection, pool.settings)
        made = dry_run(
            model,
            config,
            precision,
            job,
            pool=pool,
            layers=layers,
            prompt_tokens=prompt_tokens,
            new_tokens=new_tokens,
        )
        return made.to_json() | {"error": None}
    except LlmopsError as error:
        return {"model": model, **error_data(error, job.connection)}


def load_data(
    pool: Pool,
    task_id: str,
    candidate: str,
    given: str | Mapping[str, Any] | None,
    limits: Settings,
    job: Job,
) -> dict[str, Any]:
    """Load points. given: load.LoadSettings' names, slo_ttft_s and slo_tpot_s, and run settings."""
    answer: dict[str, Any] = {"candidate": candidate, "points": [], "source": "client-measured", "error": None}
    options: RunSettings | None = None
    try:
        task = load_builtin(task_id)
        settings, options = read_load(given, task, limits, job.owner)
        for point in load.load_probe(pool, ProbeTarget(task, candidate, options), settings, job):
            answer["points"].append(point.to_json())
    except LlmopsError as error:
        answer |= error_data(error, options.connection if options else None)
    return answer


def context_data(
    pool: Pool,
    task_id: str,
    candidate: str,
    given: str | Mapping[str, Any] | None,
    limits: Settings,
    job: Job,
) -> dict[str, Any]:
    """Cells by length and depth. given: any of lengths, depths, finding, label, seed, and run settings."""
    answer: dict[str, Any] = {
        "candidate": candidate,
        "cells": [],
        "ended": None,
        "source": "client-measured",
        "error": None,
    }
    options: RunSettings | None = None
    try:
        task = load_builtin(task_id)
        settings, options = read_context(given, task, limits, job.owner)
        for one in context.context_probe(pool, ProbeTarget(task, candidate, options), settings, job):
            if isinstance(one, context.EndedEarly):
                answer["ended"] = {"length": one.length, "message": one.message}
            else:
                answer["cells"].append(one.to_json())
    except LlmopsError as error:
        answer |= error_data(error, options.connection if options else None)
    return answer


def read_load(
    given: str | Mapping[str, Any] | None,
    task: Task,
    limits: Settings,
    owner: str = "",
    names: Mapping[str, str] | None = None,
) -> tuple[load.LoadSettings, RunSettings]:
    """Checked load settings and run options. names: what whoever gave them calls the objective's settings, where that
    is not their own name. Raises InputError and TooMuch."""
    data = dict(as_object(given))
    called = {name: name for name in _OBJECTIVE} | dict(names or {})
    objective = {_OBJECTIVE[name]: _seconds(called[name], data.pop(name)) for name in list(data) if name in _OBJECTIVE}
    own = {
        one.name: data.pop(one.name)
        for one in fields(load.LoadSettings)
        if one.name in data and one.name != "objective"
    }
    if "max_new_tokens" in own:
        data["max_new_tokens"] = own["max_new_tokens"]
    if "levels" in own:
        own["levels"] = _numbers("levels", own["levels"])
    check_whole(own, "requests_each", "max_new_tokens", "seed")
    settings = load.LoadSettings(**own, objective=load.Objective(**objective))
    settings.check()
    _check_probe("requests", len(settings.levels) * settings.requests_each, limits)
    return settings, read_settings(data, task, "", limits, owner)


def read_context(
    given: str | Mapping[str, Any] | None, task: Task, limits: Settings, owner: str = ""
) -> tuple[context.ContextSettings, RunSettings]:
    """Checked context settings and run options. Raises InputError and TooMuch."""
    data = dict(as_object(given))
    own = {one.name: data.pop(one.name) for one in fields(context.ContextSettings) if one.name in data}
    for name in ("lengths", "depths"):
        if name in own:
            own[name] = _numbers(name, own[name])
    if "lengths" in own:
        if any(one != int(one) for one in own["lengths"]):
            raise InputError("The lengths are whole numbers of tokens.", "Give a list such as [128, 512].")
        own["lengths"] = tuple(int(one) for one in own["lengths"])
    check_whole(own, "seed")
    settings = context.ContextSettings(**own)
    settings.check(task)
    _check_probe("cells", len(settings.lengths) * len(settings.depths), limits)
    longest = int(limits.max_text_chars / context.CHARS_PER_TOKEN)
    if max(settings.lengths) > longest:
        raise InputError(f"{max(settings.lengths):,} tokens are asked.", f"At most {longest:,} tokens are probed here.")
    return settings, read_settings(data, task, settings.finding, limits, owner)


def _check_probe(what: str, count: int, limits: Settings) -> None:
    most = limits.max_probe_requests
    if most is not None and count > most:
        raise TooMuch(f"That would be {count:,} {what}; {most:,} are made here in one probe.", "Ask for fewer.")


def _numbers(name: str, value: object) -> tuple[float, ...]:
    if not isinstance(value, list | tuple) or any(isinstance(v, bool) or not isinstance(v, int | float) for v in value):
        raise InputError(f"{name} is a list of numbers; it is {value!r}.", f'Write "{name}": [1, 2, 4].')
    return tuple(value)


def check_whole(data: Mapping[str, Any], *names: str) -> None:
    """Raises InputError where one of the names is there and no whole number."""
    for name in names:
        if name in data and (isinstance(data[name], bool) or not isinstance(data[name], int)):
            raise InputError(f"{name} is a whole number; it is {data[name]!r}.", f"Correct {name}.")


def _seconds(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        given = "empty" if value is None else repr(value)
        raise InputError(f"{name} is a number of seconds above 0; it is {given}.", f"Correct {name}.")
    return float(value)


def error_data(error: LlmopsError, connection: Connection | None) -> dict[str, Any]:
    """`error` as plain data, without secrets."""
    secrets = connection.secrets if connection else ()
    return {"error": {"kind": error.kind, "message": redact(error.message, secrets), "remedy": error.remedy}}
