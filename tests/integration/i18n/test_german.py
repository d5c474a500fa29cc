"""Nothing that a visitor can read lacks German. What is missing: `python -m tests.german`."""

from llmops.i18n.translation import read_pairs
from tests import german


def test_no_text_in_the_code_that_reaches_a_visitor_lacks_german():
    assert german.missing_in_code() == {}
    assert german.missing_in_catalogue() == []


def test_no_text_on_the_page_lacks_german():
    assert german.missing_on_page(german.page_config()) == []


def test_no_text_has_two_translations():
    found: dict[str, str] = {}
    for key, value in read_pairs("de"):
        assert found.setdefault(key, value) == value, key
