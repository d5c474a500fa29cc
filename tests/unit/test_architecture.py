"""The directions of the imports, and what is imported when."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "transformers", "setfit", "sentence_transformers", "bitsandbytes", "openvino", "nncf", "sklearn"}


def _imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_only_the_page_imports_gradio():
    for path in (ROOT / "llmops").rglob("*.py"):
        if "ui" in path.relative_to(ROOT / "llmops").parts:
            continue
        assert not {name.split(".")[0] for name in _imports(path)} & {"gradio"}, path


def test_nothing_below_the_page_imports_the_page():
    for path in (ROOT / "llmops").rglob("*.py"):
        if "ui" in path.relative_to(ROOT / "llmops").parts:
            continue
        assert not any(name.startswith("llmops.ui") for name in _imports(path)), path


def test_building_the_page_loads_nothing_heavy():
    code = "import app, sys; print(sorted(set(sys.modules) & set(sys.argv[1:])))"
    done = subprocess.run([sys.executable, "-c", code, *HEAVY], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_no_remote_code_and_no_pickle_is_ever_allowed():
    for path in (ROOT / "llmops").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "trust_remote_code=True" not in text, path
        assert not _imports(path) & {"pickle", "joblib", "dill"}, path
