"""A loaded decoder: one answer streamed and measured, many in batches, or several requests at a time.

Puts the parts together: prompt, sampling, stream, label likelihood, the bytes it holds and the memory it may take.
Reading the verdict is `core.verdict`'s part, sharing and evicting the pool's.
"""

import gc
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from llmops.compat.transformers_models import takes_dynamic_cache
from llmops.core.candidate import Candidate
from llmops.core.errors import LlmopsError, Stopped
from llmops.core.events import Event, Finished, Note, Started
from llmops.core.request import Request, Send
from llmops.core.run import Memory, Run, Source
from llmops.core.verdict import read_verdict
from llmops.engines.decoder import (
    batching,
    byte_count,
    continuous_batching,
    cuda_graph,
    likelihood,
    loading,
    memory_check,
    prompt,
    sampling,
    stream,
    windows,
)
from llmops.engines.decoder.batch_runner import BatchRunner, LoadedDecoder
from llmops.hardware.energy import EnergyWindow
from llmops.hardware.memory import PeakMemory, device_used, release_memory, reusing_memory
from llmops.hardware.openmp_threads import ComputeThread, compute, compute_thread, without_idle_workers
from llmops.hardware.stopwatch import Stopwatch
from llmops.sizing import memory

if TYPE_CHECKING:
    import torch


_GRAPH_NOTE = "Decode steps ran as a CUDA graph; making it is in no figure."
_POLL_S = 0.005  # the stamps are the batch's own, so waiting costs no accuracy


class DecoderModel:
    """One loaded causal language model."""

    def __init__(
        self, parts: loading.DecoderParts, candidate: Candidate, device: str, notes: tuple[str, ...] = ()
    ) -> None:
        self.device = device
        self.notes = (*notes, *parts.notes)
        self.load_s, self.before_bytes = parts.measured.load_s, parts.measured.before_bytes
        self.weights_bytes: int | None = byte_count.count_weights(parts.model).total_bytes
        self._candidate = candidate
        self._model: Any = parts.model
        self._tokenizer: Any = parts.tokenizer
        self._context = prompt.context_length(parts.model.config, parts.tokenizer)
        self._base_config = sampling.base_config(parts.model, parts.tokenizer)
        self._model.generation_config = self._base_config
        self._interrupt = stream.Interrupt()
        self._layer_interrupt = stream.LayerInterrupt(parts.model, self._interrupt)
        self.can_batch = batching.supports_batches(parts.model)
        memory_check.shape_of_model(parts.model.config)  # counted now where it has to be, not while a run is timed
        loaded = LoadedDecoder(
            candidate,
            parts.model,
            parts.tokenizer,
            self._base_config,
            self._context,
            self._interrupt,
            self._layer_interrupt,
        )
        self._batch_runner = BatchRunner(loaded)
        self._graphs = self._graphed()
        self.warmed = False

    def _graphed(self) -> cuda_graph.GraphedDecoder | None:
        usable = cuda_graph.usable(self._model, self._candidate.precision, self.device)
        return cuda_graph.GraphedDecoder(self._model) if usable else None

    def move(self, device: str) -> None:
        """Take the weights to another device."""
        self._model.to(device)
        self.device, self.warmed = device, False
        self._graphs = self._graphed()
        self._batch_runner.forget()

    def warm_up(self) -> None:
        """Two tokens of anything, and the likelihood: the first call pays for kernels, workers and lazy imports."""
        self._interrupt.begin(None)
        with EnergyWindow(self.device):  # looks for counters once
            compute(self._two_tokens)
        self.weights_bytes = byte_count.count_weights(
            self._model
        ).total_bytes  # nf4 is repacked at the first call on some CPUs
        self.warmed = True

    def _two_tokens(self) -> None:
        import torch

        ids = torch.full((1, 4), self._base_config.pad_token_id, device=self.device)
        try:
            with torch.inference_mode():
                config = sampling.greedy(self._base_config, 2)
                self._model.generate(inputs=ids, attention_mask=torch.ones_like(ids), generation_config=config)
            likelihood.label_probabilities(self._model, self._tokenizer, ids, {"a": "a", "b": "b"})
            self._prepare_graph(cuda_graph.FIRST_TOKENS)
        except RuntimeError as error:
            if memory_check.is_out_of_memory(error):
                raise memory_check.release_and_explain(error, self._candidate, self.device) from None
            raise

    def _prepare_graph(self, tokens: int) -> bool:
        """Whether a run of so many tokens goes through a CUDA graph, which is made now if there is none."""
        import torch

        with torch.inference_mode():
            return self._graphs is not None and self._graphs.prepare(min(tokens, self._context)) is not None

    def run(self, request: Request) -> Generator[Event, None, None]:
        """Stream one answer, then the label's probabilities; see engines.base.Model.run."""
        sampling.check(request.generation)
        if self.can_batch and (request.verdict_only or windows.are_needed(request, self._tokenizer, self._context)):
            yield from self._verdict(request)
            return
        self._interrupt.begin(request.stop)
        yield Started()
        with compute_thread() as thread:
            yield from self._stream(request, thread)

    def _stream(self, request: Request, thread: ComputeThread) -> Generator[Event, None, None]:
        pieces: list[str] = []
        graphs = thread.run(lambda: self._graphs_for(request))  # before anything is timed
        held_bytes = graphs.cache_bytes if graphs else 0
        with EnergyWindow(self.device) as energy_window, PeakMemory(self.device) as peak:
            watch = Stopwatch()
            built = prompt.build(request, self._tokenizer, self._context)
            prompt.check(built.ids, self._model, self._candidate, self.device, request.generation.max_new_tokens)
            ids = built.ids.to(self.device)
            cache = None if graphs else self._new_cache()
            generation = stream.GenerateCall(self._tokenizer, self._layer_interrupt, watch)
            generation.start(thread, self._generate(ids, request, cache, graphs))
            complete = False
            try:
                for note in built.notes:
                    yield Note(note)
                for token in generation.tokens():
                    pieces.append(token.text)
                    yield token
                complete = True
            finally:
                if not complete:  # whoever read this has left
                    self._interrupt.set()
                generation.join()
                extra_bytes = None if peak.extra_bytes is None else peak.extra_bytes + held_bytes
        self._raise_error(generation)
        cache = graphs.used_cache() if graphs else cache
        memory = Memory(self.weights_bytes, byte_count.cache_bytes(cache), extra_bytes, None, self.device)
        stopped = self._interrupt.is_set()
        probabilities, why_none = (
            (None, "") if stopped else thread.run(lambda: self._probabilities(request, built, ids, cache))
        )
        text = "".join(pieces)
        label = read_verdict(("<think>" if built.opens_thinking else "") + text, request.task, request.language)
        measured = ("timing", "tokens", "memory", *(("probabilities",) if probabilities else ()))
        yield Finished(
            Run(
                candidate=str(self._candidate),
                text=text,
                label=label,
                unparsed=label is None and not stopped,
                probabilities=probabilities,
                timing=watch.timing(ids.shape[1], len(generation.ids)),
                memory=memory,
                predicted=self._predicted(ids.shape[1], len(generation.ids)),
                source=dict.fromkeys(measured, Source.CLIENT),
                notes=tuple(
                    note for note in (*built.notes, why_none, graphs and _GRAPH_NOTE, _device_note(self.device)) if note
                ),
                finish="stopped" if stopped else sampling.finish(self._base_config, generation.ids),
                energy=energy_window.energy,
            )
        )

    def run_batch(self, requests: Sequence[Request]) -> list[Run | LlmopsError]:
        """Many texts as batches; see engines.base.BatchModel."""
        with reusing_memory():
            return compute(lambda: windows.answer(requests, self._tokenizer, self._context, self._answer))

    def _answer(self, requests: Sequence[Request]) -> list[Run | LlmopsError]:
        return self._batch_runner.answer(requests, self.weights_bytes)

    def _verdict(self, request: Request) -> Generator[Event, None, None]:
        """One text's verdict, timed: nothing is shared with another text, and no token is streamed."""
        yield Started()
        with EnergyWindow(self.device) as energy_window, PeakMemory(self.device) as peak:
            handed_s = time.perf_counter()
            (run,) = self.run_batch([request])
            e2e_s = time.perf_counter() - handed_s
            extra_bytes = peak.extra_bytes
        if isinstance(run, LlmopsError):
            raise run
        yield Finished(
            replace(
                run,
                timing=replace(run.timing, e2e_s=e2e_s),
                memory=replace(run.memory, peak_bytes=extra_bytes),
                source={**run.source, "timing": Source.CLIENT},
                energy=energy_window.energy,
            )
        )

    @contextmanager
    def parallel(self, requests: int, tokens: int) -> Iterator[Send]:
        """A function that runs a Request beside others, as one batch: for probes. Yields nothing but its figures."""
        self._interrupt.begin(None)  # a batch is many visitors' work: it is stopped as a whole, between steps
        config = sampling.greedy(self._base_config, 1)
        memory_check.check_batch(self._model.config, self._candidate, self.device, requests, tokens)
        with (
            without_idle_workers(),
            continuous_batching.batching(self._model, config, requests, tokens) as batcher,
        ):

            def send(request: Request) -> Run:
                built = prompt.build(request, self._tokenizer, self._context)
                future = batcher.submit(built.ids[0].tolist(), request.generation.max_new_tokens)
                while not future.done():
                    if request.stop.wait(_POLL_S):
                        raise Stopped("Stopped while the batch was running.")
                answer = future.result()
                watch = Stopwatch(answer.handed_s, answer.stamps[0], answer.stamps[-1])
                text = self._tokenizer.decode(list(answer.ids), skip_special_tokens=True)
                return Run(
                    candidate=str(self._candidate),
                    text=text,
                    label=read_verdict(text, request.task, request.language),
                    timing=watch.timing(built.ids.shape[1], len(answer.ids)),
                    source={"timing": Source.CLIENT, "tokens": Source.CLIENT},
                )

            yield send

    def close(self) -> None:
        """Drop the weights and give the memory back to the system."""
        self._model = self._tokenizer = self._graphs = None
        del self._batch_runner, self._layer_interrupt  # both know the model's parts
        gc.collect()
        release_memory(self.device)

    def _new_cache(self) -> Any:  # noqa: ANN401
        """A cache of our own, so that its bytes are known after a stop too; None where the model makes another kind."""
        from transformers import DynamicCache

        if not takes_dynamic_cache(self._model):
            return None
        return DynamicCache(config=self._model.config.get_text_config(decoder=True))

    def _graphs_for(self, request: Request) -> cuda_graph.GraphedDecoder | None:
        """What runs this request by a CUDA graph; None where generate() does."""
        if self._graphs is None:
            return None
        tokens = prompt.build(request, self._tokenizer, self._context).ids.shape[1] + request.generation.max_new_tokens
        return self._graphs if self._prepare_graph(tokens) else None

    def _generate(
        self,
        ids: "torch.Tensor",
        request: Request,
        cache: Any,  # noqa: ANN401
        graphs: cuda_graph.GraphedDecoder | None,
    ) -> Callable[[Any], object]:
        """What writes the answer into a streamer."""
        import torch

        most = request.generation.max_new_tokens
        processors = sampling.processors(request.generation, self.device)
        if graphs is not None:
            ends = tuple(self._base_config.eos_token_id or ())
            return lambda streamer: graphs.generate(ids, most, ends, processors, streamer)
        arguments = {
            "inputs": ids,
            "attention_mask": torch.ones_like(ids),
            "generation_config": sampling.greedy(self._base_config, most),
            "logits_processor": processors,
            **({"past_key_values": cache} if cache is not None else {}),
        }
        return lambda streamer: self._model.generate(**arguments, streamer=streamer)

    def _predicted(self, prompt_tokens: int, output_tokens: int) -> Memory | None:
        """The planner's figures for this run; None for an architecture it can't read."""
        precision = self._candidate.precision or "bf16"
        shape = memory_check.shape_of_model(self._model.config)
        if shape is None:
            return None
        cache = memory.kv_bytes(shape, precision, max(1, prompt_tokens + output_tokens - 1))
        extra = cache + memory.workspace_bytes(shape, precision, prompt_tokens)
        return Memory(memory.weight_bytes(shape, precision).total, cache, extra, None, self.device)

    def _probabilities(
        self,
        request: Request,
        built: prompt.TokenizedPrompt,
        ids: "torch.Tensor",
        cache: Any,  # noqa: ANN401
    ) -> tuple[dict[str, float] | None, str]:
        """Measured after the clock has stopped: it is in no figure. Why there are none, where there are none."""
        if built.opens_thinking:
            return None, "No probabilities: this model thinks before it answers."
        answers = request.task.answers(request.language)
        self._layer_interrupt.enable()
        try:
            probabilities = likelihood.label_probabilities(self._model, self._tokenizer, ids, answers, cache)
        except stream.Interrupted:
            return None, "No probabilities: stopped."
        except RuntimeError as error:
            if not memory_check.is_out_of_memory(error):
                raise
            return None, "No probabilities: not enough memory for them beside this prompt."
        finally:
            self._layer_interrupt.disable()
        return (
            probabilities,
            "" if probabilities else "No probabilities: the model's logits are not numbers in this precision.",
        )

    def _raise_error(self, generation: stream.GenerateCall) -> None:
        error = generation.error
        if error is None or (isinstance(error, stream.Interrupted) and generation.ids):
            return  # stopped with what it had
        if isinstance(error, stream.Interrupted):
            raise Stopped("Stopped while the prompt was being read.")
        if memory_check.is_out_of_memory(error):
            generation.error = None
            raise memory_check.release_and_explain(error, self._candidate, self.device) from None
        raise error


def _device_note(device: str) -> str:
    """What the GPU as a whole holds, since the allocator sees neither the driver's part nor other processes."""
    used = device_used(device)
    return "" if used is None else f"{device} as a whole holds {used / 1e9:.2f} GB now, driver and others included."
