"""Who is better than whom: pairs of candidates on the same texts, by McNemar's exact test, Holm's correction and words.

A candidate that mostly gave no verdict is better or worse than nobody: it has a sentence of its own. SciPy does the
test.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

from llmops.core.intervals import Interval, paired_difference_interval
from llmops.history.evaluations import LabelledAnswer

SHOWN = 0.05  # a corrected p below which a difference counts as shown
_MOST_UNANSWERED = 0.5  # share of the texts without a verdict, above which a candidate is compared with no other
_FEWEST_DISCORDANT = 6  # with fewer, even a clean sweep has p above 0.05


@dataclass(frozen=True)
class Pair:
    """Two candidates on the same texts. difference: accuracy of one minus other, with its 95 % interval.

    p_value: McNemar's exact test. corrected_p_value: by Holm over so many `comparisons`, those that were made together.
    """

    one: str  # the fields' names are keys of the endpoints' answers
    other: str
    texts: int
    only_one_right: int
    only_other_right: int
    difference: float
    interval: Interval
    p_value: float
    corrected_p_value: float
    comparisons: int
    sentence: str

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True)
class PairedComparisons:
    """Every pair of those that mostly answered, and a sentence each on those that did not."""

    pairs: tuple[Pair, ...]
    unanswered: dict[str, str]

    def pair(self, first: str, second: str) -> Pair | None:
        """The pair in this order; None where one of the two did not take part."""
        for pair in self.pairs:
            if (pair.one, pair.other) == (first, second):
                return pair
            if (pair.one, pair.other) == (second, first):
                low, high = pair.interval
                return replace(
                    pair,
                    one=first,
                    other=second,
                    only_one_right=pair.only_other_right,
                    only_other_right=pair.only_one_right,
                    difference=-pair.difference,
                    interval=(-high, -low),
                )
        return None


def compare_all(rows: Sequence[LabelledAnswer], names: Sequence[str]) -> PairedComparisons:
    """Every pair of the named candidates, corrected for being several; p-values are those of the first repeat."""
    return _compare(rows, names, list(combinations(names, 2)))


def compare_with(rows: Sequence[LabelledAnswer], candidate: str, others: Sequence[str]) -> PairedComparisons:
    """One candidate against each of the others, corrected for so many."""
    return _compare(rows, [candidate, *others], [(candidate, other) for other in others])


def _compare(
    rows: Sequence[LabelledAnswer], names: Sequence[str], wanted: Sequence[tuple[str, str]]
) -> PairedComparisons:
    first = {name: {row.place: row for row in rows if row.candidate == name and row.repeat == 0} for name in names}
    unanswered = {name: sentence for name in names if (sentence := _unanswered(name, first[name].values()))}
    taking_part = {name for name in names if name not in unanswered and first[name]}
    pairs = [_pair(*pair, first[pair[0]], first[pair[1]]) for pair in wanted if taking_part.issuperset(pair)]
    corrected = holm([pair.p_value for pair in pairs])
    return PairedComparisons(tuple(map(_corrected, pairs, corrected, [len(pairs)] * len(pairs))), unanswered)


def compare(rows: Sequence[LabelledAnswer], first: str, second: str) -> PairedComparisons:
    """Two candidates by themselves."""
    return compare_all(rows, (first, second))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected for being several, in their order (Holm 1979, step down)."""
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = highest
    return corrected


def _unanswered(name: str, rows: Iterable[LabelledAnswer]) -> str:
    """What is said of a candidate that mostly gave no verdict; nothing of one that did."""
    asked = list(rows)
    unparsed, failed = sum(row.unparsed for row in asked), sum(row.failed for row in asked)
    if unparsed + failed <= _MOST_UNANSWERED * len(asked):
        return ""
    return (
        f"{name} gave no verdict on {unparsed + failed:,} of {len(asked):,} texts ({unparsed:,} unparsed, {failed:,} "
        "failed): it is compared with no other."
    )


def _pair(one: str, other: str, first: dict[int, LabelledAnswer], second: dict[int, LabelledAnswer]) -> Pair:
    """Not corrected yet, and without a sentence. McNemar's exact test is a binomial one on the discordant pairs."""
    from scipy.stats import binomtest

    both = [(_is_right(first[place]), _is_right(second[place])) for place in sorted(set(first) & set(second))]
    ahead, behind = both.count((True, False)), both.count((False, True))
    p_value = float(binomtest(ahead, ahead + behind, 0.5).pvalue) if ahead + behind else 1.0
    interval = paired_difference_interval(ahead, behind, len(both)) if both else (-1.0, 1.0)
    difference = (ahead - behind) / len(both) if both else 0.0
    return Pair(one, other, len(both), ahead, behind, difference, interval, p_value, p_value, 1, "")


def _is_right(row: LabelledAnswer) -> bool:
    return row.y_hat == row.y_true


def _corrected(pair: Pair, p_value: float, comparisons: int) -> Pair:
    pair = replace(pair, corrected_p_value=p_value, comparisons=comparisons)
    return replace(pair, sentence=_sentence(pair))


def _sentence(pair: Pair) -> str:
    better, worse = (pair.one, pair.other) if pair.difference > 0 else (pair.other, pair.one)
    size = f"{abs(pair.difference) * 100:.1f} points"
    low, high = sorted(edge * (100 if pair.difference > 0 else -100) + 0.0 for edge in pair.interval)
    span, discordant = f"95 % interval {low:.1f} to {high:.1f}", pair.only_one_right + pair.only_other_right
    if not pair.texts:
        return f"{pair.one} and {pair.other} have no text in common."
    if not discordant:
        return (
            f"{pair.one} and {pair.other} are right on the same texts and wrong on the same: nothing tells them apart "
            "here."
        )
    if discordant < _FEWEST_DISCORDANT:
        return (
            f"Too few texts to tell {pair.one} and {pair.other} apart: only {discordant} of them are answered rightly "
            f"by one and wrongly by the other (difference {size}, {span})."
        )
    if pair.corrected_p_value < SHOWN:
        return f"{better} is better than {worse} by {size} ({span}; {_p(pair, '.3g')})."
    return (
        f"No difference between {pair.one} and {pair.other} is shown: "
        f"{better} is ahead by {size} ({span}; {_p(pair, '.2f')}). "
        "More texts may show one."
    )


def _p(pair: Pair, digits: str) -> str:
    """The p-value, and that it is corrected where it is."""
    written = f"p = {format(pair.corrected_p_value, digits)}"
    return written if pair.comparisons < 2 else f"{written} by Holm's correction for {pair.comparisons} comparisons"
