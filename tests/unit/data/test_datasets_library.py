"""Datasets of the `datasets` library, written to disk by it and read back: labels by name, one split, text alone."""

import datetime

import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, List, Value

from llmops.core.errors import TaskFileError
from llmops.core.settings import Settings
from llmops.data.datasets_library import read_dataset_folder
from llmops.data.reading import read_table

FEATURES = Features({"text": Value("string"), "label": ClassLabel(names=["no", "yes"]), "n": List(Value("int64"))})
ROWS = {"text": ["one", "two", None, "four"], "label": [1, 0, 1, -1], "n": [[1, 2], [], None, [3]]}
READ = (("one", "yes", "[1, 2]"), ("two", "no", "[]"), ("", "yes", ""), ("four", "", "[3]"))


@pytest.fixture
def limits(tmp_path):
    return Settings(tmp_path, max_rows=10)


def _set(rows=4):
    return Dataset.from_dict(ROWS, FEATURES).select(range(rows))


def _many(rows):
    labels = [0] * (rows - 3) + [1] * 3
    features = Features({"text": Value("string"), "label": FEATURES["label"]})
    return Dataset.from_dict({"text": [f"text {n}" for n in range(rows)], "label": labels}, features)


def test_a_saved_dataset_shows_the_names_of_its_labels(tmp_path, limits):
    _set().save_to_disk(tmp_path / "one")
    table = read_dataset_folder(tmp_path / "one", None, limits)
    assert table.columns == ("text", "label", "n")
    assert table.rows == READ
    assert table.numbers == (1, 2, 3, 4)
    assert table.notes == ()


def test_of_several_splits_the_test_split_is_read_unless_one_is_named(tmp_path, limits):
    DatasetDict(train=_set(), test=_set(2)).save_to_disk(tmp_path / "all")
    table = read_dataset_folder(tmp_path / "all", None, limits)
    assert table.rows == READ[:2]
    assert table.notes == ("The split “test” is read; there are: train, test.",)
    assert read_dataset_folder(tmp_path / "all", "train", limits).rows == READ
    assert read_dataset_folder(tmp_path / "all" / "train", None, limits).rows == READ
    with pytest.raises(TaskFileError, match="no split “dev”") as caught:
        read_dataset_folder(tmp_path / "all", "dev", limits)
    assert caught.value.remedy == "It has: train, test."


def test_without_a_test_split_the_first_is_read(tmp_path, limits):
    DatasetDict(validation=_set(3), train=_set()).save_to_disk(tmp_path / "all")
    assert read_dataset_folder(tmp_path / "all", None, limits).rows == READ[:3]


@pytest.mark.parametrize("damage", ["no dataset", "cut short"])
def test_a_folder_that_holds_no_dataset_is_refused(tmp_path, limits, damage):
    folder = tmp_path / "one"
    folder.mkdir()
    if damage == "cut short":
        _set().save_to_disk(folder)
        next(folder.glob("*.arrow")).write_bytes(b"ARROW")
    with pytest.raises(TaskFileError) as caught:
        read_dataset_folder(folder, None, limits)
    assert "save_to_disk" in caught.value.remedy


def test_pictures_and_bytes_are_left_out_and_dates_and_nested_values_are_text(tmp_path, limits):
    features = Features(
        {"text": Value("string"), "label": ClassLabel(names=["a"]), "picture": Image(), "raw": List(Value("binary"))}
        | {"when": Value("timestamp[s]"), "more": {"at": Value("timestamp[s]")}}
    )
    when = datetime.datetime(2026, 5, 1, 8, 30)
    row = {"text": "t", "label": 0, "picture": {"bytes": b"never decoded", "path": None}, "raw": [b"x"]}
    found = Dataset.from_list([row | {"when": when, "more": {"at": when}}], features)
    found.save_to_disk(tmp_path / "one")
    found.to_parquet(tmp_path / "one.parquet")
    for table in (read_dataset_folder(tmp_path / "one", None, limits), read_table(tmp_path / "one.parquet", limits)):
        assert table.columns == ("text", "label", "when", "more")
        assert table.rows == (("t", "a", "2026-05-01 08:30:00", '{"at": "2026-05-01 08:30:00"}'),)
        assert table.notes == ("Columns that hold pictures, sounds or bytes are not read: “picture”, “raw”.",)


def test_of_too_many_rows_the_first_or_a_stratified_sample_is_read(tmp_path, limits):
    _many(100).save_to_disk(tmp_path / "one")
    table = read_dataset_folder(tmp_path / "one", None, limits)
    assert table.numbers == tuple(range(1, 11))
    assert table.notes == ("The dataset has 100 rows; the first 10 are read.",)
    table = read_dataset_folder(tmp_path / "one", None, limits, sample="stratified")
    assert len(table.rows) == 10
    assert [row[1] for row in table.rows].count("yes") == 1
    assert all(row[0] == f"text {number - 1}" for number, row in zip(table.numbers, table.rows, strict=True))
    assert table.notes == ("There are 100 rows; a sample of 10 is read, stratified by “label”.",)


def test_a_parquet_file_of_the_library_shows_the_names_of_its_labels(tmp_path, limits):
    _set().to_parquet(tmp_path / "one.parquet")
    table = read_table(tmp_path / "one.parquet", limits)
    assert [row[:2] for row in table.rows] == [row[:2] for row in READ]


@pytest.mark.parametrize("metadata", [b"", b"no JSON", b"[]", b'{"info": {"features": {"label": {"names": 3}}}}'])
def test_metadata_of_another_kind_are_no_reason_to_refuse_a_parquet_file(tmp_path, limits, metadata):
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"text": ["one", "two"], "label": [1, 0]}).replace_schema_metadata({"huggingface": metadata})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet", limits).rows == (("one", "1"), ("two", "0"))


def test_numbers_that_name_no_label_stay_as_they_are_written(tmp_path, limits):
    import pyarrow
    import pyarrow.parquet

    about = '{"info": {"features": {"label": {"_type": "ClassLabel", "names": ["no", "yes"]}}}}'
    numbers = [0.0, 1.0, -1.0, 7.0, float("inf"), None]
    table = pyarrow.table({"text": list("abcdef"), "label": numbers}).replace_schema_metadata({"huggingface": about})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    read = [row[1] for row in read_table(tmp_path / "a.parquet", limits).rows]
    assert read == ["no", "yes", "", "7", "inf", ""]
