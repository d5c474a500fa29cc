"""Texts by a reference: a folder that `datasets` wrote, with a split, and a sample of too many rows."""

import csv
import json
from functools import partial

import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from tests.support.commands import run_command

ENCODER = ("--candidate", "embedded/encoder@fp32?k=4")


@pytest.fixture
def command(capfd, monkeypatch):
    return partial(run_command, capfd, monkeypatch)


@pytest.fixture
def folder(tmp_path):
    """Sorted by label, as many datasets are."""
    features = Features({"text": Value("string"), "label": ClassLabel(names=["negative", "positive"])})
    labels = [0] * 6 + [1] * 6
    texts = [f"The chair is {'' if label else 'not '}needed, says letter {n}." for n, label in enumerate(labels)]
    whole = Dataset.from_dict({"text": texts, "label": labels}, features)
    DatasetDict(train=whole, test=whole.select([0, 1, 10, 11])).save_to_disk(tmp_path / "letters")
    return tmp_path / "letters"


def test_a_folder_of_datasets_is_evaluated_on_its_test_split_or_the_one_named(command, folder):
    for reference, texts in ((str(folder), 4), (f"{folder}:train", 12)):
        done = command("evaluate", "--data", reference, *ENCODER, "--json")
        assert done.code == 0, done.stderr
        assert json.loads(done.stdout)["metrics"][0]["texts"] == texts
        assert "there are: train, test." in done.stderr


def test_a_task_is_made_of_a_folder_of_datasets_and_has_its_labels_and_name(command, folder, tmp_path):
    done = command("task", "init", f"{folder}:train", str(tmp_path / "t.toml"), "--json")
    assert json.loads(done.stdout)["labels"] == {"negative": 6, "positive": 6}
    assert 'name = "letters"' in (tmp_path / "t.toml").read_text()


def test_a_stratified_sample_of_a_sorted_set_has_both_labels_and_the_first_rows_one(command, folder, monkeypatch):
    monkeypatch.setenv("LLMOPS_MAX_ROWS", "4")
    data = ("evaluate", "--data", f"{folder}:train", *ENCODER, "--json")
    assert "All texts have one label" in command(*data).stderr
    done = command(*data, "--sample", "stratified")
    assert json.loads(done.stdout)["metrics"][0]["texts"] == 4
    assert "There are 12 rows; a sample of 4 is read, stratified by “label”." in done.stderr
    assert "All texts" not in done.stderr


def test_classify_reads_a_folder_of_datasets_and_says_which_split(command, folder, tmp_path):
    out = tmp_path / "out.csv"
    done = command("classify", str(folder), str(out), *ENCODER)
    assert done.code == 0, done.stderr
    assert "The split “test” is read" in done.stderr
    with out.open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 4


def test_what_is_nowhere_is_refused_with_what_was_tried(command, tmp_path):
    done = command("evaluate", "--data", str(tmp_path / "nothing"), *ENCODER)
    assert done.code == 2
    assert "There is no file or folder" in done.stderr
