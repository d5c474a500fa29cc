"""Which column of a table is what: by the columns' names, and by what stands in them."""

from dataclasses import dataclass, replace
from statistics import mean

from llmops.core.errors import TaskFileError
from llmops.data.column_names import USUAL_NAMES
from llmops.data.table import Table

ROLES = ("text", "label", "language", "split")
_JUDGED_ROWS = 1_000
_LONG = 25  # characters of a text, on the average; a label has fewer


@dataclass(frozen=True)
class ColumnMap:
    """Which column is what; None where the file has no such column."""

    text: str | None
    label: str | None
    language: str | None = None
    split: str | None = None


@dataclass(frozen=True)
class _Column:
    """What stands in a column. distinct: different values a row, 0 to 1; numbers: share of cells that are one."""

    name: str
    length: float
    distinct: float
    values: int
    numbers: float


def guess_columns(table: Table) -> ColumnMap:
    """The likely mapping: usual names first, unless what stands in the two columns says that they are swapped."""
    found = {column.name: column for column in _columns(table)}
    named = {role: _named(found, names) for role, names in USUAL_NAMES.items()}
    free = [column for column in found.values() if column.name not in named.values()]
    text, label = named["text"], named["label"]
    if text is None:
        candidates = [column for column in free if column.numbers < 0.5] or free
        text = max(candidates, key=lambda column: (column.length, column.distinct)).name if candidates else None
        free = [column for column in free if column.name != text]
    if label is None:
        # An id has a value of its own in every row; a label comes again. Of equals, the one nearest after the text.
        candidates = [column for column in free if column.values > 1] or free
        label = min(candidates, key=lambda column: (column.distinct, column.numbers > 0.5)).name if candidates else None
    if text and label and _are_swapped(found[text], found[label]):
        text, label = label, text
    return ColumnMap(text, label, named["language"], named["split"])


def complete_columns(table: Table, given: ColumnMap | None) -> ColumnMap:
    """What a person chose, and a guess for the roles that were left open; no column is taken twice."""
    guess = guess_columns(table)
    if given is None:
        return guess
    taken = {getattr(given, role) for role in ROLES}
    open_roles = [role for role in ("text", "label") if getattr(given, role) is None]
    rest = tuple(place for place, name in enumerate(table.columns) if name not in taken)
    if not open_roles or not rest:
        return given
    narrowed = Table(
        tuple(table.columns[place] for place in rest),
        tuple(tuple(row[place] for place in rest) for row in table.rows[:_JUDGED_ROWS]),
        table.numbers[:_JUDGED_ROWS],
    )
    again = guess_columns(narrowed)
    free = [getattr(again, role) for role in open_roles]
    if len(open_roles) == 1:  # the one left: by its name, else by what stands in it
        role = open_roles[0]
        column = getattr(guess, role) if getattr(guess, role) not in taken else free[0]
        return replace(given, **{role: column})
    return replace(given, text=again.text, label=again.label)


def _columns(table: Table) -> list[_Column]:
    rows = table.rows[:_JUDGED_ROWS]
    columns = []
    for place, name in enumerate(table.columns):
        cells = [cell for row in rows if (cell := row[place].strip())]
        values = len({cell.casefold() for cell in cells})
        count = max(1, len(cells))
        length = mean(map(len, cells)) if cells else 0.0
        columns.append(_Column(name, length, values / count, values, sum(map(_is_number, cells)) / count))
    return columns


def _named(found: dict[str, _Column], names: frozenset[str]) -> str | None:
    """The column that has a usual name; else one whose name begins with such a word ("Text des Gutachtens")."""
    plain = {name: name.strip().casefold() for name in found}
    exact = next((name for name, word in plain.items() if word in names), None)
    return exact or next((name for name, word in plain.items() if word.split(" ")[0].strip(",:;(") in names), None)


def _are_swapped(text: _Column, label: _Column) -> bool:
    """Short values that come again and again called a text, and long ones that never do called a label."""
    return text.distinct <= 0.5 and label.distinct > 0.9 and label.length > max(_LONG, 2 * text.length)


def _is_number(cell: str) -> bool:
    return cell.lstrip("+-").replace(".", "", 1).replace(",", "", 1).isdigit()


def column_positions(table: Table, mapping: ColumnMap) -> dict[str, int]:
    """text, label and, where mapped, language and split → the column's position, from 0. Raises TaskFileError."""
    positions = {}
    for role in ROLES:
        column = getattr(mapping, role)
        if column is None:
            if role in ("text", "label"):
                raise TaskFileError(
                    f"No column is chosen for the {role}.", f"Choose one of: {', '.join(table.columns)}."
                )
            continue
        if column not in table.columns:
            raise TaskFileError(f"The file has no column “{column}”.", f"It has: {', '.join(table.columns)}.")
        positions[role] = table.columns.index(column)
    if len(set(positions.values())) < len(positions):
        raise TaskFileError("One column is chosen twice.", "Choose a different column for each.")
    return positions
