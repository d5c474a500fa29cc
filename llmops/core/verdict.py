"""Read the label out of a decoder's answer. Pure; never a guess: what is not clear is unparsed (None).

The task names an answer word per label and language. An answer counts when it begins with one, after nothing
but white space, quotes, Markdown marks or a heading such as "Answer:"; or when it is a JSON object with one in it.
Every step is linear in the text, whatever a model writes.
"""

import json
import re
import unicodedata

from llmops.core.task import Task

_THINKING = (("<think>", "</think>"), ("<thinking>", "</thinking>"), ("[THINK]", "[/THINK]"))
_NAMES = "answer|verdict|label|result|classification|antwort|urteil|ergebnis|einstufung|bewertung"
_MARKS = " \t\r\n\u00a0\u200b\u200e\u200f\ufeff\"'`*_#>-–—•„“”‚‘’«»([{"
_INNER = r"[\s*_`\"'“”]*"  # marks that may close around a heading: **Answer:**, "label":
_HEADING = re.compile(
    rf"(?:(?:the|my|die|das|meine|mein) )?(?:final |endgültige[rs]? )?(?:{_NAMES})\b"
    rf"(?:{_INNER}[:=\-–—]| (?:is|ist)\b{_INNER}:?|[ \t*_`]*\n)",
    re.IGNORECASE,
)
_FENCE = re.compile(r"```(?:json)?\s*")
# What makes the first word one of several, or the subject of a sentence about it.
_EITHER = re.compile(
    r"\s*[\"'*_`“”]*(?:\s*(?:/|\||,|;|\bor\b|\boder\b|\band\b|\bund\b|&)|[ \t]+)\s*[\"'*_`“”]*", re.IGNORECASE
)
_DOUBT = re.compile(
    r"[\"'*_`“”]*\s*(?:\?|\b(?:is not|isn[’']t|ist nicht|would|wäre|could|könnte|cannot|can[’']t|kann nicht"
    r"|or not|oder nicht|not|nicht)\b)",
    re.IGNORECASE,
)
_MOST = 4000  # characters looked at: the verdict stands at the start


def read_verdict(answer: str, task: Task, language: str) -> str | None:
    """The label id of an answer, or None. Words of the task's other languages count too."""
    words = _words(task, language)
    text = _after_thinking(answer)
    if text is None:
        return None
    text = text[:_MOST].lstrip()
    if fence := _FENCE.match(text):
        text = text[fence.end() :]
    if text.startswith("{"):
        return _from_json(text, words)
    text = text.lstrip(_MARKS)
    heading = _HEADING.match(text)
    return _at_start(text[heading.end() :] if heading else text, words)


def _words(task: Task, language: str) -> dict[str, str]:
    """Casefolded answer word → label id; the language's own words win, a word of two labels is nobody's."""
    own = _of(task, {language})
    others = _of(task, {code for label in task.labels for code in label.answer})
    return {word: ids.pop() for word, ids in (others | own).items() if len(ids) == 1}


def _of(task: Task, languages: set[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for label in task.labels:
        for code, word in label.answer.items():
            if code in languages and word.strip():
                found.setdefault(word.strip().casefold(), set()).add(label.id)
    return found


def _after_thinking(answer: str) -> str | None:
    """What follows the last thought; None where thinking never ended. The opening mark may be in the prompt."""
    for opening, closing in _THINKING:
        answer = answer.rpartition(closing)[2]
        if opening in answer:
            return None
    return answer


def _at_start(text: str, words: dict[str, str]) -> str | None:
    folded = text.lstrip(_MARKS).casefold()
    word = _word_at(folded, words)
    if word is None:
        return None
    rest = folded[len(word) :]
    either = _EITHER.match(rest)
    other = _word_at(rest[either.end() :], words) if either else None
    if (other is not None and words[other] != words[word]) or _DOUBT.match(rest):
        return None
    return words[word]


def _word_at(folded: str, words: dict[str, str]) -> str | None:
    """The answer word that a text begins with: the longest, so that "not applicable" is not read as "not"."""
    for word in sorted(words, key=len, reverse=True):
        if folded.startswith(word) and _ends_word(folded[len(word) : len(word) + 2]):
            return word
    return None


def _ends_word(following: str) -> bool:
    """True where a word may end before these characters; "positive-ish" and "positive_1" go on."""
    first, second = following[:1], following[1:]
    if first and (first.isalnum() or unicodedata.category(first).startswith("M")):
        return False
    return not (first and first in "-_'’" and second.isalnum())


def _from_json(text: str, words: dict[str, str]) -> str | None:
    """The answer word in an object: under a key such as "label", else the only one among its values."""
    try:
        pairs, _ = json.JSONDecoder(object_pairs_hook=list).raw_decode(text)
    except (ValueError, RecursionError):  # cut off, or no JSON after all: then the key must be named first
        text = text.lstrip(_MARKS)
        heading = _HEADING.match(text)
        return _at_start(text[heading.end() :], words) if heading else None
    named = [value for key, value in pairs if re.fullmatch(_NAMES, key.strip(), re.IGNORECASE)]
    values = named or [value for _, value in pairs]
    found = {_at_start(value, words) if named else _whole(value, words) for value in values if isinstance(value, str)}
    found -= set() if named else {None}
    return found.pop() if len(found) == 1 else None


def _whole(value: str, words: dict[str, str]) -> str | None:
    return words.get(value.strip(_MARKS + ".!)]}").casefold())
