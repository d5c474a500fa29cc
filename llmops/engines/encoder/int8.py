"""An int8 copy of an encoder: its transformer exported to OpenVINO, its weights in int8 by nncf, kept once made.

Activations are quantized as they come, in groups, where the processor has int8 products (VNNI, AMX). No texts are
needed to calibrate on, and of a tuned encoder's 1,000 labels 99.4 % stayed; with activations calibrated beforehand it
was 94 to 99 % (tests/benchmarks, NOTES). The copy's name is a hash of the weights and of how it was made. Pooling and
normalising stay the model's own modules.
"""

import hashlib
import shutil
import tempfile
import threading
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops.compat import nncf_internals
from llmops.compat.sentence_transformers_internals import TEXT, drop_transformer
from llmops.core.request import Report
from llmops.engines.encoder.tokenizer import EncoderTokenizer

if TYPE_CHECKING:
    import numpy as np
    from sentence_transformers import SentenceTransformer

_GROUP = 64  # values of an activation that share a scale
_MAKING = threading.Lock()  # one copy at a time, and each once
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class OpenVinoBody:
    """The int8 copy with the pooling of the model it was made from. `embed` as TorchBody's."""

    def __init__(self, model: "SentenceTransformer", folder: Path) -> None:
        import openvino

        self.model: Any = model
        self.max_tokens = int(model.max_seq_length or model.tokenizer.model_max_length)
        self.tokenizer = EncoderTokenizer(model, self.max_tokens)
        unconverted = [tensor for module in list(model)[1:] for tensor in module.parameters()]
        unconverted_bytes = sum(tensor.numel() * tensor.element_size() for tensor in unconverted)
        self.weights_bytes = (folder / "model.bin").stat().st_size + unconverted_bytes
        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",  # what is not quantized; bf16 is its own choice on some processors
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": str(_GROUP),
        }
        compiled = openvino.Core().compile_model(folder / "model.xml", "CPU", options)
        self._names = [port.get_any_name() for port in compiled.inputs]
        self._request = compiled.create_infer_request()
        drop_transformer(model)  # not needed beside the int8 copy

    def embed(self, texts: Sequence[str], ids: Sequence[Sequence[int]] | None = None) -> "np.ndarray":
        """See body.Body."""
        import torch

        features = self.tokenizer.features(texts, ids)
        inferred = self._request.infer({name: features[name] for name in self._names}, share_inputs=True)
        pooled: Any = {name: torch.from_numpy(value) for name, value in features.items()}
        pooled |= {"token_embeddings": torch.from_numpy(next(iter(inferred.values()))), **TEXT}
        with torch.inference_mode():
            for module in list(self.model)[1:]:
                pooled = module(pooled)
        vectors: np.ndarray = pooled["sentence_embedding"].numpy()
        return vectors


def make_int8_copy(model: "SentenceTransformer", data_dir: Path, report: Report) -> Path:
    """The folder of the copy that data_dir keeps, or of a new one."""
    folder = data_dir / "openvino" / _fingerprint(model)
    if not (folder / "model.xml").exists():
        report("making the int8 copy (once)", None)
        with _MAKING:
            if not (folder / "model.xml").exists():
                _make(model, folder)
    return folder


def _fingerprint(model: Any) -> str:  # noqa: ANN401
    digest = hashlib.sha256(f"{version('openvino')} {version('nncf')} int8_asym".encode())
    for name, parameter in sorted(model[0].auto_model.named_parameters()):
        digest.update(name.encode())
        digest.update(parameter.detach().contiguous().view(-1).numpy().tobytes())
    return digest.hexdigest()[:24]


def _make(model: Any, folder: Path) -> None:  # noqa: ANN401
    """Export, compress, and put in place in one step, so that a broken attempt leaves nothing behind."""
    import nncf
    import openvino
    import torch

    nncf_internals.quiet()
    features = model.preprocess(["example"])
    names = [name for name in _INPUTS if name in features]

    class LastHiddenState(torch.nn.Module):
        """Only the tensor that is needed, under names that the export keeps."""

        def __init__(self, inner: torch.nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            """(batch, tokens) each → (batch, tokens, width)."""
            states: torch.Tensor = self.inner(**dict(zip(names, inputs, strict=True))).last_hidden_state
            return states

    with torch.inference_mode(False), torch.no_grad():
        example = tuple(features[name] for name in names)
        exported = openvino.convert_model(LastHiddenState(model[0].auto_model), example_input=example)
    for port, name in zip(exported.inputs, names, strict=True):
        port.get_tensor().set_names({name})
    exported.reshape({name: [-1, -1] for name in names})
    small = nncf.compress_weights(exported, mode=nncf.CompressWeightsMode.INT8_ASYM)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=folder.parent))
    openvino.save_model(small, partial / "model.xml")
    try:
        partial.rename(folder)
    except OSError:  # somebody else was quicker
        shutil.rmtree(partial, ignore_errors=True)
