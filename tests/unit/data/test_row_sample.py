"""A file with too many rows: which of them are read, and what is said of it."""

from collections import Counter

import pytest

from llmops.core.errors import TaskFileError
from llmops.core.settings import Settings
from llmops.data.reading import read_table
from llmops.data.row_sample import stratified


def _file(folder, labels):
    path = folder / "a.csv"
    path.write_text("text,label\n" + "".join(f"text {n},{label}\n" for n, label in enumerate(labels)))
    return path


def test_of_a_sorted_file_a_stratified_sample_has_every_label_by_its_share(tmp_path):
    path = _file(tmp_path, ["a"] * 600 + ["b"] * 399 + ["rare"])
    table = read_table(path, Settings(tmp_path, max_rows=100), sample="stratified")
    counts = Counter(row[1] for row in table.rows)
    assert counts["rare"] == 1
    assert abs(counts["a"] - 60) <= 1
    assert len(table.rows) == 100
    assert table.notes == ("There are 1,000 rows; a sample of 100 is read, stratified by “label”.",)


def test_the_files_order_and_row_numbers_are_kept_and_the_sample_is_the_same_each_time(tmp_path):
    path = _file(tmp_path, ["a", "b"] * 50)
    table = read_table(path, Settings(tmp_path, max_rows=20), sample="stratified")
    assert list(table.numbers) == sorted(table.numbers)
    assert all(row[0] == f"text {number - 2}" for number, row in zip(table.numbers, table.rows, strict=True))
    assert table == read_table(path, Settings(tmp_path, max_rows=20), sample="stratified")


def test_a_file_within_the_limit_is_read_whole_without_a_word(tmp_path):
    path = _file(tmp_path, ["a", "b"] * 5)
    limits = Settings(tmp_path, max_rows=10)
    assert read_table(path, limits, sample="stratified") == read_table(path, limits)
    assert len(read_table(path, limits).rows) == 10


def test_the_column_may_be_named_and_must_be_there(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label,origin\n" + "".join(f"t{n},{'ab'[n % 2]},{'xyz'[n % 3]}\n" for n in range(90)))
    limits = Settings(tmp_path, max_rows=30)
    table = read_table(path, limits, sample="stratified", label="origin")
    assert Counter(row[2] for row in table.rows) == {"x": 10, "y": 10, "z": 10}
    assert "“origin”" in table.notes[0]
    with pytest.raises(TaskFileError, match="no column “place”"):
        read_table(path, limits, sample="stratified", label="place")


def test_where_no_column_looks_like_a_label_the_sample_is_random_and_says_so(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("nr,text\n" + "".join(f"{n},a text of number {n}\n" for n in range(200)))
    table = read_table(path, Settings(tmp_path, max_rows=100), sample="stratified")
    assert len(table.rows) == 100
    assert "a random sample of 100 is read" in table.notes[0]


@pytest.mark.parametrize("most", [1, 2, 3, 7, 10, 11])
def test_every_label_is_there_wherever_the_rows_suffice(most):
    labels = ["a"] * 6 + ["B", "b "] + ["c"] * 3
    picked = stratified(labels, most)
    assert len(picked) == most == len(set(picked))
    assert len({labels[position].strip().casefold() for position in picked}) == min(3, most)
