"""Words of a label column that are none of a task's labels, such as 1 and 0, and which labels they likely mean."""

from collections import Counter
from collections.abc import Mapping

from llmops.core.task import Label, Task
from llmops.data import words
from llmops.data.columns import ColumnMap, column_positions
from llmops.data.table import Table

_MOST = 20  # different words; more are no labels
_YES = frozenset((
    "1", "1.0", "true", "wahr", "t", "w", "yes", "ja", "y", "j", "positive", "positiv", "pos", "approved",
    "recommended", "empfohlen",
))  # fmt: skip
_NO = frozenset((
    "not", "nicht", "kein", "keine", "0", "0.0", "-1", "false", "falsch", "f", "no", "nein", "n", "negative",
    "negativ", "neg", "rejected", "refused", "abgelehnt",
))  # fmt: skip


def unknown_words(table: Table, mapping: ColumnMap, known: Mapping[str, str]) -> dict[str, int]:
    """Word as it stands → rows with it, the commonest first; none where there are too many to be labels.

    known: words.key → label of those that are understood. Raises TaskFileError for columns that the table has not.
    """
    place = column_positions(table, mapping)["label"]
    cells = (words.shown(row[place]) for row in table.rows)
    counted = Counter(cell for cell in cells if not words.is_missing(cell) and words.key(cell) not in known)
    return dict(counted.most_common()) if len(counted) <= _MOST else {}


def likely_labels(unknown: Mapping[str, int], task: Task) -> dict[str, str]:
    """Word → label, where a task of two labels says yes by one and no by the other, and so do the words."""
    if len(task.labels) != 2:
        return {}
    no = [label.id for label in task.labels if _words_of(label) & _NO]
    yes = [label.id for label in task.labels if _words_of(label) & _YES and label.id not in no]
    if len(yes) != 1 or len(no) != 1:
        return {}
    sides = ((_YES, yes[0]), (_NO, no[0]))
    likely = {word: label for word in unknown for side, label in sides if words.key(word) in side}
    return likely if len(set(likely.values())) == 2 else {}  # 1 and 2 are no yes and no


def _words_of(label: Label) -> set[str]:
    said = " ".join([label.id, *label.name.values(), *label.answer.values()])
    return {word.strip(".,:;!") for word in words.key(said).split()}
