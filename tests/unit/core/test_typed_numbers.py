"""Numbers as they are typed, and what is said of what is none."""

import pytest

from llmops.core.errors import InputError
from llmops.core.typed_numbers import numbers, optional_number, whole_number, whole_numbers


def test_a_comma_is_a_point_and_an_empty_field_is_no_number():
    assert [optional_number(typed) for typed in ("0,5", " 2 ", 3.5, "", None)] == [0.5, 2.0, 3.5, None, None]
    with pytest.raises(InputError, match="“half” is no number"):
        optional_number("half")


def test_lists_are_parted_by_commas_or_semicolons():
    assert numbers("levels", "1, 2.5; 4,") == [1, 2.5, 4]
    assert isinstance(numbers("levels", "1")[0], int)
    assert whole_numbers("1; 2, 4") == (1, 2, 4)
    assert (numbers("levels", ""), whole_numbers("")) == ([], ())


@pytest.mark.parametrize("typed", ["1, two", "nan", "inf"])
def test_a_list_with_anything_else_is_named(typed):
    with pytest.raises(InputError, match="The levels are"):
        numbers("levels", typed)
    with pytest.raises(InputError, match="no list of whole numbers"):
        whole_numbers(typed)


def test_a_whole_number_must_be_there_and_whole():
    assert whole_number("layers", 2.0) == 2
    for typed in (None, 2.5):
        with pytest.raises(InputError, match="layers is a whole number"):
            whole_number("layers", typed)
