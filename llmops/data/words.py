"""Words of a label or language column as they are compared: case, invisible signs and composition are no difference."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

_MISSING = frozenset(["nan", "na", "n/a", "#n/a", "#na", "<na>", "nat", "null", "#null!", "#nv"])
_GERMAN = (
    "der",
    "die",
    "das",
    "und",
    "ist",
    "nicht",
    "ich",
    "ein",
    "eine",
    "den",
    "mit",
    "wird",
    "auf",
    "für",
    "es",
)
_ENGLISH = ("the", "and", "is", "not", "i", "a", "to", "of", "with", "on", "for", "it", "that", "you", "was")
_NAMES_OF_LANGUAGES = {
    "de": "deutsch german allemand ger deu",
    "en": "englisch english anglais eng",
    "fr": "französisch french français francais fra fre",
    "it": "italienisch italian italiano ita",
    "es": "spanisch spanish español espanol spa",
    "nl": "niederländisch dutch nederlands nld dut",
    "pl": "polnisch polish polski pol",
    "tr": "türkisch turkish türkçe tur",
    "pt": "portugiesisch portuguese português por",
}
_LANGUAGES = {name: code for code, names in _NAMES_OF_LANGUAGES.items() for name in names.split()}


def shown(word: str) -> str:
    """As it is shown: composed letters, no invisible signs, one space where there are several."""
    composed = unicodedata.normalize("NFC", word)
    visible = "".join(" " if sign.isspace() else sign for sign in composed if unicodedata.category(sign) != "Cf")
    return " ".join(visible.split())


def key(word: str) -> str:
    """Equal for words that differ in case, spaces, invisible signs or composition only."""
    return shown(word).casefold()


def is_missing(word: str) -> bool:
    """True of nothing, and of what programs write for nothing (NaN, N/A, #N/A, null)."""
    return key(word) in _MISSING or not key(word)


def is_no_text(text: str) -> bool:
    """The same for a text, which may well be a short word such as "na"."""
    return key(text) in ("", "nan", "#n/a", "<na>", "null")


def language_code(word: str) -> str:
    """A code of two letters for "Deutsch", "de-DE" or "German"; other words as they are, in small letters."""
    plain = key(word)
    if plain in _LANGUAGES:
        return _LANGUAGES[plain]
    first = plain.replace("_", "-").split("-")[0].split(" ")[0]
    return _LANGUAGES.get(first, first if len(first) in (2, 3) and first.isalpha() else plain)


def likely_language(texts: Iterable[str]) -> str:
    """The code of German or English, by the commonest words of each."""
    counted = Counter(word for text in texts for word in text.casefold().split())
    german, english = (sum(counted[word] for word in common) for common in (_GERMAN, _ENGLISH))
    return "de" if german > english else "en"


def joined(words: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """(key → the commonest spelling, notes on spellings that were joined)."""
    spellings: dict[str, Counter[str]] = {}
    for word in words:
        spellings.setdefault(key(word), Counter())[word] += 1
    names = {key_: _commonest(list(counted.items())) for key_, counted in spellings.items()}
    notes = [
        f"“{names[key_]}” stands for {len(counted)} spellings, which differ in case, spaces or encoding only."
        for key_, counted in spellings.items()
        if len(counted) > 1
    ]
    return names, notes


def _commonest(counted: Sequence[tuple[str, int]]) -> str:
    """The first of the commonest, as it is shown."""
    return shown(max(counted, key=lambda item: item[1])[0])
