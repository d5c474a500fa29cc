"""Train the embedded decoder from scratch: seeded, resumable, with a progress bar.

`python -m llmops.scripts.decoder.train`.

Samples are a function of seed and step, so a resumed run sees the texts that an unbroken one would have seen (only the
BPE dropout can't be seeded). What is kept at the end is the exponential moving average of the weights, in bf16.
"""

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops.core.settings import load_settings
from llmops.embedded import DECODER_DIR
from llmops.scripts.decoder.samples import Sample, samples
from llmops.scripts.decoder.tokenizer import ASSISTANT, END, SYSTEM, USER, train_tokenizer

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

CONTEXT = 2048
_LONGEST = 320  # tokens of a training sample; longer ones are left out
_BPE_DROPOUT = 0.1  # share of merges left out in user texts: unknown words look like that (Provilkov et al. 2020)
_TEXT_WEIGHT = 0.2  # weight of the loss on prompt tokens against the answer's
_VERDICT_WEIGHT = 3.0  # … and of the answer's first tokens
_VERDICT_TOKENS = 2
_EMA = 0.998
_IGNORED = -100


@dataclass(frozen=True)
class TrainingPlan:
    """How long and how fast: steps of `batch` samples, AdamW with warm-up and cosine decay to a tenth."""

    steps: int = 3400
    batch: int = 48
    learning_rate: float = 1.5e-3
    warm_up: int = 150
    seed: int = 7
    save_every: int = 250


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description="Train the embedded decoder from scratch.")
    parser.add_argument("--steps", type=int, default=TrainingPlan.steps)
    parser.add_argument("--batch", type=int, default=TrainingPlan.batch)
    parser.add_argument("--seed", type=int, default=TrainingPlan.seed)
    parser.add_argument("--output", type=Path, default=DECODER_DIR)
    parser.add_argument("--checkpoint", type=Path, default=load_settings().data_dir / "demo-training")
    parser.add_argument("--threads", type=int, help="CPU threads (default: all)")
    args = parser.parse_args()
    train(TrainingPlan(steps=args.steps, batch=args.batch, seed=args.seed), args.output, args.checkpoint, args.threads)


def train(plan: TrainingPlan, output: Path, checkpoint: Path, threads: int | None = None) -> None:
    """Train to the plan's end, from the last checkpoint where there is one, and write model and tokenizer."""
    import torch
    from tqdm import tqdm

    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(plan.seed)
    tokenizer = train_tokenizer(plan.seed, CONTEXT)
    model = new_model(tokenizer)
    state = _State(model, plan)
    first = state.resume(checkpoint, plan)
    batches = _batches(plan, tokenizer, first)
    bar = tqdm(range(first, plan.steps), initial=first, total=plan.steps, unit="step")
    for step in bar:
        loss = state.step(step, next(batches))
        if step % 20 == 0:
            bar.set_postfix(loss=f"{loss:.3f}")
        if (step + 1) % plan.save_every == 0 or step + 1 == plan.steps:
            state.save(checkpoint, plan, step + 1)
            write(state.averaged(), tokenizer, output)


def new_model(tokenizer: "PreTrainedTokenizerFast") -> "LlamaForCausalLM":
    """A small Llama with random weights; every linear layer's sides are multiples of 64, as nf4 wants."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=256,
        intermediate_size=512,
        num_hidden_layers=6,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)


def write(model: "LlamaForCausalLM", tokenizer: "PreTrainedTokenizerFast", output: Path) -> None:
    """Model and tokenizer as any other's folder; weights as one safetensors file."""
    output.mkdir(parents=True, exist_ok=True)
    model.generation_config.do_sample = False
    model.save_pretrained(output)
    tokenizer.save_pretrained(output)


class _State:
    """Model, its moving average, optimizer; saved as safetensors, so that no pickle is ever read."""

    def __init__(self, model: "LlamaForCausalLM", plan: TrainingPlan) -> None:
        import torch

        self.model, self.plan = model, plan
        self.names = [name for name, _ in model.named_parameters()]
        decayed = [p for p in model.parameters() if p.dim() > 1]
        plain = [p for p in model.parameters() if p.dim() <= 1]
        groups = [{"params": decayed, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=plan.learning_rate, betas=(0.9, 0.98))
        self.average = {name: p.detach().clone() for name, p in model.named_parameters()}

    def step(self, step: int, batch: dict[str, "torch.Tensor"]) -> float:
        import torch

        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.learning_rate * _schedule(step, self.plan)
        targets, weights = batch["labels"][:, 1:].flatten(), batch["weights"][:, 1:].flatten()
        counted = weights.nonzero().squeeze(1)  # the instruction's tokens have no loss, so they need no logits
        with torch.autocast("cpu", dtype=torch.bfloat16):
            # hidden: (batch, length, width); logits: (counted tokens, vocabulary)
            hidden = self.model.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])[0]
            logits = self.model.lm_head(hidden[:, :-1].flatten(0, 1)[counted])
        losses = torch.nn.functional.cross_entropy(logits.float(), targets[counted], reduction="none")
        loss = (losses * weights[counted]).sum() / weights.sum()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        keep = min(_EMA, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                self.average[name].lerp_(parameter, 1 - keep)
        return loss.item()

    def averaged(self) -> "LlamaForCausalLM":
        """A bf16 copy with the averaged weights."""
        import copy

        import torch

        clone = copy.deepcopy(self.model)
        with torch.no_grad():
            for name, parameter in clone.named_parameters():
                parameter.copy_(self.average[name])
        return clone.to(torch.bfloat16)

    def save(self, folder: Path, plan: TrainingPlan, step: int) -> None:
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        tensors = {f"average.{name}": value.clone() for name, value in self.average.items()}
        for name, parameter in self.model.named_parameters():
            tensors[f"model.{name}"] = parameter.detach().clone()
            for key, value in self.optimizer.state[parameter].items():
                tensors[f"{key}.{name}"] = value.clone()
        partial = folder / "state.partial"
        save_file(tensors, partial, {"step": str(step), "plan": json.dumps(_identity(plan))})
        partial.replace(folder / "state.safetensors")

    def resume(self, folder: Path, plan: TrainingPlan) -> int:
        """Load the last checkpoint of the same plan; returns the step to begin with."""
        import torch
        from safetensors import safe_open

        path = folder / "state.safetensors"
        if not path.exists():
            return 0
        with safe_open(path, "pt") as file, torch.no_grad():
            if json.loads(file.metadata()["plan"]) != _identity(plan):
                return 0
            for name, parameter in self.model.named_parameters():
                parameter.copy_(file.get_tensor(f"model.{name}"))
                self.average[name] = file.get_tensor(f"average.{name}")
                keys = ("step", "exp_avg", "exp_avg_sq")
                self.optimizer.state[parameter] = {key: file.get_tensor(f"{key}.{name}") for key in keys}
            return int(file.metadata()["step"])


def _identity(plan: TrainingPlan) -> dict[str, Any]:
    return {"seed": plan.seed, "batch": plan.batch, "steps": plan.steps, "learning_rate": plan.learning_rate}


def _schedule(step: int, plan: TrainingPlan) -> float:
    if step < plan.warm_up:
        return (step + 1) / plan.warm_up
    done = (step - plan.warm_up) / max(1, plan.steps - plan.warm_up)
    return 0.1 + 0.45 * (1 + math.cos(math.pi * done))


def _batches(
    plan: TrainingPlan, tokenizer: "PreTrainedTokenizerFast", first: int
) -> Iterator[dict[str, "torch.Tensor"]]:
    """One batch a step, from the step's own seed."""
    step = first
    encoder = _Encoder(tokenizer)
    while True:
        stream = samples(plan.seed * 1_000_003 + step + 1, bare=step % 2 == 1)
        rows = [row for row in map(encoder.encode, islice(stream, plan.batch)) if len(row[0]) <= _LONGEST]
        yield _padded(rows, encoder.pad)
        step += 1


class _Encoder:
    """Samples to token ids and loss weights. User texts lose merges at random; the rest is tokenized as in use."""

    def __init__(self, tokenizer: "PreTrainedTokenizerFast") -> None:
        from tokenizers import Tokenizer

        self.plain = tokenizer.backend_tokenizer
        self.dropping = Tokenizer.from_str(self.plain.to_str())
        self.dropping.model.dropout = _BPE_DROPOUT
        self.pad: int = tokenizer.pad_token_id
        ids = {token: tokenizer.convert_tokens_to_ids(token) for token in (END, SYSTEM, USER, ASSISTANT)}
        self.end, self.system, self.user, self.assistant = ids[END], ids[SYSTEM], ids[USER], ids[ASSISTANT]
        self._systems: dict[str, list[int]] = {}

    def encode(self, sample: Sample) -> tuple[list[int], list[float]]:
        """(ids, weights) of one chat, the same as the chat template gives."""
        system = self._systems.setdefault(sample.system, self.plain.encode(sample.system).ids)
        # Every second text whole, as in use; the others with merges left out. Told apart by its own letters: no state.
        user = (self.dropping if sum(sample.user.encode()) % 2 else self.plain).encode(sample.user).ids
        answer = [*self.plain.encode(sample.answer).ids, self.end]
        before = [self.system, *system, self.end] if sample.system else []
        prompt = [*before, self.user, *user, self.end, self.assistant]
        text_weights = [0.0] * (len(before) + 1) + [_TEXT_WEIGHT] * (len(user) + 1) + [0.0]
        verdict = [_VERDICT_WEIGHT] * min(_VERDICT_TOKENS, len(answer))
        return prompt + answer, text_weights + verdict + [1.0] * (len(answer) - len(verdict))


def _padded(rows: list[tuple[list[int], list[float]]], pad: int) -> dict[str, "torch.Tensor"]:
    import torch

    length = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([row + [pad] * (length - len(row)) for row, _ in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row, _ in rows])
    weights = torch.tensor([row + [0.0] * (length - len(row)) for _, row in rows])
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "labels": ids.masked_fill(mask == 0, _IGNORED),
        "weights": weights,
    }


if __name__ == "__main__":
    main()
