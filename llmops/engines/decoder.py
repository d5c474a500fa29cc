"""The local decoder engine: any causal language model through transformers, on CPU, CUDA or MPS.

Loads (fp32, bf16, fp16, int8, nf4), streams, and reads the verdict. Prompt, stream, likelihood and the account of
bytes are in `decoders/`, finding the files is `fetch`'s, sharing and evicting the pool's.
"""

import copy
import gc
import threading
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops import fetch
from llmops.candidate import EMBEDDED_DECODER, Candidate
from llmops.decoders import account, likelihood, prompt, stream
from llmops.demo import DECODER_DIR
from llmops.engines.base import Connection, Report, Request
from llmops.errors import LlmopsError, ModelRefused, OutOfMemory, Stopped
from llmops.events import Event, Finished, Note, Started
from llmops.hardware import device_memory, hardware
from llmops.meter import PeakMemory, Stopwatch, give_back
from llmops.run import Memory, Run, Source
from llmops.task import Task
from llmops.verdict import read_verdict

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
_NAMES = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}
_SMALLER = {"fp32": "bf16", "bf16": "int8", "fp16": "int8", "int8": "nf4"}


class DecoderEngine:
    """Makes DecoderModels."""

    def key(self, candidate: Candidate, task: Task) -> str:
        """Models are shared by name and precision; nothing of a task is in them."""
        return f"{candidate.model}@{candidate.precision}"

    def device(self, candidate: Candidate, connection: Connection) -> str:
        """The first GPU, else the CPU."""
        return hardware().decoder_device

    def estimate_bytes(self, candidate: Candidate) -> int | None:
        """From the checkpoint's tensor shapes, where they are on disk."""
        folder = _known_folder(candidate.model)
        return account.estimate(fetch.tensor_shapes(folder), candidate.precision or "bf16") if folder else None

    def load(
        self, candidate: Candidate, task: Task, connection: Connection, report: Report, stop: threading.Event
    ) -> "DecoderModel":
        """Fetch and load. Raises LlmopsError with what would help."""
        folder = _known_folder(candidate.model, check=True) or fetch.download(candidate.model, connection, report, stop)
        _check_memory(folder, candidate, self.device(candidate, connection))
        if stop.is_set():
            raise Stopped("Stopped before loading.")
        report("reading the weights", None)
        try:
            return _load(folder, candidate, self.device(candidate, connection))
        except LlmopsError:
            raise
        except Exception as error:
            if _is_out_of_memory(error):
                raise _too_little(candidate, str(error)) from error
            raise fetch.explain(error, candidate.model) from error


ENGINE = DecoderEngine()


class DecoderModel:
    """One loaded causal language model."""

    def __init__(
        self,
        model: "PreTrainedModel",
        tokenizer: "PreTrainedTokenizerBase",
        candidate: Candidate,
        device: str,
        notes: tuple[str, ...],
    ) -> None:
        self.device = device
        self.notes = notes
        self.weights_bytes: int | None = account.account(model).total_bytes
        self._candidate = candidate
        self._model: Any = model
        self._tokenizer: Any = tokenizer
        self._limit = prompt.context_length(model.config, tokenizer)
        self._stop = threading.Event()
        stream.interruptible(model, self._stop)

    def warm_up(self) -> None:
        """Two tokens of anything: the first call pays for kernels and lazy imports."""
        import torch

        ids = torch.tensor([[self._first_id()] * 4], device=self.device)
        with torch.inference_mode():
            self._model.generate(
                inputs=ids, attention_mask=torch.ones_like(ids), generation_config=self._config(2, 0.0), use_cache=True
            )
        likelihood.label_probabilities(self._model, self._tokenizer, ids, {"a": "a", "b": "b"})

    def run(self, request: Request) -> Generator[Event, None, None]:
        """Stream one answer, then the label's probabilities; see engines.base.Model.run."""
        self._stop.clear()
        started = Started()
        yield started
        watch = Stopwatch(started.at_s)
        built = prompt.build(request, self._tokenizer, self._limit)
        for note in built.notes:
            yield Note(note)
        ids = built.ids.to(self.device)
        generation = stream.Generation(self._model, self._tokenizer, watch)
        pieces: list[str] = []
        with PeakMemory(self.device) as peak:
            generation.start(**self._arguments(ids, request))
            complete = False
            try:
                for token in generation.tokens():
                    if request.stop.is_set():
                        self._stop.set()
                    if token is not None:
                        pieces.append(token.text)
                        if token.text:
                            yield token
                complete = True
            finally:
                if not complete:  # whoever read this has left
                    self._stop.set()
                generation.join()
                extra_bytes = peak.extra_bytes
        self._raise_error(generation.error)
        text = "".join(pieces)
        label = read_verdict(text, request.task, request.language)
        cache = getattr(generation.output, "past_key_values", None)
        memory = Memory(self.weights_bytes, _cache_bytes(cache), extra_bytes, None, self.device)
        stopped = self._stop.is_set()
        yield Finished(
            Run(
                candidate=str(self._candidate),
                text=text,
                label=label,
                unparsed=label is None and not stopped,
                probabilities=None if stopped else self._probabilities(request, ids, cache),
                timing=watch.timing(ids.shape[1], len(generation.ids)),
                memory=memory,
                source=dict.fromkeys(("timing", "tokens", "memory", "probabilities"), Source.CLIENT),
                notes=built.notes,
                finish="stopped" if stopped else self._finish(generation.ids),
            )
        )

    def close(self) -> None:
        """Drop the weights and give the memory back to the system."""
        self._model = self._tokenizer = None
        gc.collect()
        give_back(self.device)

    def _arguments(self, ids: "torch.Tensor", request: Request) -> dict[str, Any]:
        import torch
        from transformers import StoppingCriteria, StoppingCriteriaList

        stop = self._stop

        class Stop(StoppingCriteria):
            def __call__(self, input_ids: "torch.Tensor", scores: Any, **kwargs: Any) -> "torch.Tensor":  # noqa: ANN401
                asked = stop.is_set() or request.stop.is_set()
                return torch.full((input_ids.shape[0],), asked, dtype=torch.bool, device=input_ids.device)

        generation = request.generation
        if generation.temperature > 0:
            torch.manual_seed(generation.seed)
        return {
            "inputs": ids,
            "attention_mask": torch.ones_like(ids),
            "generation_config": self._config(generation.max_new_tokens, generation.temperature),
            "stopping_criteria": StoppingCriteriaList([Stop()]),
            "return_dict_in_generate": True,
        }

    def _config(self, max_new_tokens: int, temperature: float) -> Any:  # noqa: ANN401
        """The model's own end tokens, our sampling: greedy at 0, else plain sampling without top-k or top-p."""
        config = copy.deepcopy(self._model.generation_config)
        config.max_new_tokens, config.max_length = max_new_tokens, None
        sampling = temperature > 0
        config.do_sample = sampling
        config.temperature = temperature if sampling else None
        config.top_p, config.top_k = (1.0, 0) if sampling else (None, None)
        config.num_beams, config.repetition_penalty = 1, None
        if config.pad_token_id is None:
            ends = self._end_ids()
            config.pad_token_id = next(iter(ends), 0)
        return config

    def _end_ids(self) -> set[int]:
        ends = self._model.generation_config.eos_token_id
        ends = ends if isinstance(ends, list) else [ends]
        return {end for end in ends if end is not None}

    def _finish(self, ids: list[int]) -> str:
        return "stop" if ids and ids[-1] in self._end_ids() else "length"

    def _first_id(self) -> int:
        return next(iter(self._end_ids()), 0)

    def _probabilities(self, request: Request, ids: "torch.Tensor", cache: Any) -> dict[str, float]:  # noqa: ANN401
        """Measured after the clock has stopped: it is in no figure."""
        answers = request.task.answers(request.language)
        return likelihood.label_probabilities(self._model, self._tokenizer, ids, answers, cache)

    def _raise_error(self, error: BaseException | None) -> None:
        if error is None:
            return
        if isinstance(error, stream.Interrupted):
            raise Stopped("Stopped while the prompt was being read.")
        if _is_out_of_memory(error):
            raise _too_little(self._candidate, str(error)) from error
        raise error


def _known_folder(model: str, check: bool = False) -> Path | None:
    """The folder of an embedded model, a user's folder, or a cached hub model; None where it must be fetched."""
    if model == EMBEDDED_DECODER:
        return DECODER_DIR
    if fetch.is_folder(model):
        return fetch.folder_of(model) if check else Path(model).expanduser()
    return None if check else fetch.cached(model)


def _load(folder: Path, candidate: Candidate, device: str) -> DecoderModel:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    safe = {"trust_remote_code": False, "local_files_only": True}
    config = AutoConfig.from_pretrained(folder, **safe)
    if type(config) not in AutoModelForCausalLM._model_mapping:
        raise ModelRefused(
            f"“{candidate.model}” is a {config.model_type} model, no decoder that writes text.",
            "Use it as an encoder (?kind=encoder), or choose a causal language model.",
        )
    tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
    dtype, notes = _dtype(candidate.precision or "bf16", device)
    quantization = _quantization(candidate.precision, dtype)
    _quiet()
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=dtype,
        use_safetensors=True,
        device_map={"": device},
        **({"quantization_config": quantization} if quantization is not None else {}),
        **safe,
    )
    model.eval()
    counted = account.account(model)
    note = counted.note(candidate.precision or "", _NAMES[str(dtype).removeprefix("torch.")])
    if device == "cpu" and dtype == torch.float16:
        notes = (*notes, "fp16 on a CPU works, but is slower than bf16 or fp32.")
    return DecoderModel(model, tokenizer, candidate, device, (*notes, note) if note else notes)


def _dtype(precision: str, device: str) -> tuple["torch.dtype", tuple[str, ...]]:
    """The number format of what is not quantized; fp16 where the GPU has no bf16 of its own (T4, V100)."""
    import torch

    name = _DTYPES.get(precision, "bfloat16")
    no_bf16 = device.startswith("cuda") and not torch.cuda.is_bf16_supported(including_emulation=False)
    if name == "bfloat16" and no_bf16:
        return torch.float16, ("This GPU has no bf16: fp16 was taken instead.",)
    return getattr(torch, name), ()


def _quantization(precision: str | None, dtype: "torch.dtype") -> Any:  # noqa: ANN401
    if precision not in ("int8", "nf4"):
        return None
    from transformers import BitsAndBytesConfig

    if precision == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def _quiet() -> None:
    """Keep progress bars and int8's per-layer remark (its inputs are cast to fp16) out of the server's log."""
    import logging as standard

    from transformers.utils import logging

    logging.disable_progress_bar()
    standard.getLogger("bitsandbytes.autograd._functions").setLevel(standard.ERROR)


def _check_memory(folder: Path, candidate: Candidate, device: str) -> None:
    needed = account.estimate(fetch.tensor_shapes(folder), candidate.precision or "bf16")
    free = device_memory(device)
    if needed is not None and needed > free:
        raise _too_little(candidate, f"about {needed / 1e9:.1f} GB needed, {free / 1e9:.1f} GB free on {device}")


def _too_little(candidate: Candidate, detail: str) -> OutOfMemory:
    smaller = _SMALLER.get(candidate.precision or "")
    remedy = (
        f"Try it in {smaller}, a smaller model, or a shorter text."
        if smaller
        else "Try a smaller model or a shorter text."
    )
    return OutOfMemory(f"Not enough memory for {candidate} ({detail.splitlines()[0][:160]}).", remedy)


def _is_out_of_memory(error: BaseException) -> bool:
    words = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in words or "can't allocate memory" in words


def _cache_bytes(cache: Any) -> int | None:  # noqa: ANN401
    """Bytes of all keys and values (and states) that the cache holds."""
    import torch

    layers = getattr(cache, "layers", None)
    if layers is None:
        return None
    held = [value for layer in layers for value in vars(layer).values() if isinstance(value, torch.Tensor)]
    return sum(tensor.numel() * tensor.element_size() for tensor in held)
