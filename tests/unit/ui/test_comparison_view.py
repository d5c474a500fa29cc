"""Painting beside a measurement, and running one column again. Engines are scripted."""

import gradio as gr
import pytest

from llmops.compare.comparison import Comparison
from llmops.core.run_settings import RunSettings
from llmops.core.settings import load_settings
from llmops.ui.comparison_columns import painting
from llmops.ui.comparison_view import ComparisonView
from llmops.ui.services import Services
from tests.support.pools import make_pool
from tests.support.scripted import TASK, ScriptedEngine

SETTINGS = RunSettings("en")


class _Nowhere:
    """A recorder that keeps nothing."""

    def take(self, place, run):
        pass

    def settle(self):
        return "It is not kept."


def view_of(*candidates):
    engine = ScriptedEngine()
    comparison = Comparison(make_pool(10_000, lambda kind: engine), TASK, "text", list(candidates), SETTINGS)
    return ComparisonView(comparison, _Nowhere(), Services(load_settings(), None, None))


def _paints(candidate):
    view = view_of(candidate)
    view.comparison.start()
    return [view.views[0].status for _ in view.follow()]


def test_a_run_of_a_few_milliseconds_is_painted_once_and_only_after_it():
    assert _paints("openai/short:1:1") == ["done"]


def test_a_longer_run_is_painted_while_it_goes_on():
    seen = _paints("openai/long:20:50")
    assert 2 <= len(seen) <= 14
    assert set(seen[1:-1]) == {"running"}
    assert seen[-1] == "done"


def test_a_run_is_painted_once_before_it_starts_so_that_this_costs_it_nothing():
    view = view_of("openai/short:1:1")
    seen = [view.views[0].status for _ in view.run()]
    assert (seen[0], seen[-1]) == ("waiting", "done")


def test_a_column_runs_again_by_itself_once_the_run_is_over():
    view = view_of("openai/a:1:1", "openai/b:1:1")
    list(view.run())
    other = view.views[1].run
    seen = [view.views[0].status for _ in view.run_again(0, SETTINGS)]
    assert seen[-1] == "done"
    assert view.views[1].run is other
    assert view.trouble() == "It is not kept."


def test_while_the_run_goes_on_whoever_reads_it_paints_the_column_that_runs_again():
    view = view_of("openai/short:1:1", "openai/long:20:50")
    steps = view.run()
    while view.views[0].status != "done":
        next(steps)
    assert list(view.run_again(0, SETTINGS)) == []
    assert view.trouble() == ""
    list(steps)
    assert [column.status for column in view.views] == ["done", "done"]


@pytest.mark.parametrize("places", [1, 3])
def test_a_paint_gives_every_output_of_every_place_a_value_and_hides_the_empty_ones(places):
    view = view_of("openai/short:1:1")
    list(view.run())
    line, _, *columns = painting(view, places)
    assert f'data-run="{view.id}"' in line
    assert len(columns) == 9 * places
    assert columns[0] == gr.update(visible=True)
    assert columns[9::9] == [gr.update(visible=False)] * (places - 1)
