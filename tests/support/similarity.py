"""When two texts are too alike for one to be held out while the other is learnt. The tests' own measure."""

import re
from difflib import SequenceMatcher
from functools import cache

_ALIKE = 0.75  # of the letters, in order
_SHARED = 0.7  # of the longer words, in any order
_LONG = 5


def words(text: str) -> list[str]:
    """Words in small letters."""
    return re.findall(r"\w+", text.casefold())


@cache
def _long_words(text: str) -> frozenset[str]:
    return frozenset(word[:7] for word in words(text) if len(word) >= _LONG)  # endings don't count


@cache
def _flat(text: str) -> str:
    return " ".join(words(text))


def near(text: str, other: str) -> bool:
    """True where most letters, in order, or most of the longer words are the same."""
    a, b = _long_words(text), _long_words(other)
    if len(a) >= 3 and len(a & b) >= _SHARED * len(a | b):
        return True
    if a and b and not a & b:  # without one long word in common, letters can't be alike in order
        return False
    match = SequenceMatcher(None, _flat(text), _flat(other), autojunk=False)
    return match.real_quick_ratio() >= _ALIKE and match.quick_ratio() >= _ALIKE and match.ratio() >= _ALIKE
