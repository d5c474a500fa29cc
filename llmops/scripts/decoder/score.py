"""Held-out accuracy of a decoder folder, greedy, with the task's own prompts.

`python -m llmops.scripts.decoder.score`.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from llmops.core.task import Example, Task
from llmops.core.verdict import read_verdict
from llmops.data.builtin import load_builtin
from llmops.embedded import DECODER_DIR

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_BATCH = 42
MAX_NEW_TOKENS = 48


@dataclass(frozen=True)
class Scored:
    """One text, what was answered, and whether the answer ended by itself."""

    example: Example
    answer: str
    label: str | None
    ended: bool

    @property
    def right(self) -> bool:
        """The label read is the example's."""
        return self.label == self.example.label


def score(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", task: Task, texts: list[Example]
) -> list[Scored]:
    """Answer every text greedily; left-padded batches."""
    import torch

    tokenizer.padding_side = "left"
    rows: list[Scored] = []
    for start in range(0, len(texts), _BATCH):
        part = texts[start : start + _BATCH]
        chats = [task.messages(example.text, example.language) for example in part]
        inputs = tokenizer.apply_chat_template(
            chats, add_generation_prompt=True, return_tensors="pt", return_dict=True, padding=True
        )
        with torch.inference_mode():
            ids = model.generate(**inputs, max_new_tokens=MAX_NEW_TOKENS, do_sample=False)
        for example, row in zip(part, ids[:, inputs["input_ids"].shape[1] :], strict=True):
            answer = tokenizer.decode(row, skip_special_tokens=True)
            ended = tokenizer.eos_token_id in row.tolist()
            rows.append(Scored(example, answer, read_verdict(answer, task, example.language), ended))
    return rows


def unrelated(count: int, seed: int) -> list[Example]:
    """Texts that have nothing to do with the task: random letters, numbers, shuffled words of other tasks."""
    rng = Random(seed)
    words = [word for example in load_builtin("support").split("test") for word in example.text.split()]
    examples = []
    for index in range(count):
        letters = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz  0123456789") for _ in range(rng.randint(1, 60)))
        text = letters.strip() or "x" if index % 2 else " ".join(rng.sample(words, 12))
        examples.append(Example(text, "", rng.choice(["de", "en"])))
    return examples


def main() -> None:
    """Print accuracy by task, language and label, and the share of unrelated texts whose answer ends."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    parser = argparse.ArgumentParser(description="Score a decoder on the held-out texts.")
    parser.add_argument("--model", type=Path, default=DECODER_DIR)
    parser.add_argument("--split", default="test")
    parser.add_argument("--precision", default="bf16", choices=["bf16", "fp32"])
    parser.add_argument("--wrong", action="store_true", help="also print the texts answered wrongly")
    args = parser.parse_args()
    dtype = torch.bfloat16 if args.precision == "bf16" else torch.float32
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=dtype)
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    for task_id in ("medical", "support"):
        task = load_builtin(task_id)
        rows = score(model, tokenizer, task, list(task.split(args.split)))
        for language in task.languages:
            _print(f"{task_id} {language}", [row for row in rows if row.example.language == language])
        if args.wrong:
            for row in rows:
                if not row.right:
                    print(f"  {row.example.label:9} {row.example.text} -> {row.answer}")  # noqa: T201
    rows = score(model, tokenizer, load_builtin("medical"), unrelated(40, 1))
    print(f"unrelated: {sum(row.ended for row in rows)}/{len(rows)} answers end")  # noqa: T201


def _print(name: str, rows: list[Scored]) -> None:
    right, unparsed = sum(row.right for row in rows), sum(row.label is None for row in rows)
    labels = sorted({row.example.label for row in rows})
    by_label = ", ".join(
        f"{label} {sum(r.right for r in rows if r.example.label == label)}"
        f"/{sum(r.example.label == label for r in rows)}"
        for label in labels
    )
    print(f"{name}: {right}/{len(rows)} = {right / len(rows):.1%} ({by_label}; unparsed {unparsed})")  # noqa: T201


if __name__ == "__main__":
    main()
