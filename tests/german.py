"""What of the page has no German yet: `python -m tests.german` lists it. Also what the tests of the catalogue look at.

Three sources: the description of the built page; texts in the code that reach a visitor (errors, notes, progress,
sentences in HTML), read from the syntax tree with every inserted value as a sample; and what a driven page asked for.
"""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from llmops.core import errors
from llmops.core.request import Connection
from llmops.i18n.translation import Catalogue, read_pairs
from llmops.planning.availability import list_candidates
from llmops.ui.language import translate_props

ROOT = Path(__file__).parent.parent / "llmops"
SAMPLE = "77"  # what stands for an inserted value: every placeholder takes it
_ERRORS = {name for name, value in vars(errors).items() if isinstance(value, type)}
_SPEAKING = {
    "said",
    "progress",
    "Note",
    "report",
    "_said",
    "Loading",
    "Waiting",
    "TrainEvent",
    "RunError",
    "Error",
    "Ended",
}
# Not the page's: the command line, the embedded models' making, the API's own prose.
_ELSEWHERE = ("cli", "scripts", "__main__.py")
# Put together from parts that are translated by themselves.
_COMPOSED = {
    "77 in 77",
    "77, expected",
    "77 Client-measured. p99 of fewer than 100 requests is near the slowest one.",
}
_SENTENCE = re.compile(r"[A-Z“\d][^<>{}\n]* [^<>{}\n]*\.")


def catalogue() -> tuple[Catalogue, list[str]]:
    """The German catalogue, and the list in which its misses are collected."""
    missed: list[str] = []
    return Catalogue("de", read_pairs("de"), missed.append), missed


def page_config() -> dict[str, Any]:
    """The description of the page as it is built here; what the entry sets for its process is undone."""
    with patch.dict(os.environ):
        import app

    config: dict[str, Any] = app.demo.get_config_file()
    return config


def missing_on_page(config: dict[str, Any]) -> list[str]:
    """Texts of a built page that have no German."""
    german, missed = catalogue()
    for component in config["components"]:
        translate_props(component["type"], dict(component["props"]), german)
    return list(dict.fromkeys(missed))


def missing_in_catalogue() -> list[str]:
    """Notes on models that have no German."""
    german, missed = catalogue()
    for option in list_candidates(Connection(), False):
        for text in (option.note, option.needs, option.why_not, option.fit):
            german.text(text)
    return list(dict.fromkeys(missed))


def missing_in_code() -> dict[str, list[str]]:
    """File → texts in calls that speak to a visitor, with no German."""
    found: dict[str, list[str]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        if any(part in _ELSEWHERE for part in path.relative_to(ROOT).parts):
            continue
        german, missed = catalogue()
        for text in spoken(ast.parse(path.read_text(encoding="utf-8"))):
            german.html(text) if "<" in text else german.text(text)
        missed = [text for text in missed if text not in _COMPOSED]
        if missed:
            found[str(path.relative_to(ROOT.parent))] = list(dict.fromkeys(missed))
    return found


def spoken(tree: ast.AST) -> Iterator[str]:
    """Texts given to errors and to whatever tells a visitor something, and HTML with words in it."""
    documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in documented | inner:
            continue
        if isinstance(node, ast.Call) and _name(node.func) in _ERRORS | _SPEAKING:
            for argument in [*node.args, *(word.value for word in node.keywords)]:
                yield from texts(argument)
        elif isinstance(node, ast.Constant | ast.JoinedStr):
            for text in texts(node):
                if _SENTENCE.fullmatch(text) or re.search(
                    r"<(p|b|div|span|li|th|td|h\d|summary|small|figcaption|caption)\b[^<>]*>", text
                ):
                    yield text


def texts(node: ast.AST) -> Iterator[str]:
    """The texts that an expression can be: constants, f-strings with samples, either side of a condition."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if re.search(r"[^\W\d_]{2}.*[ .]|^[A-Z][a-z]+$", node.value, re.DOTALL):
            yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else SAMPLE for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = [list(texts(side)) or [SAMPLE] for side in (node.left, node.right)]
        yield from (f"{start}{end}" for start in left for end in right)


def _name(function: ast.AST) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def main() -> None:
    """Print what is missing."""
    for text in missing_on_page(page_config()):
        print(f"page: {text!r}")
    for text in missing_in_catalogue():
        print(f"models: {text!r}")
    for name, missed in missing_in_code().items():
        for text in missed:
            print(f"{name}: {text!r}")


if __name__ == "__main__":
    main()
