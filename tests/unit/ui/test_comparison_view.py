"""Painting beside a measurement. Engines are scripted."""

from llmops.compare.comparison import Comparison
from llmops.core.run_settings import RunSettings
from llmops.core.settings import load_settings
from llmops.ui.comparison_view import ComparisonView
from llmops.ui.services import Services
from tests.support.pools import make_pool
from tests.support.scripted import TASK, ScriptedEngine


class _Nowhere:
    """A recorder that keeps nothing."""

    def take(self, place, run):
        pass


def _paints(candidate):
    engine = ScriptedEngine()
    comparison = Comparison(make_pool(10_000, lambda kind: engine), TASK, "text", [candidate], RunSettings("en"))
    view = ComparisonView(comparison, _Nowhere(), Services(load_settings(), None, None))
    comparison.start()
    return [view.views[0].status for _ in view.follow()]


def test_a_run_of_a_few_milliseconds_is_painted_once_and_only_after_it():
    assert _paints("openai/short:1:1") == ["done"]


def test_a_longer_run_is_painted_while_it_goes_on():
    seen = _paints("openai/long:20:50")
    assert 2 <= len(seen) <= 14
    assert set(seen[1:-1]) == {"running"}
    assert seen[-1] == "done"
