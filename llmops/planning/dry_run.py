"""Measure a model's shape before anyone downloads it: random weights, real load, memory and speed, beside the plan.

With `layers` a slice is measured and stretched to the whole: bytes and seconds of the layers are counted apart from the
rest. What is stretched is marked estimated. The text means nothing and is not kept.
"""

import gc
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from llmops.catalog.shapes import shape_of
from llmops.compat.transformers_models import layers_of
from llmops.core.candidate import Candidate, Kind
from llmops.core.errors import InputError, LlmopsError, OutOfMemory, Stopped
from llmops.core.request import Job
from llmops.core.run import Source
from llmops.engines.decoder.generate_callbacks import stop_when, token_streamer
from llmops.hardware import zerogpu
from llmops.hardware.machine import device_memory, hardware
from llmops.hardware.memory import PeakMemory, release_memory
from llmops.hardware.openmp_threads import without_idle_workers
from llmops.hardware.stopwatch import Stopwatch
from llmops.planning.settings import GivenDryRun
from llmops.runtime.pool import Pool
from llmops.sizing import memory
from llmops.sizing.shape import Shape, first_layers

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

_WARM_TOKENS = 3
_ZEROGPU_S = 90  # asked of ZeroGPU for a dry run


@dataclass(frozen=True)
class Figures:
    """Bytes and seconds of one model; peak_bytes is weights and the highest extra of the run. None: not known."""

    weights_bytes: int
    kv_cache_bytes: int
    peak_bytes: int | None
    load_s: float | None = None
    ttft_s: float | None = None
    prefill_tokens_per_s: float | None = None
    decode_tokens_per_s: float | None = None


@dataclass(frozen=True)
class DryRun:
    """What a shape took on this machine. predicted is the planner's for the same slice; whole is stretched from it.

    source tells for measured, predicted and whole how they are known.
    """

    model: str
    precision: str
    device: str
    layers: int
    of_layers: int
    prompt_tokens: int
    new_tokens: int
    measured: Figures
    predicted: Figures
    whole: Figures
    source: dict[str, Source]
    notes: tuple[str, ...]

    @property
    def gaps(self) -> dict[str, float | None]:
        """(measured − predicted) / predicted of weights, cache and peak."""
        pairs = {
            name: (getattr(self.measured, name), getattr(self.predicted, name))
            for name in ("weights_bytes", "kv_cache_bytes", "peak_bytes")
        }
        return {
            name: None if measured is None else (measured - predicted) / predicted
            for name, (measured, predicted) in pairs.items()
        }

    def to_json(self) -> dict[str, Any]:
        """Plain data, the gaps included."""
        data = asdict(self)
        return data | {"gaps": self.gaps, "source": {name: str(source) for name, source in self.source.items()}}


def dry_run(asked: GivenDryRun, config: Mapping[str, Any], pool: Pool, job: Job) -> DryRun:
    """Build, warm up, measure, free; in its turn on the device.

    Raises InputError, OutOfMemory with how many layers fit, Stopped.
    """
    part = first_layers(config, asked.layers)
    shape = shape_of(config)
    _check(shape, asked)
    trial = _Trial(asked, config, shape, sliced=shape if asked.layers is None else shape_of(part))
    device = hardware().decoder_device
    with pool.queues.turn(device, job):
        _check_room(trial, device, pool.settings.max_dry_run_bytes)
        if zerogpu.active():
            job.report("borrowing a GPU", None)
            with closing(zerogpu.run_on_gpu(_in_child, (trial, device), _ZEROGPU_S, job.stop)) as results:
                result: DryRun = next(results)
                return result
        return _build_and_measure(trial, device, job)


def _in_child(trial: "_Trial", device: str, stop: threading.Event) -> Iterator[DryRun]:
    yield _build_and_measure(trial, device, Job(stop=stop))


@dataclass(frozen=True)
class _Trial:
    """What a dry run was asked for, and of which model; sliced is the shape of the layers that are measured."""

    asked: GivenDryRun
    config: Mapping[str, Any]
    shape: Shape
    sliced: Shape


def _build_and_measure(trial: _Trial, device: str, job: Job) -> DryRun:
    from llmops.engines.decoder import random_weights

    asked = trial.asked
    candidate = Candidate(Kind.DECODER, asked.model, asked.precision)
    config = random_weights.sliced_config(trial.config, asked.layers)
    prompt_tokens, new_tokens = asked.prompt_tokens, asked.new_tokens
    try:
        built, notes, reading = random_weights.build_model(config, candidate, device, job)
        try:
            with without_idle_workers():
                measured, layer_share = _measure(built, config, device, prompt_tokens, new_tokens, job)
            in_layers = random_weights.layer_bytes(built)
        finally:
            del built
            gc.collect()
            release_memory(device)
    except LlmopsError:
        raise
    except Exception as error:
        from llmops.engines.decoder import memory_check

        if not memory_check.is_out_of_memory(error):
            raise
        raise memory_check.explain(candidate, error) from None
    measured = replace(measured, load_s=reading.load_s)
    tokens = prompt_tokens + new_tokens - 1  # the last token is never read
    shape, part = trial.shape, trial.sliced
    return DryRun(
        model=asked.model,
        precision=asked.precision,
        device=device,
        layers=part.layers,
        of_layers=shape.layers,
        prompt_tokens=prompt_tokens,
        new_tokens=new_tokens,
        measured=measured,
        predicted=_predicted(part, asked.precision, prompt_tokens, tokens),
        whole=_whole(measured, layer_share, in_layers, trial, tokens),
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
    prompt_tokens, new_tokens = asked.prompt_tokens, asked.new_tokens
    if prompt_tokens < 1 or new_tokens < 2:
        raise InputError("A dry run needs 1 prompt token and 2 new ones at least.", "Raise the counts.")
    if prompt_tokens + new_tokens > shape.context:
        raise InputError(
            f"The model reads {shape.context:,} tokens; {prompt_tokens + new_tokens:,} are asked.", "Lower the counts."
        )


def _predicted(shape: Shape, precision: str, prompt_tokens: int, tokens: int) -> Figures:
    held, cache = memory.weight_bytes(shape, precision).total, memory.kv_bytes(shape, precision, tokens)
    return Figures(held, cache, held + cache + memory.workspace_bytes(shape, precision, prompt_tokens))


def _check_room(trial: _Trial, device: str, most_bytes: int | None) -> None:
    asked = trial.asked
    free, tokens = device_memory(device), asked.prompt_tokens + asked.new_tokens
    free = min(free, most_bytes or free)
    need = _predicted(trial.sliced, asked.precision, tokens, tokens).peak_bytes or 0
    if need <= free:
        return
    weights, shape = memory.weight_bytes(trial.sliced, asked.precision), trial.sliced
    fixed = weights.embedding + weights.head + memory.workspace_bytes(shape, asked.precision, tokens)
    fitting = int((free - fixed) / ((need - fixed) / shape.layers))
    raise OutOfMemory(
        f"{asked.model} in {asked.precision} takes about {need / 1e9:.1f} GB; {free / 1e9:.1f} GB may be used on "
        f"{device}.",
        f"Measure a slice: layers={fitting} fits." if fitting >= 1 else "Choose a smaller model or precision.",
    )


@dataclass
class _LayerClock:
    """Seconds spent in the decoder layers, a forward pass each."""

    device: str
    passes: list[float]
    started_s: float = 0.0

    def begin(self, *_: Any) -> None:  # noqa: ANN401
        self.started_s = self._now()

    def end(self, *_: Any) -> None:  # noqa: ANN401
        self.passes.append(self._now() - self.started_s)

    def _now(self) -> float:
        if self.device.startswith("cuda"):
            import torch

            torch.cuda.synchronize(self.device)
        return time.perf_counter()


def _measure(
    model: "PreTrainedModel",
    config: "PretrainedConfig",
    device: str,
    prompt_tokens: int,
    new_tokens: int,
    job: Job,
) -> tuple[Figures, tuple[float, float]]:
    """(figures without load time, share of time inside the layers in prefill and in decode)."""
    from llmops.engines.decoder import byte_count

    job.report("warming up", None)
    _generate(model, config, device, prompt_tokens, _WARM_TOKENS, job.stop)
    job.report("measuring", None)
    with PeakMemory(device) as peak:
        watch, cache = _generate(model, config, device, prompt_tokens, new_tokens, job.stop)
        extra = peak.extra_bytes
    timing = watch.timing(prompt_tokens, new_tokens)
    # A pass of its own: on a GPU these clocks wait for the layers, which would be in the figures.
    clock = _LayerClock(device, [])
    layers = layers_of(model)
    hooks = [layers[0].register_forward_pre_hook(clock.begin), layers[-1].register_forward_hook(clock.end)]
    clocked, _ = _generate(model, config, device, prompt_tokens, new_tokens, job.stop)
    for hook in hooks:
        hook.remove()
    apart = clocked.timing(prompt_tokens, new_tokens)
    shares = (clock.passes[0] / (apart.ttft_s or 1), sum(clock.passes[1:]) / ((apart.e2e_s or 1) - (apart.ttft_s or 0)))
    weights = byte_count.count_weights(model).total_bytes
    figures = Figures(
        weights_bytes=weights,
        kv_cache_bytes=byte_count.cache_bytes(cache) or 0,
        peak_bytes=None if extra is None else weights + extra,
        ttft_s=timing.ttft_s,
        prefill_tokens_per_s=timing.prefill_rate,
        decode_tokens_per_s=timing.decode_rate,
    )
    return figures, shares


def _generate(
    model: "PreTrainedModel",
    config: "PretrainedConfig",
    device: str,
    prompt_tokens: int,
    new_tokens: int,
    stop: threading.Event,
) -> tuple[Stopwatch, Any]:
    """One greedy generation of exactly new_tokens from random ids, by transformers' own generate."""
    import torch
    from transformers import DynamicCache, GenerationConfig

    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(1, config.get_text_config().vocab_size, (1, prompt_tokens), generator=generator).to(device)
    cache = DynamicCache(config=config.get_text_config(decoder=True))
    settings = GenerationConfig(max_new_tokens=new_tokens, min_new_tokens=None, do_sample=False, pad_token_id=0)
    model.generation_config = GenerationConfig(pad_token_id=0)
    with torch.inference_mode():
        watch = Stopwatch()
        model.generate(
            inputs=ids,
            attention_mask=torch.ones_like(ids),
            generation_config=settings,
            past_key_values=cache,
            streamer=token_streamer(lambda _: watch.tick()),
            stopping_criteria=stop_when(stop.is_set),
        )
    if stop.is_set():
        raise Stopped("Stopped while measuring.")
    return watch, cache


def _whole(measured: Figures, shares: tuple[float, float], in_layers: int, trial: _Trial, tokens: int) -> Figures:
    """A slice stretched to every layer: what is inside the layers grows, the rest stays.

    Bytes grow as the plan's do, since layers may be of several kinds; seconds with the number of layers.
    """
    shape, part = trial.shape, trial.sliced
    if part.layers == shape.layers:
        return measured
    factor = shape.layers / part.layers
    layered = [held.total - held.embedding - held.head for held in _weights(trial)]
    weights = int(measured.weights_bytes + in_layers * (layered[0] / layered[1] - 1))
    planned = [memory.kv_bytes(of_shape, trial.asked.precision, tokens) for of_shape in (shape, part)]
    cache = measured.kv_cache_bytes * planned[0] // planned[1]
    extra = None if measured.peak_bytes is None else measured.peak_bytes - measured.weights_bytes
    ttft = measured.ttft_s and measured.ttft_s * (1 - shares[0] + shares[0] * factor)
    decode = measured.decode_tokens_per_s and measured.decode_tokens_per_s / (1 - shares[1] + shares[1] * factor)
    return Figures(
        weights_bytes=weights,
        kv_cache_bytes=cache,
        peak_bytes=None if extra is None else weights + max(0, extra - measured.kv_cache_bytes) + cache,
        ttft_s=ttft,
        prefill_tokens_per_s=trial.asked.prompt_tokens / ttft if ttft else None,
        decode_tokens_per_s=decode,
    )


def _weights(trial: _Trial) -> tuple[memory.WeightBytes, memory.WeightBytes]:
    """The plan's, of the whole and of the slice."""
    precision = trial.asked.precision
    return memory.weight_bytes(trial.shape, precision), memory.weight_bytes(trial.sliced, precision)
