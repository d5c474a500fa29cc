"""Line charts: what is drawn, what is left out, and that foreign names can't break out."""

import re

from llmops.catalog.architectures import architectures
from llmops.catalog.gpus import gpus
from llmops.planning.planner import plan
from llmops.ui import charts
from llmops.ui.lines import Limit, Series, chart

TEXT = (lambda value: f"{value:g}", lambda value: f"{value:g} s")


def test_every_point_has_a_mark_with_its_figures_and_every_series_a_name():
    drawn = chart("Title", ("x", "y"), [Series("a", ((1, 2), (2, 4))), Series("b", ((1, 3),))], TEXT)
    assert re.findall(r"<title>(.*?)</title>", drawn) == ["a: 2 s, 1", "a: 4 s, 2", "b: 3 s, 1"]
    assert ">a</span>" in drawn
    assert ">b</span>" in drawn


def test_nothing_is_drawn_of_nothing_and_one_point_or_equal_ones_are_no_error():
    assert chart("t", ("x", "y"), [Series("a", ())], TEXT) == ""
    for points in (((5, 5),), ((5, 5), (5, 5)), ((0, 0),), ((1e-9, 1e9),)):
        assert "<svg" in chart("t", ("x", "y"), [Series("a", points)], TEXT)


def test_places_stay_inside_the_frame():
    drawn = chart("t", ("x", "y"), [Series("a", ((3, 17), (1000, 0.2)))], TEXT, [Limit("l", 10)])
    xs = [
        float(x) for pair in re.findall(r'polyline points="([^"]*)"', drawn)[-1].split() for x in [pair.split(",")[0]]
    ]
    assert min(xs) >= 66
    assert max(xs) <= 720 - 150


def test_foreign_names_are_escaped():
    drawn = chart("<b>", ("<i>", "y"), [Series("<script>", ((1, 1),), ("<u>",))], TEXT, [Limit("<s>", 1)])
    assert not re.search("<(b|i|script|u|s)>", drawn)


def test_memory_curves_have_the_gpus_lines_and_a_table_with_the_same_figures():
    row = next(one for one in architectures() if one.id == "meta-llama/Llama-3.1-8B-Instruct")
    made = plan(row.id, row.shape, "fp32", 8192, 2, gpus())
    drawn = charts.memory(made, row.shape)
    assert [name for name in ("fp32", "bf16", "int8", "nf4") if f">{name}</span>" in drawn] == [
        "fp32", "bf16", "int8", "nf4",
    ]  # fmt: skip
    assert "T4" in drawn
    assert drawn.count("<tr>") == 1 + 6
    need = plan(row.id, row.shape, "bf16", 16384, 2, ()).peak_bytes / 1e9
    assert f"bf16: {need:.3g}, 16,384" in drawn
