"""What stands around a plot: the key, the figure, and the file that stands alone."""

from xml.etree import ElementTree

from llmops.report.axis import fitted, number
from llmops.report.chart import figure, key, line_chart, standalone
from llmops.report.plot import NAMED, Plot, Series, joined

WRITTEN = (number, number)


def plot_of(canvas=NAMED):
    return Plot("Ti<tle", fitted("x", [1, 2]), fitted("y", [3, 4]), (joined("a", 0, [(1, 3), (2, 4)]),), canvas=canvas)


def test_a_key_names_each_series_in_the_order_of_their_looks_and_none_without_a_name():
    names = key([Series("second", 1, line=((0, 0),)), Series("", 0), joined("<first>", 0, [(0, 0)])])
    assert names.index("&lt;first&gt;</span>") < names.index("second</span>")
    assert names.count("<span>") == 2
    assert names.count("<path") == 1
    assert names.count("lo-dashed") == 1
    assert key([Series("", 0)]) == ""


def test_a_wide_figure_scrolls_and_can_be_reached_by_the_keyboard():
    assert '<div class="lo-scroll" tabindex="0" role="group" aria-label="Ti&lt;tle">' in figure(plot_of())
    assert "<figcaption>&lt;c&gt;</figcaption>" in figure(plot_of(), "<c>")


def test_a_line_chart_begins_at_zero_and_is_nothing_without_a_point():
    drawn = line_chart("T", ("x", "y"), WRITTEN, [joined("a", 0, [(5, 80), (9, 90)]), joined("none", 1, [])])
    assert 'text-anchor="end">0</text>' in drawn
    assert "none" not in drawn
    assert line_chart("T", ("x", "y"), WRITTEN, [joined("none", 0, [])]) == ""


def test_a_file_of_its_own_is_whole_and_follows_light_and_dark():
    root = ElementTree.fromstring(standalone(plot_of()))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.find("{http://www.w3.org/2000/svg}title").text == "Ti<tle"
    style = root.find("{http://www.w3.org/2000/svg}style").text
    assert "prefers-color-scheme: dark" in style
    assert ".lo-series-0" in style
