"""Events folded into views, views rendered as HTML."""

from llmops.core.events import Failed, Finished, Loading, Queued, Started, Token, Unloaded
from llmops.core.format import seconds
from llmops.core.run import Memory, Run, RunError, Source, Timing
from llmops.core.view import Status, View, fold
from llmops.data.builtin import load_builtin
from llmops.ui import render

SCRIPT = '<script>alert("x")</script><img src=x onerror=alert(1)>'


def _folded(*events):
    view = View("embedded/decoder@bf16")
    for event in events:
        view = fold(view, event)
    return view


def test_a_run_is_followed_from_queue_to_result():
    assert _folded(Queued(2)).message == "Waiting for the device: 2 runs go first"
    loading = _folded(Loading("reading weights", 0.5))
    assert (loading.status, loading.fraction) == (Status.LOADING, 0.5)
    running = _folded(Started(), Token("Pos"), Token("itiv"))
    assert (running.status, running.text) == (Status.RUNNING, "Positiv")
    done = _folded(Started(), Token("x"), Finished(Run("c", text="Positiv", finish="stop")), Unloaded(0))
    assert done.run.text == "Positiv"


def test_a_failure_keeps_the_text_that_was_there():
    error = RunError("endpoint", "The stream broke.", "Retry.")
    view = _folded(Started(), Token("half"), Failed(Run("c", error=error), error))
    assert (view.status, view.text, view.run.error) == (Status.FAILED, "half", error)


def test_stop_is_not_shown_as_a_failure():
    error = RunError("stopped", "Stopped.")
    assert _folded(Failed(Run("c", error=error), error)).status == Status.STOPPED
    assert _folded(Finished(Run("c", finish="stopped"))).status == Status.STOPPED


def test_the_line_beside_run_says_who_is_at_work_and_how_it_ended():
    error = RunError("memory", "No room.")
    done = _folded(Finished(Run("c", finish="stop")))
    failed = _folded(Failed(Run("c", error=error), error))
    loading, queued = _folded(Loading("reading the weights", 0.5)), _folded(Queued(1))
    line = render.run_line([done, failed, loading, queued], "7")
    assert 'data-run="7"' in line
    assert "2 of 4 finished." in line
    assert "reading the weights" in line
    assert "first" not in line  # who only waits is not told while somebody works
    assert "1 run goes first" in render.run_line([done, queued], "7")
    ended = render.run_line([done, failed, done], "7")
    assert "Done: 2 of 3 answered" in ended
    assert "1 failed" in ended
    assert "choose candidates" in render.selected([])
    assert "and 2 more" in render.selected(["embedded/decoder@bf16"] * 5)
    assert SCRIPT not in render.run_line([View(SCRIPT)], SCRIPT) + render.selected([SCRIPT])


def test_times_shorter_than_a_clock_tells_are_not_given_to_three_digits():
    assert seconds(1.8e-5) == "< 0.1 ms"
    assert seconds(0) == "0 ms"
    assert seconds(0.00367) == "3.67 ms"


def test_foreign_text_is_never_markup():
    task = load_builtin("medical")
    error = RunError("x", SCRIPT, SCRIPT)
    views = [
        View(SCRIPT, message=SCRIPT, status=Status.LOADING),
        View("c", run=Run("c", error=error)),
        View("c", run=Run(SCRIPT, label=SCRIPT, notes=(SCRIPT,), probabilities={SCRIPT: 1.0}, timing=Timing(e2e_s=1))),
    ]
    page = render.summary(views)
    for view in views:
        page += render.head(view) + render.verdict(view, task, "en") + render.figures(view)
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script" in page


def test_unknown_figures_are_left_out_and_known_ones_say_where_they_come_from():
    run = Run("c", timing=Timing(e2e_s=2.0), memory=Memory(device="cpu"), source={"timing": Source.SERVER})
    table = render.figures(View("c", run=run))
    assert "2.00 s" in table
    assert "server-reported" in table
    assert "TTFT" not in table
    assert "KV cache" not in table


def test_figures_follow_the_definitions():
    timing = Timing(ttft_s=0.5, e2e_s=2.5, prompt_tokens=100, output_tokens=11)
    assert timing.tpot_s == 0.2
    assert timing.decode_rate == 5.0
    assert timing.prefill_rate == 200.0
    assert Timing(ttft_s=0.5, e2e_s=0.5, output_tokens=1).tpot_s is None
    assert Timing().texts_per_second is None


def test_the_bars_compare_against_the_best():
    runs = [Run("slow", timing=Timing(e2e_s=4.0)), Run("quick", timing=Timing(e2e_s=1.0)), Run("unknown")]
    html = render.summary([View(run.candidate, run=run) for run in runs])
    assert "4 ×" in html
    assert "best" in html
    assert "unknown" not in html.split("Decode")[0].split("Peak")[0]
