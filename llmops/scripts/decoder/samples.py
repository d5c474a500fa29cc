"""The endless stream of training samples, seeded, without anything near a held-out text."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from llmops.core.task import Task
from llmops.data.builtin import load_builtin
from llmops.scripts.decoder.expand import expand, sentence
from llmops.scripts.decoder.medical import alone, medical_sentence

_TEXT = Path(__file__).parent / "text"
# A generated sentence this close to a held-out one is dropped: share of common letter trigrams (Jaccard).
TOO_NEAR = 0.5
_SHARED_WORDS = 6  # … or that many words in a row

_OTHER_INSTRUCTIONS = {
    ("medical", "de"): [
        "Wird das Hilfsmittel empfohlen? Positiv oder Negativ, mit Grund.",
        "Beurteile den Satz: Positiv, wenn die Versorgung empfohlen wird, sonst Negativ. Nenne den Grund.",
        "Lies das Gutachten. Antworte mit Positiv oder Negativ, Doppelpunkt und kurzem Grund.",
    ],
    ("medical", "en"): [
        "Is the aid recommended? Positive or Negative, with the reason.",
        "Judge the sentence: Positive if the supply is recommended, otherwise Negative. Give the reason.",
        "Read the assessment. Answer Positive or Negative, a colon and a short reason.",
    ],
    ("support", "en"): [
        "Which team is it: Billing, Technical, Account, Shipping or Feedback? Give the reason.",
        "Name the right team, then a colon and why: Billing, Technical, Account, Shipping, Feedback.",
    ],
}


@dataclass(frozen=True)
class Sample:
    """A chat of one exchange. system may be empty; answer is the whole assistant turn."""

    system: str
    user: str
    answer: str


@dataclass(frozen=True)
class TrainingText:
    """A training text before it becomes a chat."""

    task_id: str
    language: str
    text: str
    label: str
    reason: str


def samples(seed: int, bare: bool = False) -> Iterator[Sample]:
    """Endless; the same seed gives the same stream. bare: no instruction, so quicker to learn from."""
    rng = Random(seed)
    while True:
        drawn = draw_text(rng)
        sample = as_sample(drawn, rng)
        yield Sample("", drawn.text, sample.answer) if bare else sample


def draw_text(rng: Random) -> TrainingText:
    """One text that is not too near to a held-out one."""
    while True:
        drawn = _draw(rng)
        if not too_near(drawn.text, drawn.language):
            return drawn


def _draw(rng: Random) -> TrainingText:
    kind = rng.choices(["de", "en", "support", "pool", "unrelated"], [37, 37, 14, 7, 5])[0]
    if kind in ("de", "en"):
        text, label, reason = medical_sentence(kind, rng)
        return TrainingText("medical", kind, noisy(text, kind, rng), label, reason)
    if kind == "support":
        return _message(rng)
    if kind == "unrelated":
        return _unrelated(rng)
    return _pool(rng)


def _message(rng: Random) -> TrainingText:
    data = _toml("support")
    team = rng.choice(data["classes"])

    def slot(name: str) -> str:
        return str(rng.randint(2, 900)) if name == "number" else str(rng.choice(data[name]))

    opening = rng.choice(data["opening"])
    text = expand(rng.choice(team["main"]), rng, slot)
    text = (
        opening
        + (sentence(text) if not opening else text)
        + rng.choice([".", ".", "?", "!"])
        + rng.choice(data["closing"])
    )
    return TrainingText(
        "support", "en", noisy(text.replace("..", "."), "en", rng), team["label"], rng.choice(team["answer"])
    )


def _unrelated(rng: Random) -> TrainingText:
    data = _toml("unrelated")
    kind = rng.choice(["de", "en", "support"])
    language = "en" if kind == "support" else kind
    text = expand(rng.choice(data["texts"][language]), rng, lambda name: name)
    word, reason = data["answer"][kind]
    task = load_builtin("support" if kind == "support" else "medical")
    label = next(label.id for label in task.labels if label.answer.get(language) == word)
    return TrainingText(task.id, language, text, label, reason)


def _pool(rng: Random) -> TrainingText:
    task = load_builtin(rng.choice(["medical", "medical", "support"]))
    example = rng.choice(task.split("pool"))
    if task.id == "medical":
        reason = alone(example.label, example.language)
    else:
        reason = rng.choice(next(row["answer"] for row in _toml("support")["classes"] if row["label"] == example.label))
    return TrainingText(task.id, example.language, noisy(example.text, example.language, rng), example.label, reason)


def as_sample(drawn: TrainingText, rng: Random) -> Sample:
    """The chat: mostly the task's own prompt, sometimes another instruction, none, or all in the user turn."""
    task = load_builtin(drawn.task_id)
    system, user = (message["content"] for message in task.messages(drawn.text, drawn.language))
    answer = f"{answer_word(task, drawn.label, drawn.language)}: {drawn.reason}"
    draw = rng.random()
    if draw < 0.12:
        system = rng.choice(_OTHER_INSTRUCTIONS[drawn.task_id, drawn.language])
    elif draw < 0.17:
        system, user = "", f"{system}\n\n{user}"
    elif draw < 0.20:
        system = ""
    return Sample(system, user, answer)


def answer_word(task: Task, label: str, language: str) -> str:
    """The word an answer begins with."""
    return task.answers(language)[label]


def noisy(text: str, language: str, rng: Random) -> str:
    """Now and then as people type: no capitals, no full stop, a slip, umlauts written out."""
    if rng.random() < 0.05:
        text = text.lower()
    if rng.random() < 0.08:
        text = text.rstrip(".")
    if language == "de" and rng.random() < 0.03:
        for letter, pair in zip("äöüß", ("ae", "oe", "ue", "ss"), strict=True):
            text = text.replace(letter, pair)
    if rng.random() < 0.08:
        at = rng.randrange(len(text))
        text = (
            text[:at] + text[at + 1 :] if rng.random() < 0.5 else text[:at] + text[at : at + 2][::-1] + text[at + 2 :]
        )
    return text


def too_near(text: str, language: str) -> bool:
    """True if the text is near a held-out text of its language: TOO_NEAR trigrams or six words in a row shared."""
    grams, runs = _trigrams(text), _word_runs(text)
    return any(
        not runs.isdisjoint(their_runs) or len(grams & theirs) >= TOO_NEAR * len(grams | theirs)
        for theirs, their_runs in _held_out(language)
    )


@cache
def _held_out(language: str) -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    tests = [example for task_id in ("medical", "support") for example in load_builtin(task_id).split("test", language)]
    return tuple((_trigrams(example.text), _word_runs(example.text)) for example in tests)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _trigrams(text: str) -> frozenset[str]:
    joined = " ".join(_words(text))
    return frozenset(joined[i : i + 3] for i in range(len(joined) - 2))


def _word_runs(text: str) -> frozenset[str]:
    words = _words(text)
    return frozenset(" ".join(words[i : i + _SHARED_WORDS]) for i in range(len(words) - _SHARED_WORDS + 1))


@cache
def _toml(name: str) -> dict:  # type: ignore[type-arg]
    return tomllib.loads((_TEXT / f"{name}.toml").read_text(encoding="utf-8"))
