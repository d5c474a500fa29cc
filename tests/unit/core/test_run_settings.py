"""Run settings from page, API and command line; and what every model of given settings says of a wrong value."""

from typing import Literal

import pytest
from pydantic import Field

from llmops.core.errors import InputError, redact
from llmops.core.given import GivenSettings, Names, Numbers, Text, Whole, WholeNumbers, as_table, forms, listed
from llmops.core.run_settings import GivenRunSettings
from llmops.core.settings import load_settings
from llmops.data.builtin import load_builtin
from llmops.ui.controls import Controls
from tests.support import documents


def read(given, text="x"):
    """As the API reads them."""
    return GivenRunSettings.within(given, load_settings()).run_settings(load_builtin("medical"), text)


def test_settings_are_read_from_json_or_a_mapping():
    given = '{"max_new_tokens": 7, "language": "en", "openai_key": "sk-secret-key"}'
    options = read(given)
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
        {"long_texts": "yes"},
        {"unheard_of": 1},
    ],
)
def test_a_wrong_setting_is_named(given):
    with pytest.raises(InputError) as caught:
        read(given)
    assert caught.value.remedy


def test_keys_are_cut_out_of_messages():
    message = "bad key sk-abcdefghijkl and hf_ABCDEFGHIJ at https://user:pass@host/ and plain-secret-1"
    cleaned = redact(message, ("plain-secret-1",))
    for secret in ("sk-abcdefghijkl", "hf_ABCDEFGHIJ", "user:pass", "plain-secret-1"):
        assert secret not in cleaned


def test_a_whole_number_may_be_written_with_a_point_and_a_text_may_be_blank():
    options = read({"max_new_tokens": 5.0, "temperature": 1, "base_url": "  ", "provider": None, "language": "de"})
    assert (options.generation.max_new_tokens, options.generation.temperature) == (5, 1.0)
    assert (options.connection.base_url, options.connection.provider) == (None, None)


def test_without_a_language_it_is_as_the_text_reads():
    assert read({}, "Die Versorgung wird nicht empfohlen.").language == "de"
    assert read(None, "The wheelchair is needed.").language == "en"


class Example(GivenSettings):
    """One setting of each kind."""

    whole: Whole = Field(1, ge=1, le=5000)
    free: Whole | None = None
    share: float | None = Field(None, ge=0, le=1)
    slo_s: float = Field(1.0, gt=0)
    flag: bool = False
    words: Text = None
    key: Text = Field(None, repr=False)
    loop: Literal["closed", "open"] = Field("closed", title="kind of loop")
    ks: WholeNumbers = (1, 2)
    depths: Numbers = Field((0.0, 1.0), examples=[[0, 0.5]])
    licences: Names = Field((), examples=[["MIT"]])
    weights: dict[str, float] | None = Field(None, examples=[{"cost": 1}])


@pytest.mark.parametrize(
    ("given", "message", "remedy"),
    [
        ({"whole": 0}, "whole is a whole number from 1 to 5,000; it is 0.", "Correct whole."),
        ({"whole": True}, "whole is a whole number from 1 to 5,000; it is True.", "Correct whole."),
        ({"whole": "5"}, "whole is a whole number from 1 to 5,000; it is '5'.", "Correct whole."),
        ({"whole": None}, "whole is a whole number from 1 to 5,000; it is empty.", "Correct whole."),
        ({"free": 1.5}, "free is a whole number; it is 1.5.", "Correct free."),
        ({"share": 2}, "share is a number from 0 to 1; it is 2.", "Correct share."),
        ({"share": float("inf")}, "share is a number from 0 to 1; it is inf.", "Correct share."),
        ({"slo_s": 0}, "slo_s is a number of seconds above 0; it is 0.", "Correct slo_s."),
        ({"flag": 1}, "flag is true or false; it is 1.", 'Write "flag": true.'),
        ({"words": 5}, "words is a text; it is a int.", 'Write "words": "…".'),
        ({"loop": "round"}, "“round” is no kind of loop.", "Use one of: closed, open."),
        ({"ks": [1, 1.5]}, "ks is a list of whole numbers; it is [1, 1.5].", 'Write "ks": [1, 2, 4].'),
        ({"ks": "1 2"}, "ks is a list of whole numbers; it is '1 2'.", 'Write "ks": [1, 2, 4].'),
        ({"depths": [True]}, "depths is a list of numbers; it is [True].", 'Write "depths": [0, 0.5].'),
        ({"licences": "MIT"}, "licences is a list of names.", 'Write "licences": ["MIT"].'),
        ({"weights": 3}, "weights is an object.", 'Write "weights": {"cost": 1}.'),
        ({"other": 1, "more": 2}, "Unknown setting: more, other.", f"Known: {', '.join(Example.model_fields)}."),
    ],
)
def test_each_kind_of_setting_says_what_it_is_and_what_to_write(given, message, remedy):
    with pytest.raises(InputError) as caught:
        Example.read(given)
    assert (caught.value.message, caught.value.remedy) == (message, remedy)


SECRET = "AIzaSyA-9tZk3mQ2bX7rV5wL1cN8dF4gH6jK0pS"


@pytest.mark.parametrize(
    "given",
    [
        {SECRET: 1},
        {"key": [SECRET]},
        {"key": {"a": SECRET}},
        {"whole": SECRET},
        {"flag": SECRET},
        {"loop": SECRET},
        {"ks": [SECRET]},
        {"ks": {SECRET: 1}},
        {"share": SECRET, "key": SECRET},
        {"weights": SECRET},
    ],
)
def test_a_key_in_the_wrong_place_is_not_repeated(given):
    with pytest.raises(InputError) as caught:
        Example.read(given)
    error = caught.value
    assert SECRET not in f"{error.message} {error.remedy} {error!r} {error.__cause__!r}"
    assert SECRET not in repr(Example.read({"key": SECRET}))


def test_an_upper_bound_of_the_process_stands_in_the_sentence():
    for value in (101, "x"):
        with pytest.raises(InputError, match="whole is a whole number from 1 to 100;"):
            Example.read({"whole": value}, {"whole": 100})


def test_what_a_model_asks_for_is_told_in_its_own_words():
    form = forms(GivenRunSettings)["max_new_tokens"]
    assert (form.kind, form.least, form.default) == ("integer", 1, 96)
    assert {name for name, form in forms(GivenRunSettings).items() if form.secret} == {"openai_key", "hf_token"}
    assert "max_new_tokens: tokens of an answer, at most (96)" in listed(GivenRunSettings)


def test_the_page_has_a_control_for_each_run_setting():
    assert set(GivenRunSettings.model_fields) <= set(Controls._fields)


def test_the_readme_has_a_row_for_each_run_setting():
    assert as_table(GivenRunSettings) in documents.README.read_text(encoding="utf-8")
