"""A task that is edited on the page: what changes, what stays, and what is refused."""

import pytest

from llmops.core.errors import InputError
from llmops.data.builtin import load_builtin
from llmops.data.edited_task import edit_task, label_rows

TASK = load_builtin("medical")
USER = "Text: {text}"


def test_the_labels_as_they_are_shown_change_nothing_but_the_prompt():
    edited = edit_task(TASK, "en", "Judge.", USER, label_rows(TASK, "en"))
    assert (edited.id, edited.name) == ("own", f"{TASK.name}, edited")
    assert edited.labels == TASK.labels
    assert edited.examples == TASK.examples
    assert (edited.prompts["en"].instruction, edited.prompts["en"].user) == ("Judge.", USER)
    assert edited.prompts["de"] == TASK.prompts["de"]
    assert edit_task(edited, "en", "Judge.", USER, label_rows(edited, "en")).name == edited.name


def test_examples_of_a_label_that_is_gone_go_too_and_a_new_one_answers_with_its_name():
    kept, gone = TASK.label_ids[0], set(TASK.label_ids[1:])
    edited = edit_task(TASK, "en", "Judge.", USER, [[kept, "", "", ""], ["new", "New", "", ""], ["", "", "", None]])
    assert edited.label_ids == (kept, "new")
    assert not gone & {example.label for example in edited.examples}
    assert edited.answers("en")["new"] == "New"
    assert label_rows(edited, "en")[1] == ["new", "New", "New", "New"]


@pytest.mark.parametrize(
    ("instruction", "user", "rows", "message"),
    [
        (" ", USER, [["a"], ["b"]], "The instruction is empty"),
        ("Judge.", "Text", [["a"], ["b"]], "has no {text}"),
        ("Judge.", USER, [["a"]], "two labels or more; there are 1"),
        ("Judge.", USER, [["a"], ["", "name"]], "Row 2 of the labels has no id"),
        ("Judge.", USER, [["a"], ["a"]], "The label id “a” stands twice"),
        ("Judge.", USER, [["a", "", "", "Yes"], ["b", "", "", "yes"]], "The answer word “yes” stands twice"),
    ],
)
def test_what_makes_no_task_is_named(instruction, user, rows, message):
    with pytest.raises(InputError, match=message):
        edit_task(TASK, "en", instruction, user, rows)
