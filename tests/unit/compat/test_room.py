"""The room as a whole: nothing else in the package reaches into a library, and each file here says what it is for."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROOM = ROOT / "llmops" / "compat"
FILES = sorted(path for path in ROOM.glob("*.py") if path.name != "__init__.py")
OUTSIDE = [ROOT / "app.py", *(path for path in sorted((ROOT / "llmops").rglob("*.py")) if path.parent != ROOM)]
# Of named tuples, documented: with an underscore only so that a field may have the same name.
PUBLIC = {"_replace", "_asdict", "_fields", "_make", "_field_defaults"}
# Modules of libraries that their documentation names. Of others, what is in the top module alone is promised.
DOCUMENTED = {
    "huggingface_hub": {"constants", "errors"},
    "safetensors": {"numpy", "torch"},
    "scipy": {"stats"},
    "sklearn": {"linear_model", "metrics"},
    "starlette": {"middleware"},
    "tqdm": {"auto"},
    "transformers": {"generation.streamers", "utils.logging", "utils"},
    "zeus": {"device"},
}
LIBRARIES = (
    "gradio", "torch", "transformers", "bitsandbytes", "sentence_transformers", "setfit", "openvino", "nncf", "zeus",
    "spaces", "huggingface_hub", "datasets", "tokenizers", "safetensors", "openai", "httpx2", "starlette", "sklearn",
    "scipy", "pandas", "numpy", "tqdm", "rich", "psutil", "openpyxl", "defusedxml", "jinja2", "accelerate",
)  # fmt: skip


def private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__") and name not in PUBLIC


def owned(node: ast.expr, ours: set[str]) -> bool:
    """Whether an attribute's object is ours: `self`, `cls`, super(), `type(self)`, or what has such a name."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id == "super" or (node.func.id == "type" and owned(node.args[0], ours))
    return isinstance(node, ast.Name) and node.id in ours


@cache
def classes() -> set[str]:
    """Names of the package's classes."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in OUTSIDE]
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def ours(tree: ast.AST) -> set[str]:
    """Names in a file that stand for the class itself, or are parameters of a class of ours by their annotation."""
    annotated = [(n.arg, ast.unparse(n.annotation)) for n in ast.walk(tree) if isinstance(n, ast.arg) and n.annotation]
    return {"self", "cls"} | {name for name, words in annotated if classes() & set(re.findall(r"\w+", words))}


def reached(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, what is reached for) of each access to the inside of something that is not the file's own."""
    foreign, own = foreign_names(tree), ours(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from _imported(node)
        elif isinstance(node, ast.Attribute) and private(node.attr) and not owned(node.value, own):
            yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "hasattr", "setattr", "delattr"):
            yield from _by_name(node, foreign, own)
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete):
            targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else [node.target]
            changed = [t for t in targets if isinstance(t, ast.Attribute) and _root(t.value) in foreign]
            yield from ((node.lineno, f"{ast.unparse(target)} =") for target in changed)
        elif isinstance(node, ast.Constant) and re.fullmatch(r"[a-z]\w*(\.\w+)*\._\w+(\.\w+)*", str(node.value)):
            yield node.lineno, repr(node.value)


def foreign_names(tree: ast.AST) -> set[str]:
    """What imports bind to something that is not ours."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names |= _bound(alias.asname or alias.name.partition(".")[0], alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names |= _bound(alias.asname or alias.name, node.module)
    return names


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[int, str]]:
    """Modules that are not documented, and private names out of any."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _module(node.lineno, alias.name)
    elif node.module:
        yield from _module(node.lineno, node.module)
        yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names if private(alias.name))


def _by_name(node: ast.Call, foreign: set[str], own: set[str]) -> Iterator[tuple[int, str]]:
    """getattr and its kin: of a private name, or changing a library's object."""
    name, changes = node.args[1], ast.unparse(node.func) in ("setattr", "delattr")
    reaches = isinstance(name, ast.Constant) and private(str(name.value)) and not owned(node.args[0], own)
    if reaches or (changes and _root(node.args[0]) in foreign):
        yield node.lineno, ast.unparse(node)


def _bound(name: str, module: str) -> set[str]:
    """The name, where an import binds it to something that is not ours."""
    return set() if module.partition(".")[0] == "llmops" else {name}


def _root(node: ast.expr) -> str:
    """The first name of a.b.c."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _module(line: int, name: str) -> Iterator[tuple[int, str]]:
    library, _, inside = name.partition(".")
    if any(private(part) for part in name.split(".")) or library == "ctypes":
        yield line, name
    if library in LIBRARIES and inside and inside not in DOCUMENTED.get(library, ()):
        yield line, name


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: str(path.relative_to(ROOT)))
def test_outside_of_compat_nothing_reaches_into_a_library(path):
    assert list(reached(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "code",
    [
        "def f(model): return model._private",
        "def f(model): return getattr(model, '_private', None)",
        "from transformers import _private",
        "from transformers.cache_utils import DynamicLayer",
        "import gradio.queueing",
        "from huggingface_hub import constants\nconstants.CHUNK = 1",
        "import gradio as gr\nsetattr(gr.Blocks, 'queue', None)",
        "import logging\nlogging.getLogger('bitsandbytes.autograd._functions')",
        "import ctypes",
    ],
)
def test_this_check_sees(code):
    assert list(reached(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "class A:\n  def f(self): self._own = self._own; return super()._own, type(self)._own",
        "def f(values): return values._replace(a=1), values.__dict__",
        "import os\nos.environ['A'] = 'b'",
        "import gradio as gr\nfrom transformers import AutoConfig\nfrom zeus.device import get_gpus",
        "from llmops.core import settings",
    ],
)
def test_this_check_lets_pass(code):
    assert list(reached(ast.parse(code))) == []


def _pins() -> dict[str, str]:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w-]+)(?:\[\w+\])?==(\S+)", text, re.MULTILINE))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_file_says_for_which_version_it_was_made_and_that_is_the_one_in_requirements(path):
    found = re.search(r'^MADE_FOR = "(\S+) (\S+)"$', path.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, "MADE_FOR = “library version” is missing"
    library, made_for = found.groups()
    if library in _pins():
        assert made_for == _pins()[library], "run this room's tests with the new version, then say it here"
    elif library not in ("glibc", "Python"):  # torch is a range
        assert version(library).partition("+")[0] == made_for


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_file_has_a_file_of_tests(path):
    assert list((ROOT / "tests").glob(f"*/compat/test_{path.stem}.py"))


def test_the_room_imports_nothing_of_ours_but_the_nouns():
    for path in FILES:
        for name in re.findall(r"^\s*(?:from|import) llmops\.(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            assert name in ("core", "compat"), path
