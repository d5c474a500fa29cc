"""The process's settings: read once, where it begins, and passed from there."""

import ast
import tempfile
from pathlib import Path

from llmops.core.settings import load_settings

ROOT = Path(__file__).parents[3]
ENTRIES = ("llmops/__main__.py", "llmops/scripts/")


def reads(file):
    """How often a file names load_settings outside of an import, and so could call it."""
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    return sum("load_settings" in (getattr(node, "id", None), getattr(node, "attr", None)) for node in nodes)


def test_only_entries_read_the_settings_and_each_does_so_once():
    names = {str(file.relative_to(ROOT)): reads(file) for file in [ROOT / "app.py", *(ROOT / "llmops").rglob("*.py")]}
    readers = {name: count for name, count in names.items() if count}
    assert {"app.py", "llmops/__main__.py"} <= set(readers)
    assert all(name == "app.py" or name.startswith(ENTRIES) for name in readers), readers
    assert set(readers.values()) == {1}, readers


def test_reading_them_tries_the_disk_at_most_once(monkeypatch, tmp_path):
    tried, open_temporary = [], tempfile.TemporaryFile
    monkeypatch.delenv("LLMOPS_DATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **place: tried.append(place) or open_temporary(**place))
    settings = load_settings()
    assert settings.data_dir == tmp_path / ".local" / "share" / "llmops"
    assert len(tried) == 1
    monkeypatch.setenv("LLMOPS_DATA", str(tmp_path))
    load_settings()
    assert len(tried) == 1


def test_an_entry_that_knows_it_says_whether_strangers_may_come(monkeypatch):
    monkeypatch.setenv("LLMOPS_PUBLIC", "1")
    assert load_settings().public and load_settings().max_rows == 1_000
    shell = load_settings(public=False)
    assert not shell.public
    assert shell.max_rows == 10_000
