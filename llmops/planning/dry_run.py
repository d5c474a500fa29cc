"""Measure a model's shape before anyone downloads it: random weights, real load, memory and speed, beside the plan.

With `layers` a slice is measured and stretched to the whole: bytes and seconds of the layers are counted apart from the
rest. What is stretched is marked estimated. The text means nothing and is not kept.
"""

import gc
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from llmops.catalog.shapes import shape_of
from llmops.core.candidate import Candidate, Kind
from llmops.core.errors import InputError, LlmopsError, OutOfMemory
from llmops.core.request import Job
from llmops.core.run import Source
from llmops.hardware import zerogpu
from llmops.hardware.machine import device_memory, hardware
from llmops.hardware.memory import release_memory
from llmops.hardware.openmp_threads import without_idle_workers
from llmops.planning.dry_run_measuring import measure
from llmops.planning.dry_run_record import DryRun, DryRunFigures
from llmops.planning.dry_run_stretching import MeasuredSlice, stretch
from llmops.planning.settings import GivenDryRun
from llmops.runtime.pool import Pool
from llmops.sizing import memory
from llmops.sizing.shape import Shape, first_layers

_ZEROGPU_S = 90  # asked of ZeroGPU for a dry run


def dry_run(asked: GivenDryRun, config: Mapping[str, Any], pool: Pool, job: Job) -> DryRun:
    """Build, warm up, measure, free; in its turn on the device. config: the model's, in transformers' names.

    Raises InputError, OutOfMemory with how many layers fit, Stopped.
    """
    part = first_layers(config, asked.layers)
    shape = shape_of(config)
    _check(shape, asked)
    trial = _Trial(asked, config, shape, shape if asked.layers is None else shape_of(part))
    device = hardware().decoder_device
    with pool.queues.turn(device, job):
        _check_memory(trial, device, pool.settings.max_dry_run_bytes)
        if zerogpu.active():
            job.report("borrowing a GPU", None)
            with closing(zerogpu.run_on_gpu(_in_child, (trial, device), _ZEROGPU_S, job.stop)) as dry_runs:
                measured: DryRun = next(dry_runs)
                return measured
        return _build_and_measure(trial, device, job)


@dataclass(frozen=True)
class _Trial:
    """What is to be measured: the model's shape, and that of the layers that are built."""

    asked: GivenDryRun
    config: Mapping[str, Any]
    shape: Shape
    slice_shape: Shape


def _in_child(trial: _Trial, device: str, stop: threading.Event) -> Iterator[DryRun]:
    yield _build_and_measure(trial, device, Job(stop=stop))


def _build_and_measure(trial: _Trial, device: str, job: Job) -> DryRun:
    from llmops.engines.decoder import memory_check, random_weights

    asked = trial.asked
    candidate = Candidate(Kind.DECODER, asked.model, asked.precision)
    config = random_weights.sliced_config(trial.config, asked.layers)
    try:
        model, notes, load = random_weights.build_model(config, candidate, device, job)
        try:
            with without_idle_workers():
                figures, shares = measure(model, config, device, asked, job)
            layer_bytes = random_weights.layer_bytes(model)
        finally:
            del model
            gc.collect()
            release_memory(device)
    except LlmopsError:
        raise
    except Exception as error:
        if not memory_check.is_out_of_memory(error):
            raise
        raise memory_check.explain(candidate, error) from None
    figures = replace(figures, load_s=load.load_s)
    tokens = asked.prompt_tokens + asked.new_tokens - 1  # the last token is never read
    shape, part = trial.shape, trial.slice_shape
    measured_slice = MeasuredSlice(part, asked.precision, asked.prompt_tokens, layer_bytes, shares)
    return DryRun(
        model=asked.model,
        precision=asked.precision,
        device=device,
        layers=part.layers,
        of_layers=shape.layers,
        prompt_tokens=asked.prompt_tokens,
        new_tokens=asked.new_tokens,
        measured=figures,
        predicted=_predicted(part, asked.precision, asked.prompt_tokens, tokens),
        whole=stretch(figures, measured_slice, shape, tokens),
        source={
            "measured": Source.CLIENT,
            "predicted": Source.ESTIMATED,
            "whole": Source.CLIENT if part.layers == shape.layers else Source.ESTIMATED,
        },
        notes=(*notes, *_unlike(shape, part)),
    )


def _unlike(shape: Shape, part: Shape) -> tuple[str, ...]:
    """What to know where the first layers are not like the rest."""
    kinds = {(kind.values, kind.window, kind.state) for kind in shape.cache}
    if kinds == {(kind.values, kind.window, kind.state) for kind in part.cache}:
        return ()
    return ("The model has layers of several kinds; this slice lacks some, so the whole is stretched by the plan.",)


def _check(shape: Shape, asked: GivenDryRun) -> None:
    if asked.prompt_tokens < 1 or asked.new_tokens < 2:
        raise InputError("A dry run needs 1 prompt token and 2 new ones at least.", "Raise the counts.")
    tokens = asked.prompt_tokens + asked.new_tokens
    if tokens > shape.context:
        raise InputError(f"The model reads {shape.context:,} tokens; {tokens:,} are asked.", "Lower the counts.")


def _predicted(shape: Shape, precision: str, prompt_tokens: int, tokens: int) -> DryRunFigures:
    weights, cache = memory.weight_bytes(shape, precision).total, memory.kv_bytes(shape, precision, tokens)
    return DryRunFigures(weights, cache, weights + cache + memory.workspace_bytes(shape, precision, prompt_tokens))


def _check_memory(trial: _Trial, device: str, limit_bytes: int | None) -> None:
    """Raise OutOfMemory where the slice would not fit; limit_bytes: what a visitor's dry run may take."""
    asked, shape = trial.asked, trial.slice_shape
    tokens = asked.prompt_tokens + asked.new_tokens
    free = device_memory(device)
    free = min(free, limit_bytes or free)
    need = _predicted(shape, asked.precision, tokens, tokens).peak_bytes or 0
    if need <= free:
        return
    weights = memory.weight_bytes(shape, asked.precision)
    fixed = weights.embedding + weights.head + memory.workspace_bytes(shape, asked.precision, tokens)
    fitting = int((free - fixed) / ((need - fixed) / shape.layers))
    raise OutOfMemory(
        f"{asked.model} in {asked.precision} takes about {need / 1e9:.1f} GB; {free / 1e9:.1f} GB may be used on "
        f"{device}.",
        f"Measure a slice: layers={fitting} fits." if fitting >= 1 else "Choose a smaller model or precision.",
    )
