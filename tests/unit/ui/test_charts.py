"""Plans as charts: what is drawn, and that the table beside holds the same figures."""

from llmops.catalog.architectures import architectures
from llmops.catalog.gpus import gpus
from llmops.planning.planner import plan
from llmops.planning.settings import PlanSettings
from llmops.ui import charts

LLAMA = next(row for row in architectures() if row.id == "meta-llama/Llama-3.1-8B-Instruct")


def test_memory_curves_have_the_gpus_lines_and_a_table_with_the_same_figures():
    made = plan(LLAMA.id, LLAMA.shape, PlanSettings(precision="fp32", context=8192, requests=2), gpus())
    drawn = charts.memory(made, LLAMA.shape)
    assert [name for name in ("fp32", "bf16", "int8", "nf4") if f">{name}</span>" in drawn] == [
        "fp32", "bf16", "int8", "nf4",
    ]  # fmt: skip
    assert "T4" in drawn
    assert drawn.count("<tr>") == 1 + 6
    need = plan(LLAMA.id, LLAMA.shape, PlanSettings(precision="bf16", context=16384, requests=2), ()).peak_bytes / 1e9
    assert f"bf16: {need:.3g}, 16,384" in drawn


def test_a_plans_bars_end_where_their_figures_say():
    made = plan(LLAMA.id, LLAMA.shape, PlanSettings(precision="bf16", context=8192, requests=2), gpus())
    bars = charts.planned(made)
    verdict = made.gpus[0]
    scale = max(made.peak_bytes, verdict.usable_bytes) * 1.02
    assert f'class="lo-part lo-weights" style="width:{100 * made.weights_bytes / scale:.2f}%"' in bars
    assert f'class="lo-limit" style="left:{100 * verdict.usable_bytes / scale:.2f}%"' in bars
