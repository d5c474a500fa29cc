"""Commands and tables of README and CONTRIBUTING, as data: what the tests and nothing else read out of them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.serving import ROOT

README, CONTRIBUTING = ROOT / "README.md", ROOT / ".github" / "CONTRIBUTING.md"
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| `(\w+)` \| (.+) \|$", re.MULTILINE)
_COMMENT = re.compile(r"\s{2,}#\s.*$", re.MULTILINE)
_VARIABLE = re.compile(r"(?:LLMOPS|HF|HUGGING_FACE|OPENAI|GRADIO|SPACES?|OAUTH|OMP|CPU|CUDA)_[A-Z_]+|SYSTEM|MEMORY")
_SET_APART = {"HF_HUB_CACHE"}  # a name of huggingface_hub's own constants, not a variable that we read


def commands(document: Path = README) -> list[str]:
    """Every command of its shell blocks, in order, without comments."""
    lines = []
    for block in _BLOCK.findall(document.read_text(encoding="utf-8")):
        joined = _COMMENT.sub("", block).replace("\\\n", " ")
        lines += [re.sub(r"\s+", " ", line).strip() for line in joined.splitlines() if line.strip()]
    return lines


def rooms() -> dict[str, str]:
    """Room → what is in it, from the table of CONTRIBUTING, top to bottom."""
    return dict(_ROW.findall(_part(CONTRIBUTING, "Rooms")))


def told_variables() -> set[str]:
    """Every variable that the README's part on settings names."""
    return {name for name in re.findall(r"`([A-Z_]+)`", _part(README, "Settings")) if _VARIABLE.fullmatch(name)}


def _part(document: Path, heading: str) -> str:
    text = document.read_text(encoding="utf-8")
    part = text[text.index(f"\n## {heading}") :]
    return part[: part.index("\n## ", 4)]


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
