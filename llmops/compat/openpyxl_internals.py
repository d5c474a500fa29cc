"""openpyxl from inside: merged cells of a sheet that is read quickly, which such a sheet leaves out."""

import re
import zipfile
from pathlib import Path
from typing import Any

MADE_FOR = "openpyxl 3.1.5"
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')


def merged_ranges(path: Path, sheet: Any) -> list[tuple[int, int, int, int]]:  # noqa: ANN401
    """(first row, first column, last row, last column) of each, from 1. sheet: of a workbook opened read_only."""
    from openpyxl.utils import column_index_from_string

    with zipfile.ZipFile(path) as archive:
        data = archive.read(str(sheet._worksheet_path).lstrip("/"))
    return [
        (int(top), column_index_from_string(left.decode()), int(bottom), column_index_from_string(right.decode()))
        for left, top, right, bottom in _MERGED.findall(data)
    ]
