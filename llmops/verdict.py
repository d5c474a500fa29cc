"""Read the label out of a decoder's answer. Pure; never a guess: what is not clear is unparsed (None).

The task names an answer word per label and language. An answer counts when it begins with one, after nothing
but white space, quotes, Markdown marks or a heading such as "Answer:"; or when it is a JSON object with one in it.
"""

import json
import re

from llmops.task import Task

_THINKING = re.compile(r"<think>.*?</think>", re.DOTALL)
_HEADING = re.compile(
    r"(?:the |my |die |das |meine |mein )?(?:final )?"
    r"(?:answer|verdict|label|result|classification|antwort|urteil|ergebnis|einstufung|bewertung)"
    r"(?: is| ist)?\s*[:=\-–—]\s*",
    re.IGNORECASE,
)
_MARKS = " \t\r\n\"'`*_#>-–—•„“”‚‘’«»([{"
_FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)
_EITHER = re.compile(r"\s*[\"'*_`“”]*\s*(?:/|\||,|\bor\b|\boder\b|\band\b|\bund\b)\s*[\"'*_`“”]*\s*", re.IGNORECASE)
_MOST = 4000  # characters looked at: the verdict stands at the start


def read_verdict(answer: str, task: Task, language: str) -> str | None:
    """The label id of an answer, or None. Words of the task's other languages count too."""
    words = _words(task, language)
    text = _THINKING.sub("", answer)
    if "<think>" in text:  # thinking that never ended holds no answer
        return None
    text = text[:_MOST]
    if (found := _from_json(text, words)) is not None:
        return found
    text = text.lstrip(_MARKS)
    heading = _HEADING.match(text)
    if heading:
        text = text[heading.end() :].lstrip(_MARKS)
    return _at_start(text, words)


def _words(task: Task, language: str) -> dict[str, str]:
    """Casefolded answer word → label id; the language's own words win where two languages share one."""
    words: dict[str, str] = {}
    for code in (language, *task.languages):
        for label in task.labels:
            if code in label.answer:
                words.setdefault(label.answer[code].casefold(), label.id)
    return words


def _at_start(text: str, words: dict[str, str]) -> str | None:
    folded = text.casefold()
    # The longest first, so that "not applicable" is not read as "not".
    for word in sorted(words, key=len, reverse=True):
        if folded.startswith(word) and not folded[len(word) : len(word) + 1].isalnum():
            rest = folded[len(word) :]
            either = _EITHER.match(rest)
            if either and any(_begins(rest[either.end() :], w) and words[w] != words[word] for w in words):
                return None
            return words[word]
    return None


def _begins(text: str, word: str) -> bool:
    return text.startswith(word) and not text[len(word) : len(word) + 1].isalnum()


def _from_json(text: str, words: dict[str, str]) -> str | None:
    fenced = _FENCE.search(text)
    inner = (fenced.group(1) if fenced else text).strip()
    if not inner.startswith("{"):
        return None
    try:
        data = json.loads(inner)
    except (ValueError, RecursionError):
        return None
    values = [value for value in data.values() if isinstance(value, str)] if isinstance(data, dict) else []
    found = {words[value.strip().casefold()] for value in values if value.strip().casefold() in words}
    return found.pop() if len(found) == 1 else None
