"""What the history's kinds have in common: a table of records each, with the same ways to read, change and take in.

A kind is a subclass: its record, its table, and what belongs to a record in other tables. The one rule of ownership
stands here: what is shared is read by everybody and changed by nobody.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from llmops.core.errors import HistoryError
from llmops.core.run import Run
from llmops.hardware.fingerprint import fingerprint, versions
from llmops.history.database import SHARED, Database, now

if TYPE_CHECKING:
    from pydantic import TypeAdapter

RECORDED = "recorded"
"""The origin of the example that comes with the app."""
_DAMAGED = "The file is damaged, or was made by something else."


@dataclass(frozen=True, kw_only=True)
class HistoryRecord:
    """What every kind keeps. id: 0 until it is added.

    origin: the file it was taken in from, RECORDED for the app's own example, "" for what was run here.
    """

    id: int = 0
    created: str = field(default_factory=now)
    task_id: str
    task_name: str
    settings: dict[str, Any]
    machine: str = field(default_factory=fingerprint)
    versions: dict[str, str] = field(default_factory=versions)
    note: str = ""
    origin: str = ""


@dataclass(frozen=True)
class Parts:
    """What belongs to a record: rows of another table. key: its column with the record's id. columns: the last is the
    run.
    """

    table: str
    key: str
    columns: str


Record = TypeVar("Record", bound=HistoryRecord)


class Repository(Generic[Record]):
    """The records of one kind, as the database's owner sees them.

    noun: the kind in a sentence. json_columns: kept as JSON text. identity: equal in both, a record is the same one.
    most_listed: how many a list of them shows; -1: all.
    """

    record: ClassVar[Any]  # its class
    table: ClassVar[str]
    noun: ClassVar[str]
    json_columns: ClassVar[tuple[str, ...]]
    identity: ClassVar[tuple[str, ...]]
    most_listed: ClassVar[int] = -1
    parts: ClassVar[Parts | None] = None

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self, most: int = -1) -> list[Record]:
        """The owner's records and the shared ones, newest first, shared ones last; at most so many, -1 for all."""
        query = (
            f"SELECT {', '.join(_names(self.record))} FROM {self.table} WHERE owner IN (?, ?) "
            "ORDER BY owner = ?, created DESC, id DESC LIMIT ?"
        )
        with self._database.open() as connection:
            rows = connection.execute(query, (self._database.owner, SHARED, SHARED, most)).fetchall()
        return [self._read(row) for row in rows]

    def get(self, number: int) -> Record:
        """One record. Raises HistoryError."""
        query = f"SELECT {', '.join(_names(self.record))} FROM {self.table} WHERE id = ? AND owner IN (?, ?)"
        with self._database.open() as connection:
            row = connection.execute(query, (number, self._database.owner, SHARED)).fetchone()
        if row is None:
            raise HistoryError(f"There is no {self.noun} {number}.", "List them: python -m llmops history.")
        return self._read(row)

    def add(self, record: Record) -> int:
        """Keep a new record; its id."""
        with self._database.open() as connection:
            return self._insert(connection, record)

    def annotate(self, number: int, note: str) -> None:
        """Set the note of a record. Raises HistoryError where it isn't the owner's."""
        self._check_owner(number)
        with self._database.open() as connection:
            connection.execute(f"UPDATE {self.table} SET note = ? WHERE id = ?", (note, number))

    def delete(self, number: int) -> None:
        """Remove a record with all that belongs to it. Raises HistoryError where it isn't the owner's."""
        self._check_owner(number)
        with self._database.open() as connection:
            connection.execute(f"DELETE FROM {self.table} WHERE id = ?", (number,))
            self._clean(connection)

    def delete_before(self, created: str) -> int:
        """Remove the owner's records that are older than a time (as `database.now` writes it); how many there were."""
        with self._database.open() as connection:
            mine = (self._database.owner, created)
            count = connection.execute(f"DELETE FROM {self.table} WHERE owner = ? AND created < ?", mine).rowcount
            self._clean(connection)
        return count

    def take_in(self, source: "Repository[Record]", origin: str) -> list[int]:
        """Copy another history's records into this one, each once, marked with where they are from; their new ids."""
        known = {self._identity(record) for record in self.newest()}
        theirs = sorted(source.newest(), key=lambda record: record.id)
        new = [record for record in theirs if record.origin != RECORDED and self._identity(record) not in known]
        return [self._copy(source, record, record.origin or origin) for record in new]

    def _copy(self, source: "Repository[Record]", record: Record, origin: str) -> int:
        """All of it or nothing. What belongs to it is copied as it was written, and refused where it can't be read."""
        with source._database.open() as connection:
            rows = source._parts_of(connection, record.id)
        with self._database.open() as connection:
            number = self._insert(connection, replace(record, origin=origin))
            if self.parts is not None:
                names = f"{self.parts.key}, {self.parts.columns}"
                places = ", ".join("?" * len(names.split(",")))
                values = [(number, *row) for row in rows]
                connection.executemany(f"INSERT OR IGNORE INTO {self.parts.table} ({names}) VALUES ({places})", values)
            self._copy_more(connection, source, record)
        return number

    def _parts_of(self, connection: sqlite3.Connection, number: int) -> list[tuple[Any, ...]]:
        if self.parts is None:
            return []
        query = f"SELECT {self.parts.columns} FROM {self.parts.table} WHERE {self.parts.key} = ? ORDER BY id"
        rows = connection.execute(query, (number,)).fetchall()
        for *_, run in rows:
            read_run(run)
        return rows

    def _copy_more(self, connection: sqlite3.Connection, source: "Repository[Record]", record: Record) -> None:
        """What several records share."""

    def _clean(self, connection: sqlite3.Connection) -> None:
        """Remove what belonged to deleted records only; rows that name them go by themselves."""

    def _check_owner(self, number: int) -> None:
        self.get(number)
        with self._database.open() as connection:
            (owner,) = connection.execute(f"SELECT owner FROM {self.table} WHERE id = ?", (number,)).fetchone()
        if owner != self._database.owner:
            raise HistoryError("The recorded example comes with the app; it stays as it is.", "Choose one of yours.")

    def _identity(self, record: Record) -> tuple[Any, ...]:
        return tuple(getattr(record, name) for name in self.identity)

    def _insert(self, connection: sqlite3.Connection, record: Record) -> int:
        data = _adapter(self.record).dump_python(record, mode="json", warnings=False)
        for name in self.json_columns:
            data[name] = json.dumps(data[name], ensure_ascii=False, sort_keys=name == "settings")
        columns = {**{name: data[name] for name in _names(self.record)[1:]}, "owner": self._database.owner}
        query = f"INSERT INTO {self.table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        return int(connection.execute(query, tuple(columns.values())).lastrowid or 0)

    def _read(self, row: Sequence[Any]) -> Record:
        data = dict(zip(_names(self.record), row, strict=True))
        try:
            record: Record = _adapter(self.record).validate_python(
                {**data, **{name: json.loads(data[name]) for name in self.json_columns}}
            )
        except ValueError as error:
            raise HistoryError(f"{self.noun} {data['id']} can't be read ({str(error)[:200]}).", _DAMAGED) from error
        return record


def read_run(text: str) -> Run:
    """A run as it was kept. Raises HistoryError where it is none: a file from elsewhere may hold anything."""
    try:
        return Run.from_json(text)
    except ValueError as error:
        raise HistoryError(f"A kept run can't be read ({str(error)[:200]}).", _DAMAGED) from error


@cache
def _names(record: Any) -> tuple[str, ...]:  # noqa: ANN401
    """The columns of a record, id first: they are called as its fields are."""
    return tuple(each.name for each in fields(record))


@cache
def _adapter(record: Any) -> "TypeAdapter[Any]":  # noqa: ANN401
    from pydantic import TypeAdapter

    return TypeAdapter(record)
