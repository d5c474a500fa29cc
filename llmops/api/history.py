"""/history from plain values to plain data."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import Field

from llmops.api.context import error_in
from llmops.core.given import GivenSettings, Whole
from llmops.core.settings import Settings
from llmops.evaluation.side_by_side import side_by_side
from llmops.evaluation.summary import summary
from llmops.history.store import History


class GivenHistory(GivenSettings):
    """What of the history is asked for; nothing named: a list of everything."""

    evaluation: Whole | None = Field(None, description="an evaluation's id; none: list everything")
    other: Whole | None = Field(None, description="a second evaluation's id: both side by side")
    comparison: Whole | None = Field(None, description="the id of a single comparison, which is given with its runs")


def history_data(settings: Settings, given: Mapping[str, Any], owner: str = "") -> dict[str, Any]:
    """Everything that is kept; or one evaluation, two of them side by side, or one comparison with its runs."""
    answer: dict[str, Any] = {"error": None}
    with error_in(answer, "history"):
        asked = GivenHistory.read(given)
        history = History(settings.history_path, owner)
        if asked.comparison is not None:
            comparison = history.comparisons.get(asked.comparison)
            runs = [run and run.to_json() for run in history.comparisons.runs(asked.comparison)]
            answer |= {"comparison": asdict(comparison), "runs": runs}
        elif asked.evaluation is not None and asked.other is not None:
            answer |= {"side_by_side": side_by_side(history, asked.evaluation, asked.other).to_json()}
        elif asked.evaluation is not None:
            answer |= summary(history, asked.evaluation)
        else:
            answer |= {
                f"{kind}s": [asdict(record) for record in repository.newest(repository.most_listed)]
                for kind, repository in history.kinds.items()
            }
    return answer
