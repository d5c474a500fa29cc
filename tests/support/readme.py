"""The README's commands and tables, as data: what the tests and nothing else read out of it."""

import ast
import re
from collections.abc import Iterator

from tests.support.serving import ROOT

README = ROOT / "README.md"
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"\s{2,}#\s.*$", re.MULTILINE)
_VARIABLE = re.compile(r"(?:LLMOPS|HF|HUGGING_FACE|OPENAI|GRADIO|SPACES?|OAUTH|OMP|CPU|CUDA)_[A-Z_]+|SYSTEM|MEMORY")
_SET_APART = {"HF_HUB_CACHE"}  # a name of huggingface_hub's own constants, not a variable that we read


def commands() -> list[str]:
    """Every command of its shell blocks, in order, without comments."""
    found = []
    for block in _BLOCK.findall(README.read_text(encoding="utf-8")):
        joined = _COMMENT.sub("", block).replace("\\\n", " ")
        found += [re.sub(r"\s+", " ", line).strip() for line in joined.splitlines() if line.strip()]
    return found


def told_variables() -> set[str]:
    """Every variable that the part on settings names."""
    text = README.read_text(encoding="utf-8")
    part = text[text.index("\n## Settings") :]
    part = part[: part.index("\n## ", 4)]
    return {name for name in re.findall(r"`([A-Z_]+)`", part) if _VARIABLE.fullmatch(name)}


def read_variables() -> set[str]:
    """Every variable whose name stands as a text in the code, docstrings and longer sentences aside."""
    found: set[str] = set()
    for path in (ROOT / "app.py", *sorted((ROOT / "llmops").rglob("*.py"))):
        found |= {text for text in _texts(ast.parse(path.read_text(encoding="utf-8"))) if _VARIABLE.fullmatch(text)}
    return found - _SET_APART


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
