"""The rooms and the directions of their imports, and what is imported when. Run by itself, it prints the table."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support import documents

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "llmops"
HEAVY = {"torch", "transformers", "setfit", "sentence_transformers", "bitsandbytes", "openvino", "nncf", "sklearn"}

# Top to bottom: a room imports rooms below it and no other.
ROOMS = {
    "scripts": "how what is shipped was made",
    "ui": "the page; alone knows Gradio",
    "cli": "the command line",
    "api": "plain values in, plain data out: the named endpoints, shared with the command line",
    "public": "what a public page adds: quotas, retention, keys, crash notice, sharing",
    "report": "HTML, plots, exports",
    "decision": "cost, energy, limits, front, cascade from rows",
    "planning": "will it fit, what can be selected, dry run",
    "probes": "load, context",
    "evaluation": "labelled sets: runner, metrics, ladder, learning curve",
    "compare": "one text, many candidates",
    "history": "what is kept",
    "runtime": "pool, fair queue, executor",
    "engines": "what runs a candidate",
    "hub": "fetching, reachability, allow-list, licence",
    "data": "users' files, built-in tasks",
    "hardware": "this machine, memory, energy, threads, ZeroGPU",
    "catalog": "models, GPUs, prices: data and its reading",
    "sizing": "a decoder's sizes by formula or counted",
    "embedded": "the shipped weights",
    "i18n": "the page's languages",
    "compat": "what depends on the inside of libraries",
    "core": "the nouns",
}
RANK = {room: rank for rank, room in enumerate(ROOMS)}


@cache
def _nodes(path: Path) -> list[ast.AST]:
    """The statements of a file that import or define a class, anywhere in it."""
    kinds = ast.Import | ast.ImportFrom | ast.ClassDef
    return [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, kinds)]


def _imports(path: Path) -> Iterator[str]:
    """Modules that a file imports, anywhere in it; for `from package import module` the module too."""
    for node in _nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


def _files() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent != PACKAGE]


@cache
def directions() -> dict[str, set[str]]:
    """Room → the rooms that it imports."""
    found: dict[str, set[str]] = {room: set() for room in ROOMS}
    for path in _files():
        for name in _imports(path):
            parts = name.split(".")
            if parts[0] == "llmops" and len(parts) > 1 and parts[1] in ROOMS and parts[1] != _room(path):
                found[_room(path)].add(parts[1])
    return found


def test_the_package_holds_rooms_only():
    files = {path.name for path in PACKAGE.glob("*.py")}
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert files == {"__init__.py", "__main__.py"}
    assert folders == set(ROOMS)


def test_the_table_for_contributors_is_this_one():
    assert list(documents.rooms().items()) == list(ROOMS.items())


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_below_it(room, request, capsys):
    below = directions()[room]
    line = f"{room:<11}{ROOMS[room]:<84}→ {', '.join(sorted(below, key=RANK.get)) or 'nothing of ours'}"
    if all(Path(__file__).name in argument for argument in request.config.args):
        with capsys.disabled():
            print(f"\n{line}", end="")
    assert not [other for other in below if RANK[other] <= RANK[room]]


def test_only_the_page_and_its_patches_import_gradio():
    allowed = {"ui", "compat"}
    for path in _files():
        if _room(path) not in allowed:
            assert not {name.split(".")[0] for name in _imports(path)} & {"gradio"}, path


def test_a_class_name_exists_once():
    found: dict[str, list[str]] = {}
    for path in _files():
        for node in _nodes(path):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(str(path.relative_to(PACKAGE)))
    assert {name: places for name, places in found.items() if len(places) > 1} == {}


def test_no_file_is_longer_than_350_lines():
    code = [path for folder in ("llmops", "tests") for path in (ROOT / folder).rglob("*.py")]
    lengths = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n") for path in code}
    assert {name: lines for name, lines in lengths.items() if lines > 350} == {}


def test_building_the_page_loads_nothing_heavy():
    code = "import app, sys; print(sorted(set(sys.modules) & set(sys.argv[1:])))"
    done = subprocess.run([sys.executable, "-c", code, *HEAVY], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_no_remote_code_and_no_pickle_is_ever_allowed():
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "trust_remote_code=True" not in text, path
        assert not set(_imports(path)) & {"pickle", "joblib", "dill"}, path
