"""Intervals against SciPy's and statsmodels' own, and what they cover in simulated evaluations."""

import pytest

from llmops.core.intervals import macro_f1_interval, optional_rate_interval, paired_difference_interval, rate_interval
from llmops.core.statistics import macro_f1

EVALUATIONS = 2000
SIZES = (5, 8, 12, 20, 30, 50, 100, 300)  # texts


@pytest.mark.parametrize("texts", [1, 5, 18, 200])
def test_a_rates_interval_is_scipys_and_statsmodels_wilson(texts):
    from scipy.stats import binomtest
    from statsmodels.stats.proportion import proportion_confint

    for hits in {0, 1, texts // 2, texts - 1, texts}:
        found = rate_interval(hits, texts)
        theirs = binomtest(hits, texts).proportion_ci(method="wilson")
        assert found == pytest.approx((theirs.low, theirs.high), abs=1e-12)
        assert found == pytest.approx(proportion_confint(hits, texts, method="wilson"), abs=1e-12)
        assert found[0] <= hits / texts <= found[1] and found[0] < found[1]
    assert optional_rate_interval(0, 0) is None


def test_the_interval_of_a_rate_covers_it_in_95_of_100_simulated_evaluations():
    import numpy as np

    rng = np.random.default_rng(0)
    shares, texts = rng.uniform(0.3, 0.99, EVALUATIONS), rng.choice(SIZES, EVALUATIONS)
    covered = [
        low <= share <= high
        for share, count in zip(shares, texts, strict=True)
        for low, high in [rate_interval(int(rng.binomial(count, share)), int(count))]
    ]
    assert 0.93 <= np.mean(covered) <= 0.97


def test_the_interval_of_a_difference_covers_it_and_contains_its_estimate():
    import numpy as np

    rng = np.random.default_rng(1)
    covered = []
    for texts in rng.choice(SIZES, EVALUATIONS):
        both, first, second, neither = rng.dirichlet((8, 2, 2, 2))
        _, ahead, behind, _ = rng.multinomial(texts, (both, first, second, neither))
        low, high = paired_difference_interval(int(ahead), int(behind), int(texts))
        assert low <= (ahead - behind) / texts <= high and low < high
        covered.append(low <= first - second <= high)
    assert 0.93 <= np.mean(covered) <= 0.97


def simulated(rng, texts):
    """Labels, true ones and answers of one evaluation, and the macro-F1 that its candidate has on endless texts."""
    import numpy as np

    count = int(rng.choice([2, 3, 5]))
    shares = rng.dirichlet(np.full(count, 5.0))
    says = np.zeros((count, count + 1))  # the last column: unparsed
    for place in range(count):
        right, unparsed = rng.uniform(0.5, 0.95), rng.choice([0.0, 0.03])
        others = rng.dirichlet(np.ones(count - 1)) * (1 - right - unparsed)
        says[place] = [*np.insert(others, place, right), unparsed]
    joint = shares[:, None] * says
    f1 = 2 * np.diag(joint) / (shares + joint[:, :count].sum(axis=0))
    names = [f"label {place}" for place in range(count)]
    true = rng.choice(count, texts, p=shares)
    said = [rng.choice(count + 1, p=says[place]) for place in true]
    return names, [names[t] for t in true], [names[s] if s < count else None for s in said], float(f1.mean())


@pytest.mark.parametrize("sizes", [(5, 8, 12, 20), (30, 50, 100, 300)], ids=["few texts", "more texts"])
def test_the_interval_of_macro_f1_covers_it_in_95_of_100_simulated_evaluations(sizes):
    import numpy as np

    rng, covered = np.random.default_rng(2), []
    for number in range(EVALUATIONS):
        names, true, said, truth = simulated(rng, int(rng.choice(sizes)))
        low, high = macro_f1_interval(true, said, names, seed=number)
        assert low <= macro_f1(true, said, names) <= high and low < high
        covered.append(low <= truth <= high)
    assert 0.93 <= np.mean(covered) <= 0.97


def test_labels_that_a_resample_lacks_do_not_pull_the_interval_below_the_estimate():
    names = [f"label {place}" for place in range(77)]
    true = [name for name in names for _ in range(2)]
    said = [name if place % 5 else "label 0" for place, name in enumerate(true)]
    estimate = macro_f1(true, said, names)
    low, high = macro_f1_interval(true, said, names)
    assert low < estimate < high
    assert high - low < 0.2


def test_with_enough_texts_it_is_the_plain_stratified_bootstrap_of_scikit_learns_macro_f1():
    import numpy as np
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(3)
    names = ["a", "b", "c"]
    true = rng.choice(names, 600)
    said = np.where(rng.random(600) < 0.8, true, rng.choice(names, 600))
    drawn = [
        np.concatenate([rng.choice(np.flatnonzero(true == n), (true == n).sum()) for n in names]) for _ in range(400)
    ]
    theirs = np.percentile([f1_score(true[d], said[d], labels=names, average="macro") for d in drawn], [2.5, 97.5])
    assert macro_f1_interval(true.tolist(), said.tolist(), names) == pytest.approx(theirs, abs=0.008)


def test_no_label_true_is_no_knowledge():
    assert macro_f1_interval([], [], ["a"]) == (0.0, 1.0)
