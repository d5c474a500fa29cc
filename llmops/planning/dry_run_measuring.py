"""A dry run's figures of a model that is loaded: bytes, times, and how much of the times its layers take."""

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmops.compat.transformers_models import layers_of
from llmops.core.errors import Stopped
from llmops.core.request import Job
from llmops.engines.decoder import byte_count, cuda_graph
from llmops.engines.decoder.generate_callbacks import stop_when, token_streamer
from llmops.hardware.memory import PeakMemory
from llmops.hardware.stopwatch import Stopwatch
from llmops.planning.dry_run_record import DryRunFigures
from llmops.planning.settings import GivenDryRun

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel

_WARM_TOKENS = 3


@dataclass(frozen=True)
class LayerShares:
    """Of prefill's and of decode's time, what is spent inside the decoder layers: 0 to 1."""

    prefill: float
    decode: float


def measure(
    model: "PreTrainedModel", config: "PretrainedConfig", device: str, asked: GivenDryRun, job: Job
) -> tuple[DryRunFigures, LayerShares]:
    """Figures without load time, and what part of the times is spent inside the layers."""
    prompt_tokens, new_tokens = asked.prompt_tokens, asked.new_tokens
    job.report("warming up", None)
    _generate(model, config, device, prompt_tokens, _WARM_TOKENS, job.stop)
    job.report("measuring", None)
    with PeakMemory(device) as peak:
        watch, cache = _generate(model, config, device, prompt_tokens, new_tokens, job.stop)
        extra = peak.extra_bytes
    if cuda_graph.usable(model, asked.precision, device):
        watch = _by_graph(model, config, asked) or watch
    timing = watch.timing(prompt_tokens, new_tokens)
    # A pass of its own: on a GPU these clocks wait for the layers, which would be in the figures.
    clock = _LayerClock(device, [])
    layers = layers_of(model)
    hooks = [layers[0].register_forward_pre_hook(clock.begin), layers[-1].register_forward_hook(clock.end)]
    clocked, _ = _generate(model, config, device, prompt_tokens, new_tokens, job.stop)
    for hook in hooks:
        hook.remove()
    clocked_timing = clocked.timing(prompt_tokens, new_tokens)
    ttft_s, e2e_s = clocked_timing.ttft_s or 0, clocked_timing.e2e_s or 1
    shares = LayerShares(clock.passes[0] / (ttft_s or 1), sum(clock.passes[1:]) / (e2e_s - ttft_s))
    weights = byte_count.count_weights(model).total_bytes
    figures = DryRunFigures(
        weights_bytes=weights,
        kv_cache_bytes=byte_count.cache_bytes(cache) or 0,
        peak_bytes=None if extra is None else weights + extra,
        ttft_s=timing.ttft_s,
        prefill_tokens_per_s=timing.prefill_rate,
        decode_tokens_per_s=timing.decode_rate,
    )
    return figures, shares


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

    ids = _random_ids(config, prompt_tokens).to(device)
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


def _by_graph(model: "PreTrainedModel", config: "PretrainedConfig", asked: GivenDryRun) -> Stopwatch | None:
    """The same as the app decodes on a GPU, whose graph is made before the clock starts; None where it can't be."""
    import torch
    from transformers import LogitsProcessorList

    graphs = cuda_graph.GraphedDecoder(model)
    with torch.inference_mode():
        if graphs.prepare(asked.prompt_tokens + asked.new_tokens) is None:
            return None
        ids = _random_ids(config, asked.prompt_tokens).to(model.device)
        for _ in range(2):  # the first one warms up
            torch.cuda.synchronize()
            watch = Stopwatch()
            streamer = token_streamer(lambda _, watch=watch: watch.tick())  # type: ignore[misc]
            graphs.generate(ids, asked.new_tokens, (), LogitsProcessorList(), streamer)
    graphs.release()
    return watch


def _random_ids(config: "PretrainedConfig", count: int) -> "torch.Tensor":
    """(1, count), the same ones each time."""
    import torch

    generator = torch.Generator().manual_seed(0)
    return torch.randint(1, config.get_text_config().vocab_size, (1, count), generator=generator)
