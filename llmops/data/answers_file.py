"""A table with an answer beside each row, as a CSV file that can be gone on with: what is written is never lost.

Rows are appended as they come; at the end the file is put into the table's order.
"""

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from llmops.core.errors import InputError
from llmops.data.table import MAX_CELL_CHARACTERS, Table

ADDED = ("predicted", "confidence", "error")
_ROW = "row"
_REMEDY = "Choose another name, or delete it."


class AnswersFile:
    """`with AnswersFile(path, table) as answers:`. done: numbers of the rows that have an answer already."""

    def __init__(self, path: Path, table: Table) -> None:
        """Raises InputError for a file that is there and holds other texts."""
        self._path, self._table = path, table
        self._header = [_ROW, *table.columns, *_free_names(table.columns)]
        self._rows = dict(zip(table.numbers, table.rows, strict=True))
        self.done = self._read()

    def __enter__(self) -> "AnswersFile":
        new = not self._path.exists()
        self._file = self._path.open("a", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)
        if new:
            self._writer.writerow(self._header)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, answers: Iterable[tuple[int, Sequence[str]]]) -> None:
        """(row's number, predicted, confidence, error) of each; on the disk when this returns."""
        for number, answer in answers:
            self._writer.writerow([str(number), *self._rows[number], *answer])
            self.done.add(number)
        self._file.flush()
        os.fsync(self._file.fileno())

    def put_in_order(self) -> None:
        """Rewrite the file in the table's order, in one step; call it after the last row."""
        places = {str(number): place for place, number in enumerate(self._table.numbers)}
        self._write(sorted(self._lines()[1:], key=lambda line: places[line[0]]))

    def _write(self, lines: Sequence[Sequence[str]]) -> None:
        partial = self._path.with_suffix(self._path.suffix + ".part")
        with partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(self._header)
            writer.writerows(lines)
        partial.replace(self._path)

    def _read(self) -> set[int]:
        """Rows that are answered; the last record of a run that was killed in the middle of it is dropped."""
        if not self._path.exists():
            return set()
        lines = self._lines()
        if not lines or lines[0] != self._header:
            raise InputError(f"{self._path} is there already, with other columns.", _REMEDY)
        if len(lines) > 1 and (len(lines[-1]) != len(self._header) or not self._path.read_bytes().endswith(b"\n")):
            lines.pop()
            self._write(lines[1:])
        done = set()
        for line in lines[1:]:
            number = int(line[0]) if line and line[0].isdigit() else -1
            cells = self._rows.get(number)
            if cells is None or list(cells) != line[1 : 1 + len(cells)]:
                raise InputError(f"{self._path} has answers to other texts.", _REMEDY)
            done.add(number)
        return done

    def _lines(self) -> list[list[str]]:
        csv.field_size_limit(MAX_CELL_CHARACTERS * 2)
        with self._path.open(encoding="utf-8", newline="") as file:
            return list(csv.reader(file))


def _free_names(columns: Sequence[str]) -> list[str]:
    """Names of the added columns that the table has not."""
    return [name if name not in columns else f"{name} (llmops)" for name in ADDED]
