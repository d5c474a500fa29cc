"""Models to measure with: the embedded decoder made endless, and Llama shapes with random weights, on disk as usual.

Speed and memory of a random model are a real one's; its text is noise, and never ends by itself.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path

from llmops.embedded import DECODER_DIR

_SHAPES = {
    "0.1B": {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 12, "num_attention_heads": 12},
    "0.25B": {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 16, "num_attention_heads": 16},
    "tiny": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2},
}


def root() -> Path:
    """Where the benchmark's models lie; made once, kept between runs."""
    folder = Path(os.environ.get("LLMOPS_BENCHMARKS") or Path(tempfile.gettempdir()) / "llmops-benchmarks")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def endless() -> Path:
    """The embedded decoder with a silenced end token: an answer is as long as allowed."""
    from safetensors.torch import load_file, save_file

    folder = root() / "endless"
    if not (folder / "ready").exists():
        shutil.copytree(DECODER_DIR, folder, dirs_exist_ok=True)
        tensors = load_file(folder / "model.safetensors")
        tensors["model.embed_tokens.weight"][_end(folder)] = 0  # the output layer is tied to it, so its logit is 0
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
        (folder / "ready").touch()
    return folder


def llama(size: str) -> Path:
    """A Llama of a size of `_SHAPES` in bf16, with the embedded decoder's tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = root() / f"llama-{size}"
    if not (folder / "ready").exists():
        shutil.copytree(DECODER_DIR, folder, dirs_exist_ok=True)
        vocabulary = 4096 if size == "tiny" else 32_000
        end = _end(folder)
        config = LlamaConfig(
            **_SHAPES[size], vocab_size=vocabulary, max_position_embeddings=8192, tie_word_embeddings=True,
            eos_token_id=end, pad_token_id=0, bos_token_id=None, initializer_range=0.05,
        )  # fmt: skip
        torch.manual_seed(0)
        model = LlamaForCausalLM(config)
        with torch.no_grad():
            model.get_input_embeddings().weight[end] = 0
            model.get_input_embeddings().weight[4096:] = 0  # ids that the tokenizer has no words for
        model.to(torch.bfloat16).save_pretrained(folder)
        (folder / "ready").touch()
    return folder


def _end(folder: Path) -> int:
    return int(json.loads((folder / "config.json").read_text())["eos_token_id"])
