"""Texts to measure with: sentences of the built-in task, put together by a seed, so that no two are the same."""

from random import Random

from llmops.core.task import Example
from llmops.data.builtin import load_builtin

TASK = load_builtin("medical")


def texts(count: int, most: int = 3, seed: int = 0) -> list[str]:
    """Distinct texts of one to `most` sentences."""
    rng = Random(seed)
    sentences = [example.text for example in TASK.examples]
    found: dict[str, None] = {}
    while len(found) < count:
        found[" ".join(rng.choice(sentences) for _ in range(rng.randint(1, most)))] = None
    return list(found)


def labelled(count: int) -> list[Example]:
    """Held-out examples; above their number, distinct texts that begin with another held-out sentence."""
    held_out = list(TASK.split("test"))
    more = [
        Example(f"{example.text} {other.text}", example.label, example.language, "test")
        for other in held_out
        for example in held_out
        if example.language == other.language and example is not other
    ]
    return [*held_out, *more][:count]
