"""A task: labels, instruction, prompt templates per language, and examples; and the built-in ones.

Built-in tasks are folders below `llmops/data/tasks/` with `task.toml` and `examples.jsonl`: a new folder is a new
task. Reading a user's own file is `data/own_task`'s part.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from llmops.core.errors import InputError


@dataclass(frozen=True)
class Example:
    """One labelled text. split is `pool` (few-shot examples come from here) or `test` (held out)."""

    text: str
    label: str
    language: str
    split: str = "pool"


@dataclass(frozen=True)
class Label:
    """A class. name, description and answer are per language code; `answer` is the word a decoder begins with."""

    id: str
    name: dict[str, str]
    description: dict[str, str]
    answer: dict[str, str]


@dataclass(frozen=True)
class Prompt:
    """Templates of one language: system may use {instruction}, user must use {text}."""

    instruction: str
    system: str = "{instruction}"
    user: str = "{text}"


@dataclass(frozen=True)
class Task:
    """What is asked of every candidate."""

    id: str
    name: str
    labels: tuple[Label, ...]
    prompts: dict[str, Prompt]
    examples: tuple[Example, ...] = ()
    description: dict[str, str] = field(default_factory=dict)
    source: str = ""

    @property
    def languages(self) -> tuple[str, ...]:
        """Language codes with a prompt, in the task's order."""
        return tuple(self.prompts)

    @property
    def label_ids(self) -> tuple[str, ...]:
        """Label ids in the task's order."""
        return tuple(label.id for label in self.labels)

    def language_of(self, text: str) -> str:
        """The language whose examples, instruction and descriptions share most words with a text; the first of equals.

        For programs that name no language; no language detection beyond the task's own words.
        """
        return self.languages_of([text])[0]

    def languages_of(self, texts: Sequence[str]) -> list[str]:
        """The same for many texts."""
        known = {language: self._vocabulary(language) for language in self.languages}
        each = [_words(text) for text in texts]
        return [max(self.languages, key=lambda language: len(words & known[language])) for words in each]

    def _vocabulary(self, language: str) -> set[str]:
        texts = [example.text for example in self.examples if example.language == language]
        texts += [label.description.get(language, "") for label in self.labels]
        return _words(" ".join([*texts, self.prompts[language].instruction]))

    def split(self, name: str, language: str | None = None) -> tuple[Example, ...]:
        """Examples of a split, of one language or of all."""
        return tuple(e for e in self.examples if e.split == name and (language is None or e.language == language))

    def known_language(self, language: str) -> str:
        """The language, where the task has it; else its first."""
        return language if language in self.languages else self.languages[0]

    def examples_to_show(self, language: str, most: int) -> list[str]:
        """Held-out texts of a language, labels taking turns, so that the first few show every label."""
        examples = self.split("test", language) or self.split("pool", language)
        of_label = [[example.text for example in examples if example.label == label] for label in self.label_ids]
        turns = [texts[turn] for turn in range(most) for texts in of_label if turn < len(texts)]
        return turns[:most]

    def messages(self, text: str, language: str) -> list[dict[str, str]]:
        """The chat: a system and a user turn, templates filled. Raises InputError for a language it has not."""
        prompt = self.prompt(language)
        # Plain replacement, not str.format: braces in a user's text or template are just text.
        return [
            {"role": "system", "content": prompt.system.replace("{instruction}", prompt.instruction)},
            {"role": "user", "content": prompt.user.replace("{text}", text)},
        ]

    def prompt(self, language: str) -> Prompt:
        """The templates of one language."""
        if language not in self.prompts:
            raise InputError(
                f"The task “{self.name}” has no prompt in “{language}”.",
                f"Choose one of: {', '.join(self.prompts)}.",
            )
        return self.prompts[language]

    def answers(self, language: str) -> dict[str, str]:
        """Label id → answer word in a language (any language's word where this one has none)."""
        return {label.id: label.answer.get(language) or next(iter(label.answer.values())) for label in self.labels}

    def with_examples(self, examples: tuple[Example, ...]) -> "Task":
        """The same task with other examples."""
        return replace(self, examples=examples)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))
