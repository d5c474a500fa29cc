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
class Labelled:
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
        made = labelled(rng)
        sample = as_sample(made, rng)
        yield Sample("", made.text, sample.answer) if bare else sample


def labelled(rng: Random) -> Labelled:
    """One text that is not too near to a held-out one."""
    while True:
        made = _draw(rng)
        if not too_near(made.text, made.language):
            return made


def _draw(rng: Random) -> Labelled:
    kind = rng.choices(["de", "en", "support", "pool", "unrelated"], [37, 37, 14, 7, 5])[0]
    if kind in ("de", "en"):
        text, label, reason = medical_sentence(kind, rng)
        return Labelled("medical", kind, noisy(text, kind, rng), label, reason)
    if kind == "support":
        return _message(rng)
    if kind == "unrelated":
        return _unrelated(rng)
    return _pool(rng)


def _message(rng: Random) -> Labelled:
    data = _toml("support")
    one = rng.choice(data["classes"])

    def slot(name: str) -> str:
        return str(rng.randint(2, 900)) if name == "number" else str(rng.choice(data[name]))

    opening = rng.choice(data["opening"])
    text = expand(rng.choice(one["main"]), rng, slot)
    text = (
        opening
        + (sentence(text) if not opening else text)
        + rng.choice([".", ".", "?", "!"])
        + rng.choice(data["closing"])
    )
    return Labelled("support", "en", noisy(text.replace("..", "."), "en", rng), one["label"], rng.choice(one["answer"]))


def _unrelated(rng: Random) -> Labelled:
    data = _toml("unrelated")
    kind = rng.choice(["de", "en", "support"])
    language = "en" if kind == "support" else kind
    text = expand(rng.choice(data["texts"][language]), rng, lambda name: name)
    word, reason = data["answer"][kind]
    task = load_builtin("support" if kind == "support" else "medical")
    label = next(one.id for one in task.labels if one.answer.get(language) == word)
    return Labelled(task.id, language, text, label, reason)


def _pool(rng: Random) -> Labelled:
    task = load_builtin(rng.choice(["medical", "medical", "support"]))
    one = rng.choice(task.split("pool"))
    if task.id == "medical":
        reason = alone(one.label, one.language)
    else:
        reason = rng.choice(next(row["answer"] for row in _toml("support")["classes"] if row["label"] == one.label))
    return Labelled(task.id, one.language, noisy(one.text, one.language, rng), one.label, reason)


def as_sample(made: Labelled, rng: Random) -> Sample:
    """The chat: mostly the task's own prompt, sometimes another instruction, none, or all in the user turn."""
    task = load_builtin(made.task_id)
    system, user = (message["content"] for message in task.messages(made.text, made.language))
    answer = f"{answer_word(task, made.label, made.language)}: {made.reason}"
    way = rng.random()
    if way < 0.12:
        system = rng.choice(_OTHER_INSTRUCTIONS[made.task_id, made.language])
    elif way < 0.17:
        system, user = "", f"{system}\n\n{user}"
    elif way < 0.20:
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
    tests = [one for task_id in ("medical", "support") for one in load_builtin(task_id).split("test", language)]
    return tuple((_trigrams(one.text), _word_runs(one.text)) for one in tests)


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
