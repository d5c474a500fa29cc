"""Answers beside a user's rows: nothing that is written is lost, nothing is written twice."""

import pytest

from llmops.core.errors import InputError
from llmops.data.answers_file import AnswersFile
from llmops.data.table import Table

TABLE = Table(("id", "text"), (("1", "=one"), ("2", 'two, "quoted"\nline'), ("3", "drei")), (2, 3, 5))


def write(path, *numbers):
    with AnswersFile(path, TABLE) as answers:
        answers.add((number, ("a", "0.9", "")) for number in numbers)
    return answers


def test_rows_are_as_they_were_with_three_columns_more_in_the_tables_order(tmp_path):
    write(tmp_path / "out.csv", 5, 2, 3).put_in_order()
    assert (tmp_path / "out.csv").read_text().splitlines() == [
        "row,id,text,predicted,confidence,error",
        "2,1,=one,a,0.9,",
        '3,2,"two, ""quoted""',
        'line",a,0.9,',
        "5,3,drei,a,0.9,",
    ]


@pytest.mark.parametrize("half", ["5,3,dr", '2,2,"two, ""quoted""\nli', "5,3,drei,a,0.9,"])
def test_a_file_that_was_broken_off_is_gone_on_with_and_half_a_record_is_dropped(tmp_path, half):
    path = tmp_path / "out.csv"
    write(path, 3)
    with path.open("a") as file:
        file.write(half)
    answers = AnswersFile(path, TABLE)
    assert answers.done == {3}
    write(path, 2, 5).put_in_order()
    assert AnswersFile(path, TABLE).done == {2, 3, 5}
    assert path.read_text().count("drei") == 1


def test_a_file_with_other_texts_or_columns_is_left_alone(tmp_path):
    path = tmp_path / "out.csv"
    write(path, 2)
    before = path.read_text()
    other = Table(TABLE.columns, (("1", "another"), *TABLE.rows[1:]), TABLE.numbers)
    with pytest.raises(InputError, match="answers to other texts"):
        AnswersFile(path, other)
    with pytest.raises(InputError, match="with other columns"):
        AnswersFile(path, Table(("text", "x"), (("a", "b"),), (2,)))
    assert path.read_text() == before


def test_a_column_that_has_the_name_already_keeps_it(tmp_path):
    table = Table(("text", "error"), (("a", "mine"),), (2,))
    with AnswersFile(tmp_path / "out.csv", table) as answers:
        answers.add([(2, ("x", "", ""))])
    assert (tmp_path / "out.csv").read_text().splitlines()[0] == "row,text,error,predicted,confidence,error (llmops)"
