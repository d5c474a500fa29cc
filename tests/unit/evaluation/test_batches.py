"""Which texts of an evaluation run alone, how batches grow, and what their rows say."""

from llmops.core.run import Run
from llmops.evaluation.batch_sizes import AnswerMode, BatchSize, ran_alone, sample

PLACES = [(0, place) for place in range(300)]


def test_a_twentieth_runs_alone_and_a_resumed_evaluation_counts_those_that_did():
    assert len(sample(PLACES[:200], 0, 0)) == 10
    assert len(sample([(0, place) for place in range(900)], 0, 0)) == 20
    assert len(sample(PLACES[:12], 0, 0)) == 5
    assert len(sample(PLACES[:3], 0, 0)) == 3
    assert len(sample(PLACES[:50], 8, 0)) == 0
    assert sample(PLACES, 0, 1) == sample(PLACES, 0, 1) != sample(PLACES, 0, 2)


def test_a_batch_grows_while_it_is_quick_and_shrinks_when_others_would_wait_long():
    size = BatchSize()
    first = size.texts
    size.took(0.1)
    assert size.texts == 2 * first
    size.took(2.0)
    assert size.texts == 2 * first
    for _ in range(20):
        size.took(10.0)
    assert size.texts == 1


def test_evaluations_of_before_ran_every_text_alone():
    assert AnswerMode.of({"repeats": 1}) == AnswerMode(batched=False, verdict_only=False)
    assert AnswerMode.of(AnswerMode(True, True).record()) == AnswerMode(True, True)
    assert ran_alone(Run("c"))
    assert not ran_alone(Run("c", settings={"batch_texts": 3, "batch_s": 1.0}))
