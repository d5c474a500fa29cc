"""The first paint: of a link, or of the machine's preset."""

from llmops.core.candidate import Epoch
from llmops.planning import links
from llmops.planning.first_view import first_view


def test_without_a_link_the_machines_preset_is_chosen_and_an_example_of_the_task_is_there():
    first = first_view(links.read({}, 8, "de"), hub_in_reach=False)
    assert first.candidates == first.preset.offline
    assert first.language == "de"
    assert first.text in {example.text for example in first.task.split("test", "de")}
    assert first.machine.endswith("; no model hub in reach")
    assert links.of_epoch(first.candidates, Epoch.PAST)
    assert first_view(links.read({}, 8), hub_in_reach=True).candidates == first.preset.hub


def test_a_links_candidates_go_before_the_presets():
    link = links.read({"task": ["support"], "c": ["embedded/decoder@nf4"]}, 8)
    first = first_view(link, hub_in_reach=None)
    assert (first.task.id, first.candidates) == ("support", ("embedded/decoder@nf4",))
