"""What is done with a text that a model can't read whole: refused, cut, or split into windows that are averaged."""

import math
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

LongTexts = Literal["refuse", "cut", "windows", "leave_out"]
"""leave_out is an evaluation's: the text counts for no candidate. Elsewhere it is refused."""

TOO_LONG_REMEDY = "Shorten it, or have long texts cut or read in windows (run settings, long_texts in a program)."
_REACH = 60  # characters in which a window's end looks for white space
_SPACE = re.compile(r"\s")


def windows_of(text: str, tokens: Callable[[Sequence[str]], Sequence[int]], most: int) -> list[str]:
    """A text in parts of about the same length that have at most so many tokens each; itself where it fits.

    tokens: how many each of some texts has, with all that stands around it. Equal parts, so that a mean over them
    weighs each word the same; they end at white space where there is some. A part can be too long still where `most`
    does not even hold a character.
    """
    longest, parts = max(tokens([text])), [text]
    count = 1
    while longest > most and count < len(text):
        count = min(len(text), max(count + 1, math.ceil(count * longest / most)))
        parts = _in_parts(text, count)
        longest = max(tokens(parts))
    return parts


def _in_parts(text: str, count: int) -> list[str]:
    ends = [_break(text, len(text) * part // count) for part in range(1, count)]
    parts = (text[start:end].strip() for start, end in pairwise([0, *ends, len(text)]))
    return [part for part in parts if part] or [text]


def _break(text: str, place: int) -> int:
    """The last white space shortly before a place; else the place."""
    start = max(0, place - _REACH)
    spaces = [match.start() for match in _SPACE.finditer(text, start, place)]
    return spaces[-1] if spaces else place
