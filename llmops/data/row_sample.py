"""Which rows are read of a file that has too many: the first, or a sample with every label in its proportion.

Seeded, and in the file's order, so that the same file gives the same sample.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Literal, get_args

from llmops.core.errors import TaskFileError
from llmops.data import words
from llmops.data.columns import guess_columns
from llmops.data.table import Table

Sample = Literal["first", "stratified"]
SAMPLES: tuple[str, ...] = get_args(Sample)
_FEW_LABELS = 50  # so many are labels in a short file too, where each may stand once


def sampled(table: Table, most: int, label: str | None = None) -> Table:
    """At most so many rows of a table, and a note where it has more. label: the column to stratify by; None: guessed.

    Raises TaskFileError for a column that is not there.
    """
    rows = len(table.rows)
    if rows <= most:
        return table
    column = sampling_column(table, label)
    place = None if column is None else table.columns.index(column)
    picked = stratified(["" if place is None else row[place] for row in table.rows], most)
    return replace(
        table,
        rows=tuple(table.rows[position] for position in picked),
        numbers=tuple(table.numbers[position] for position in picked),
        notes=(*table.notes, sample_note(rows, most, column)),
        unread=rows - most,
    )


def sampling_column(table: Table, label: str | None) -> str | None:
    """The column that was named, else the likely label; None where no column looks like one."""
    if label is not None:
        if label not in table.columns:
            raise TaskFileError(f"The file has no column “{label}”.", f"It has: {', '.join(table.columns)}.")
        return label
    guessed = guess_columns(table).label
    if guessed is None:
        return None
    place = table.columns.index(guessed)
    values = {words.key(row[place]) for row in table.rows}
    return guessed if 1 < len(values) <= max(_FEW_LABELS, len(table.rows) // 2) else None


def stratified(labels: Sequence[str], most: int, seed: int = 0) -> list[int]:
    """Positions of `most` rows, in order: one of each label at least, the rest by the labels' shares.

    Of more labels than rows, the commonest get one each. Spellings that differ in case or spaces are one label.
    """
    groups: dict[str, list[int]] = {}
    for position, label in enumerate(labels):
        groups.setdefault(words.key(label), []).append(position)
    counts = _shares({key: len(positions) for key, positions in groups.items()}, min(most, len(labels)))
    rng = Random(seed)
    return sorted(position for key, count in counts.items() for position in rng.sample(groups[key], count))


def _shares(sizes: dict[str, int], most: int) -> dict[str, int]:
    """Label → rows of it: one each, then by what is left of each, the largest remainders rounded up."""
    if len(sizes) >= most:
        return {key: 1 for key, _ in Counter(sizes).most_common(most)}
    spare, left = most - len(sizes), sum(sizes.values()) - len(sizes)
    exact = {key: spare * (size - 1) / left for key, size in sizes.items()}
    counts = {key: 1 + int(share) for key, share in exact.items()}
    by_remainder = sorted(exact, key=lambda key: int(exact[key]) - exact[key])
    for key in by_remainder[: most - sum(counts.values())]:
        counts[key] += 1
    return counts


def sample_note(rows: int, most: int, column: str | None) -> str:
    """What is said of a sample, and by which column it was made."""
    if column is None:
        return f"There are {rows:,} rows; a random sample of {most:,} is read, for no column looks like a label."
    return f"There are {rows:,} rows; a sample of {most:,} is read, stratified by “{column}”."
