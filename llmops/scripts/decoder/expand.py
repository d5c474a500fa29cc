"""The small syntax of the training text: `(a|b|)` is a choice, `{name}` a slot. Knows no language."""

import re
from collections.abc import Callable
from random import Random

_INNERMOST = re.compile(r"\(([^()]*)\)")
_SLOT = re.compile(r"\{([A-Za-z0-9_.]+)\}")
_SPACES = re.compile(r" {2,}")
_BEFORE_MARK = re.compile(r" +([,.:;?!])")


def expand(template: str, rng: Random, slot: Callable[[str], str]) -> str:
    """One text of a template: choices drawn from `rng`, innermost first; slots filled by `slot(name)`."""
    while "(" in template:
        template, replaced = _INNERMOST.subn(lambda match: rng.choice(match.group(1).split("|")), template)
        if not replaced:
            raise ValueError(f"unbalanced parentheses: {template}")
    text = _SLOT.sub(lambda match: slot(match.group(1)), template)
    return _BEFORE_MARK.sub(r"\1", _SPACES.sub(" ", text)).strip()


def sentence(text: str, mark: str = ".") -> str:
    """Capital letter at the start, a mark at the end."""
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".?!" else text + mark
