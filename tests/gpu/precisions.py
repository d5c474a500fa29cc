"""Every precision: loads, answers, streams, unloads; bytes beside the plan's, times beside a loop of our own."""

import gc
from collections.abc import Iterator
from statistics import median

from llmops.engines.decoder.model import DecoderModel
from llmops.hardware.memory import held_bytes
from tests.gpu import faster, plain
from tests.gpu.bandwidth import bytes_a_token, copy_bandwidth
from tests.gpu.batches import batch_rows
from tests.gpu.loaded import Trial, loaded, request, run
from tests.gpu.rows import Row, gap

_REPEATS = 5


def precision_rows(trial: Trial, precision: str) -> Iterator[Row]:
    """All of one precision, with one load."""
    step = precision
    before = held_bytes(trial.device) or 0
    with loaded(trial, precision) as (model, inner):
        yield Row(step, f"load {trial.shapes[precision]}", model.load_s or 0, "s", note="; ".join(model.notes))
        yield from _byte_rows(trial, step, model)
        yield from _time_rows(trial, step, model, inner)
        if precision in ("bf16", "nf4"):
            yield from faster.faster_rows(trial, step, model, inner)
        if precision == "bf16":
            yield from batch_rows(trial, step, model)
        weights = model.weights_bytes or 1
    del model, inner
    gc.collect()
    left = (held_bytes(trial.device) or 0) - before
    yield Row(step, "left after unloading", max(0, left) / weights, "weights", 0.01 if trial.is_gpu else None)


def _byte_rows(trial: Trial, step: str, model: DecoderModel) -> Iterator[Row]:
    done = run(model, request(trial))
    measured, predicted = done.memory, done.predicted
    assert predicted is not None
    yield gap(
        step, "weights, measured against the plan", measured.weights_bytes or 0, predicted.weights_bytes or 1, 0.02
    )
    yield gap(step, "KV cache", measured.kv_cache_bytes or 0, predicted.kv_cache_bytes or 1, 0.0)
    if trial.is_gpu:  # a CPU's peak is the whole process's, and this process holds the tests too
        weights = predicted.weights_bytes or 1
        peak, planned = (measured.peak_bytes or 0) + weights, (predicted.peak_bytes or 0) + weights
        yield gap(step, "peak, weights included", peak, planned, 0.15)
        yield gap(step, "peak above the weights (told only)", measured.peak_bytes or 0, predicted.peak_bytes or 1, 9.0)


def _time_rows(trial: Trial, step: str, model: DecoderModel, inner: object) -> Iterator[Row]:
    asked = request(trial)
    ours, bare = [], []
    tokenizer = model._tokenizer
    plain.decode(inner, tokenizer, request(trial, new_tokens=4))
    for _ in range(_REPEATS):
        ours.append(run(model, asked))
        bare.append(plain.decode(inner, tokenizer, asked))
    ttft, tpot = median(each.timing.ttft_s for each in ours), median(each.timing.tpot_s for each in ours)
    ttft_bare, tpot_bare = median(each.ttft_s for each in bare), median(each.tpot_s for each in bare)
    prompt_tokens = ours[0].timing.prompt_tokens
    limit = 0.05 if trial.is_gpu else None
    yield Row(step, f"TTFT, {prompt_tokens} tokens", ttft * 1000, "ms", note=f"own loop {ttft_bare * 1000:.1f} ms")
    yield Row(step, "TTFT above our own loop's", ttft / ttft_bare - 1, "of it", limit)
    graphs = model._graphs
    by_graph = graphs is not None and graphs.cache_bytes > 0
    how = "a CUDA graph" if by_graph else "generate"
    yield Row(step, f"decode rate, by {how}", 1 / tpot, "tok/s", note=f"own loop, eager: {1 / tpot_bare:.1f}")
    yield Row(step, "TPOT above our own eager loop's", tpot / tpot_bare - 1, "of it", limit)
    same = sum(a == b for a, b in zip(bare[0].ids, bare[1].ids, strict=True)) / len(bare[0].ids)
    yield Row(step, "the same tokens twice", same, "share", 1.0 if step != "int8" else None, at_least=True)
    if trial.is_gpu:
        share = bytes_a_token(trial, step, prompt_tokens or 1) / tpot / copy_bandwidth(trial.device)
        target = 0.7 if step == "bf16" else None
        note = f"by {how}; {copy_bandwidth(trial.device) / 1e12:.2f} TB/s"
        yield Row(step, "decode, share of the measured bandwidth", share, "share", target, True, note)
