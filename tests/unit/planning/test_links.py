"""The selection in the address."""

from llmops.core.candidate import Epoch
from llmops.planning import links


def test_a_link_reopens_its_selection():
    query = {"task": ["support"], "lang": ["en"], "c": ["embedded/decoder@nf4", "hosted/a/b", "embedded/encoder@fp32"]}
    found = links.read(query, 8)
    assert (found.task_id, found.language) == ("support", "en")
    assert found.of(Epoch.PAST) == ["embedded/encoder@fp32"]
    assert found.of(Epoch.PRESENT) == ["embedded/decoder@nf4"]
    assert found.of(Epoch.FUTURE) == ["hosted/a/b"]


def test_a_broken_link_opens_the_page_all_the_same():
    found = links.read({"task": ["../etc"], "lang": ["xx"], "c": ["", "a@b@c?", "embedded/decoder@fp0"]}, 8)
    assert found.task_id == "medical"
    assert found.candidates == ()


def test_only_the_allowed_fields_are_written():
    for word in ("key", "token", "text", "base_url"):
        assert word not in links.WRITE_JS
