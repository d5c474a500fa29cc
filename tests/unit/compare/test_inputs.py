"""Text and candidates from page, API and command line."""

import pytest

from llmops.compare.inputs import check_candidates, check_text
from llmops.core.errors import InputError


def test_control_characters_go_and_everything_else_stays():
    text = "Zeile eins\nZeile\tzwei \u202eright-to-left\u202c 🦽 <script>alert(1)</script> **bold**"
    assert check_text("\x00\x07" + text + "\x7f\ud800", 1000) == text


@pytest.mark.parametrize("text", ["", "   \n\t ", "\x00\x01"])
def test_a_text_of_nothing_is_refused(text):
    with pytest.raises(InputError, match="empty"):
        check_text(text, 1000)


def test_a_text_over_the_limit_names_both_numbers():
    with pytest.raises(InputError, match=r"11 characters; at most 10"):
        check_text("x" * 11, 10)


@pytest.mark.parametrize("given", [None, "embedded/decoder@bf16", [1], [None], {}])
def test_candidates_that_are_no_list_of_texts_are_refused(given):
    with pytest.raises(InputError, match="no list of texts"):
        check_candidates(given, 8)


@pytest.mark.parametrize("given", [None, 5, ["x"]])
def test_a_text_that_is_none_is_refused(given):
    with pytest.raises(InputError, match="The text is a"):
        check_text(given, 1000)


def test_no_candidate_and_too_many_are_refused():
    with pytest.raises(InputError):
        check_candidates([], 8)
    with pytest.raises(InputError, match="9 candidates"):
        check_candidates([str(i) for i in range(9)], 8)
