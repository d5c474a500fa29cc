"""Plain values from page, API and command line."""

import pytest

from llmops.api.inputs import check_candidates, check_text, read_settings
from llmops.core.errors import InputError, redact
from llmops.core.settings import load_settings
from llmops.data.builtin import load_builtin


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


def test_settings_are_read_from_json_or_a_mapping():
    task = load_builtin("medical")
    limits = load_settings()
    given = '{"max_new_tokens": 7, "language": "en", "openai_key": "sk-secret-key"}'
    options = read_settings(given, task, "x", limits)
    assert options.generation.max_new_tokens == 7
    assert options.language == "en"
    assert options.connection.openai_key == "sk-secret-key"
    assert "sk-secret" not in repr(options)
    assert "sk-secret" not in str(options.record())


@pytest.mark.parametrize(
    "given",
    [
        "nonsense",
        "[1]",
        {"max_new_tokens": 0},
        {"max_new_tokens": True},
        {"max_new_tokens": 1.5},
        {"max_new_tokens": 10**9},
        {"temperature": -1},
        {"temperature": float("nan")},
        {"temperature": "hot"},
        {"seed": -1},
        {"language": "xx"},
        {"language": 5},
        {"truncate": "yes"},
        {"unheard_of": 1},
    ],
)
def test_a_wrong_setting_is_named(given):
    with pytest.raises(InputError) as caught:
        read_settings(given, load_builtin("medical"), "x", load_settings())
    assert caught.value.remedy


def test_keys_are_cut_out_of_messages():
    message = "bad key sk-abcdefghijkl and hf_ABCDEFGHIJ at https://user:pass@host/ and plain-secret-1"
    cleaned = redact(message, ("plain-secret-1",))
    for secret in ("sk-abcdefghijkl", "hf_ABCDEFGHIJ", "user:pass", "plain-secret-1"):
        assert secret not in cleaned
