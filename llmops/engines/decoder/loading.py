"""From a folder to model and tokenizer: safetensors only, none of the model's own code, the number format asked for.

Refuses what would load but not work: no decoder, weights that are missing, weights quantized by somebody else.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops.compat import bitsandbytes_internals
from llmops.compat.transformers_models import BUILDING, LOCAL_ONLY, causal_class
from llmops.core.candidate import Candidate
from llmops.core.errors import ModelRefused
from llmops.engines.decoder import byte_count, memory_check, quantized_copies
from llmops.hardware.memory import LoadMeasurement

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

_DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
_NAMES = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}


@dataclass(frozen=True)
class DecoderParts:
    """What a folder became. notes hold for every run of it."""

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    notes: tuple[str, ...]
    measured: LoadMeasurement


def load(folder: Path, candidate: Candidate, device: str, data_dir: Path) -> DecoderParts:
    """Read a checked folder, or its quantized copy in data_dir. Raises ModelRefused, or what the libraries raise."""
    from transformers import AutoConfig, AutoTokenizer

    config = AutoConfig.from_pretrained(folder, **LOCAL_ONLY)
    _check_kind(config, candidate)
    tokenizer = AutoTokenizer.from_pretrained(folder, **LOCAL_ONLY)
    copy = _copy_of(folder, candidate, device, data_dir)
    loaded = _read_copy(copy, candidate, device) if copy is not None and quantized_copies.is_complete(copy) else None
    if loaded is None:
        loaded = read(folder, candidate, device)
        if copy is not None:
            quantized_copies.save_copy(loaded[0], copy)
    model, notes, measured = loaded
    return DecoderParts(model, tokenizer, notes, measured)


def _copy_of(folder: Path, candidate: Candidate, device: str, data_dir: Path) -> Path | None:
    """Where the quantized copy of a folder belongs: for nf4, which takes seconds a gigabyte to make."""
    if candidate.precision != "nf4":
        return None
    dtype, _ = number_format("nf4", device)
    return quantized_copies.copy_folder(folder, _quantization("nf4", dtype).to_dict(), data_dir)


def _read_copy(
    copy: Path, candidate: Candidate, device: str
) -> tuple["PreTrainedModel", tuple[str, ...], LoadMeasurement] | None:
    """A kept copy, read as it is; None, and no copy any more, where it is damaged."""
    try:
        model, notes, measured = read(copy, candidate, device, quantized=True)
    except Exception as error:
        if memory_check.is_out_of_memory(error):
            raise
        shutil.rmtree(copy, ignore_errors=True)
        return None
    return (
        model,
        (*notes, "Read from a copy that was quantized before, so loading took less than the first time."),
        measured,
    )


def read(
    folder: Path | None,
    candidate: Candidate,
    device: str,
    *,
    quantized: bool = False,
    **source: Any,  # noqa: ANN401
) -> tuple["PreTrainedModel", tuple[str, ...], LoadMeasurement]:
    """(model in the candidate's precision, notes, how it was read), from a folder or from config= and state_dict=.

    quantized: the folder is a copy that holds the quantized weights already.
    """
    from transformers import AutoModelForCausalLM

    made_by: Any = AutoModelForCausalLM if folder else causal_class(source["config"])
    precision = candidate.precision or "bf16"
    dtype, notes = number_format(precision, device)
    quantization = _quantization(precision, dtype)
    _quiet()
    with BUILDING, LoadMeasurement(device) as measured:
        model, loaded = made_by.from_pretrained(
            folder,
            dtype=dtype,
            use_safetensors=True,
            device_map={"": device},
            output_loading_info=True,
            **({} if quantization is None or quantized else {"quantization_config": quantization}),
            **LOCAL_ONLY,
            **source,
        )
    _check_complete(loaded["missing_keys"], candidate)
    model.eval()
    bitsandbytes_internals.keep_unpacked(model)
    full = _NAMES[str(dtype).removeprefix("torch.")]
    note = byte_count.count_weights(model).note(precision, full)
    return model, (*notes, note) if note else notes, measured


def number_format(precision: str, device: str) -> tuple["torch.dtype", tuple[str, ...]]:
    """The format of what is not quantized; fp16 where the GPU has no bf16 of its own (T4, V100)."""
    import torch

    name = _DTYPES.get(precision, "bfloat16")
    # By default torch says yes for emulated bf16 as well, which is far slower.
    if name == "bfloat16" and device.startswith("cuda") and not torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.float16, ("This GPU has no bf16: fp16 was taken instead.",)
    notes = ("fp16 on a CPU works, but is slower than bf16 or fp32.",) if (precision, device) == ("fp16", "cpu") else ()
    return getattr(torch, name), notes


def _check_kind(config: "PretrainedConfig", candidate: Candidate) -> None:
    # An encoder such as BERT has a causal class too, whose output layer would be random.
    written = getattr(config, "architectures", None) or []
    writes = not written or any(name.endswith(("LMHeadModel", "ForConditionalGeneration")) for name in written)
    writes = writes or any("CausalLM" in name for name in written)
    if causal_class(config) is None or not writes:
        raise ModelRefused(
            f"“{candidate.model}” is a {config.model_type} model, no decoder that writes text.",
            "Use it as an encoder (?kind=encoder), or choose a causal language model.",
        )
    stored = getattr(config, "quantization_config", None)
    if stored:
        method = stored.get("quant_method") if isinstance(stored, dict) else getattr(stored, "quant_method", None)
        raise ModelRefused(
            f"“{candidate.model}” is stored quantized already ({method}), so it can't be had in {candidate.precision}.",
            "Choose the original model: it is quantized here, as the precision says.",
        )


def _check_complete(missing: Any, candidate: Candidate) -> None:  # noqa: ANN401
    """Weights that are not in the file would be random numbers, and the answers too."""
    if missing:
        names = sorted(missing)
        raise ModelRefused(
            f"“{candidate.model}” lacks {len(names)} of the weights of a decoder ({', '.join(names[:3])}…).",
            "Choose a causal language model whose files are complete.",
        )


def _quantization(precision: str, dtype: "torch.dtype") -> Any:  # noqa: ANN401
    if precision not in ("int8", "nf4"):
        return None
    import bitsandbytes  # noqa: F401  (seconds of import, which are no loading)
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
    """Keep progress bars and remarks out of the server's log."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    bitsandbytes_internals.quiet()
