"""Files without labels: every text gets a label, a broken-off file is gone on with; an encoder trained first."""

import csv
from functools import partial

import pytest

from tests.support.commands import run_command

TEXTS = [
    "The chair is needed.",
    "Das Hilfsmittel ist nicht notwendig.",
    "",
    "All requirements are met.",
    '- with a comma, a "quote"\nand a line',
]


@pytest.fixture
def command(capfd, monkeypatch):
    return partial(run_command, capfd, monkeypatch)


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "in.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("nr", "text"))
        writer.writerows(enumerate(TEXTS, 1))
    return path


def answers(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "candidate",
    [
        "embedded/encoder@fp32?k=4",
        "embedded/decoder@bf16",
        "cascade(embedded/encoder@fp32?k=4, embedded/decoder@bf16, 0.9)",
    ],
)
def test_every_text_gets_a_label_and_a_confidence(command, data, tmp_path, candidate):
    out = tmp_path / "out.csv"
    done = command("classify", str(data), str(out), "--candidate", candidate)
    assert done.code == 0, done.stderr
    assert "Row 4: the text is empty; left out." in done.stderr
    rows = answers(out)
    assert [row["text"] for row in rows] == [text for text in TEXTS if text]
    assert {row["predicted"] for row in rows} <= {"positive", "negative"}
    assert all(0.5 <= float(row["confidence"]) <= 1 for row in rows if row["confidence"])
    assert [row["nr"] for row in rows] == ["1", "2", "4", "5"]


def test_the_same_command_goes_on_and_asks_no_text_twice(command, data, tmp_path):
    out = tmp_path / "out.csv"
    arguments = ("classify", str(data), str(out), "--candidate", "embedded/encoder@fp32?k=4")
    command(*arguments)
    whole = out.read_bytes().decode()
    lines = whole.split("\r\n")
    out.write_bytes("\r\n".join([*lines[:3], "5,4,All req"]).encode())
    done = command(*arguments)
    assert "2 texts are answered already" in done.stderr
    assert out.read_bytes().decode() == whole


def test_texts_that_fail_are_told_in_their_row_and_by_the_exit(command, data, tmp_path):
    out = tmp_path / "out.csv"
    done = command("classify", str(data), str(out), "--candidate", "openai/x", "--base-url", "http://127.0.0.1:9/v1")
    assert done.code == 1
    assert all("can't be reached" in row["error"] and not row["predicted"] for row in answers(out))


def test_an_encoder_is_trained_on_a_task_of_ones_own_kept_and_used(command, data, tmp_path, monkeypatch):
    monkeypatch.setenv("LLMOPS_DATA", str(tmp_path / "data"))
    trained = command("train", "mine", "--method", "few-shot", "--k", "4")
    assert trained.code == 0, trained.stderr
    assert trained.stdout.startswith("trained/mine: few-shot on embedded/encoder, ")
    again = command("train", "mine", "--method", "few-shot", "--k", "4")
    assert (again.code, "There is an encoder “mine” already" in again.stderr) == (2, True)
    done = command("classify", str(data), str(tmp_path / "out.csv"), "--candidate", "trained/mine")
    assert done.code == 0, done.stderr
    assert {row["predicted"] for row in answers(tmp_path / "out.csv")} <= {"positive", "negative"}


def test_a_wrong_file_column_or_task_is_told(command, data, tmp_path):
    for arguments, said in (
        (("no.csv", "out.csv"), "There is no file no.csv"),
        ((str(data), "out.csv", "--text-column", "body"), "no column “body”"),
        ((str(data), "out.csv", "--task", "nonsense"), "no task “nonsense”"),
    ):
        done = command("classify", *arguments, "--candidate", "embedded/encoder@fp32")
        assert (done.code, said in done.stderr) == (2, True), done.stderr
