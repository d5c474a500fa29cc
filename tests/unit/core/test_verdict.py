"""Reading the label out of an answer: what counts, and what never does."""

import random
import time

import pytest

from llmops.core.task import Label, Prompt, Task
from llmops.core.verdict import read_verdict
from llmops.data.builtin import load_builtin

MEDICAL = load_builtin("medical")


def _labels(*answers: dict[str, str]) -> Task:
    labels = tuple(Label(f"l{number}", {}, {}, answer) for number, answer in enumerate(answers))
    return Task("t", "T", labels, {"en": Prompt("?"), "de": Prompt("?")})


@pytest.mark.parametrize(
    "answer",
    [
        "Positive",
        "positive: the aid is needed",
        "POSITIVE.",
        "  \n\tPositive - needed",
        "**Positive**: needed",
        "**Positive:** needed",
        "## Positive\nneeded",
        "> *Positive*",
        "“Positive” because",
        "'positive'",
        "`Positive`",
        "_Positive_ because",
        "\ufeffPositive",
        "Answer: Positive",
        "**Answer:** Positive",
        "**Answer**: **Positive**",
        "## Verdict\n\nPositive",
        "Verdict: positive, the aid is necessary",
        "Final answer: Positive",
        "The answer is Positive.",
        "My final verdict is: “Positive”",
        "Positive, not negative",
        "Positive: negative findings are excluded",
        "Positive. Negative signs are missing.",
        "Positive\n\nNegative points: none",
        "Positive, positive, positive",
        "Positiv: die Sprache ist eine andere",
        "Urteil: Positiv",
        "Antwort – Positiv",
        "Positive✅",
        "<think>Negative? No: contraindications are excluded.</think>\n\nPositive",
        "Negative is what I thought first.</think>Positive: needed",
        "<think>a</think> x <think>b</think>Positive",
        "[THINK]Negative[/THINK]Positive",
        '{"label": "Positive"}',
        '{"label": "positive", "reason": "Negative"}',
        '{"reason": "it is needed", "verdict": "Positive"}',
        '```json\n{"label": "Positive"}\n```',
        '{"decision": "**Positive**"}',
        '{"label": "Positive", "reason": "cut off by the token lim',
        '{"label": "Positive"}\nBecause it is needed.',
        '["Positive"]',
    ],
)
def test_a_clear_answer_is_read(answer):
    assert read_verdict(answer, MEDICAL, "en") == "positive"


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "   ",
        "***",
        "\x00",
        "I think it is positive",
        "Not positive",
        "not Positive",
        "Nicht positiv",
        "Answer: not positive",
        "The answer is not positive",
        "Positive or Negative",
        "Positive/Negative",
        "**Positive** or **Negative**",
        '"Positive", "Negative"',
        "Positive Negative",
        "Positive and negative",
        "Positiv oder Negativ: das ist die Frage",
        "Answer: Positive or Negative",
        "Positive?",
        "Positive or not",
        "Positive is not the answer",
        "Positive would be wrong here",
        "Positively so",
        "Positiver Befund",
        "Positive-ish",
        "positive_case",
        "Nonpositive",
        "Non-positive",
        "❌ Positive",
        "Position",
        "<think>Positive",
        "<think>Positive</think>",
        "<think>x</think><think>Positive",
        '{"label": "Positive", "label": "Negative"}',
        '{"a": "Positive", "b": "Negative"}',
        '{"positive": false}',
        '{"positive": fal',
        '{"label": "unclear", "other": "Positive"}',
        '{"label": null}',
        "{}",
        "{",
        '["Positive", "Negative"]',
        "42",
        "🙂🙂🙂",
        "<script>alert('Positive')</script>",
    ],
)
def test_what_is_not_clear_is_unparsed(answer):
    assert read_verdict(answer, MEDICAL, "en") is None


def test_the_negative_label_is_read_in_german():
    assert read_verdict("Negativ: Die Unterlagen fehlen.", MEDICAL, "de") == "negative"
    assert read_verdict("**Urteil:** negativ", MEDICAL, "de") == "negative"


def test_the_longer_of_two_answer_words_wins():
    task = _labels({"en": "Not"}, {"en": "Not applicable"})
    assert read_verdict("Not applicable: no aid", task, "en") == "l1"
    assert read_verdict("Not: no aid", task, "en") == "l0"


def test_a_word_of_two_labels_is_nobodys_but_the_languages_own_wins():
    task = _labels({"en": "Gift"}, {"de": "Gift", "en": "Poison"})
    assert read_verdict("Gift", task, "en") == "l0"
    assert read_verdict("Gift", task, "de") == "l1"
    assert read_verdict("Gift", _labels({"en": "Same"}, {"en": "Same"}), "en") is None


def test_an_empty_answer_word_matches_nothing():
    assert read_verdict("anything", _labels({"en": ""}, {"en": " "}), "en") is None


def test_every_answer_word_of_every_built_in_task_reads_as_its_own_label():
    for task in (MEDICAL, load_builtin("support")):
        for language in task.languages:
            for label, word in task.answers(language).items():
                assert read_verdict(f"{word}: because", task, language) == label


@pytest.mark.parametrize(
    "piece",
    ["<think>", "</think>", "*", "{", "[", '{"label":', "Answer", "answer ", "Positive ", " \n", '"', "```", "\u0301"],
)
def test_no_answer_takes_long_to_read(piece):
    started_s = time.thread_time()  # of the processor: whatever else the machine does, it is the same
    read_verdict(piece * (400_000 // len(piece)), MEDICAL, "en")
    assert time.thread_time() - started_s < 1.0


def test_any_text_gives_a_label_or_none():
    rng = random.Random(0)
    parts = ["Positive", "negativ", "{", "}", '"', ":", "<think>", "</think>", "\n", " ", "or", "Answer", "\ud83d", "é"]
    for _ in range(3000):
        answer = "".join(rng.choices([*parts, chr(rng.randrange(1, 0x3000))], k=rng.randrange(12)))
        assert read_verdict(answer, MEDICAL, "de") in ("positive", "negative", None)
