"""What a test needs, told by where it stands, what its file imports and what its fixtures start: its markers."""

import ast
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
# Importing one of these takes seconds, and who does means to run a model.
_LIBRARIES = {"torch", "transformers", "setfit", "sentence_transformers", "bitsandbytes", "openvino", "nncf"}
_LIBRARIES |= {"tests.support.models", "tests.support.decoder_runs"}
_SERVERS = {"served", "served_endless", "running_app"}
_FOLDERS = {"browser": {"browser", "servers"}, "integration": {"models"}, "unit": set()}


@cache
def of_file(path: Path) -> frozenset[str]:
    """Of every test in a file."""
    folder = path.relative_to(TESTS).parts[0]
    needed = set(_FOLDERS.get(folder, {"models"}))
    if path.suffix == ".py" and _imports(path) & _LIBRARIES:
        needed.add("models")
    return frozenset(needed)


def of_test(path: Path, fixtures: list[str], marks: set[str]) -> set[str]:
    """Of one test; `quick` where it needs nothing and is not marked as slow."""
    needed = set(of_file(path))
    if _SERVERS & set(fixtures):
        needed.add("servers")
    return needed if needed or "slow" in marks else {"quick"}


def _imports(path: Path) -> set[str]:
    """Names of libraries and of modules in tests.support, imported anywhere in a file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, node.module.split(".")[0], *(f"{node.module}.{name}" for name in names)}
        elif isinstance(node, ast.Import):
            found |= {name.split(".")[0] for name in names}
    return found
