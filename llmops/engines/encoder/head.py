"""From a vector to a probability per label: a linear head of plain numbers, or similarity to label descriptions.

No scikit-learn object is ever stored: a head is two arrays, and gives the same probabilities as the model it came from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

# Cosines of sentence embeddings lie close together; 1/20 spreads them to usable probabilities. It is the scale that
# sentence-transformers trains in-batch similarities with.
_SIMILARITY_SCALE = 20.0
_MAX_ITERATIONS = 2000


@dataclass(frozen=True)
class Head:
    """labels: ids in the order of the rows; coef: (labels, width); intercept: (labels,)."""

    labels: tuple[str, ...]
    coef: "np.ndarray"
    intercept: "np.ndarray"

    def probabilities(self, vectors: "np.ndarray") -> "np.ndarray":
        """(texts, labels), each row summing to 1: softmax of vectors · coefᵀ + intercept."""
        import numpy as np

        scores = vectors.astype(np.float64) @ self.coef.T + self.intercept
        scores -= scores.max(axis=1, keepdims=True)
        shares = np.exp(scores)
        result: np.ndarray = shares / shares.sum(axis=1, keepdims=True)
        return result


def fit_head(vectors: "np.ndarray", labels: Sequence[str], seed: int) -> Head:
    """Logistic regression by scikit-learn on (texts, width)."""
    from sklearn.linear_model import LogisticRegression

    return from_regression(LogisticRegression(max_iter=_MAX_ITERATIONS, random_state=seed).fit(vectors, list(labels)))


def from_regression(fitted: Any) -> Head:  # noqa: ANN401
    """The numbers of a fitted LogisticRegression; with two labels its one row z becomes (0, z): same softmax."""
    import numpy as np

    coef, intercept = np.asarray(fitted.coef_, np.float64), np.asarray(fitted.intercept_, np.float64)
    if len(fitted.classes_) == 2 and coef.shape[0] == 1:
        coef, intercept = np.vstack([np.zeros_like(coef), coef]), np.concatenate([[0.0], intercept])
    return Head(tuple(str(label) for label in fitted.classes_), coef, intercept)


def description_head(vectors: "np.ndarray", labels: Sequence[str]) -> Head:
    """Zero-shot: one row a label, its description's vector; (labels, width) normalised here."""
    import numpy as np

    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return Head(tuple(labels), _SIMILARITY_SCALE * units.astype(np.float64), np.zeros(len(labels)))
