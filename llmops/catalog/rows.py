"""The rows of the catalogue's TOML files."""

import tomllib
from pathlib import Path
from typing import Any

_DIR = Path(__file__).parent


def read_rows(file: str, table: str) -> list[dict[str, Any]]:
    """A table's rows, in the file's order. file: its name without ending."""
    rows: list[dict[str, Any]] = tomllib.loads((_DIR / f"{file}.toml").read_text(encoding="utf-8"))[table]
    return rows
