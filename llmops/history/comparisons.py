"""Single comparisons: one text, its candidates, and their runs, kept as they end."""

import json
from dataclasses import dataclass

from llmops.core.run import Run
from llmops.history.database import now
from llmops.history.repository import HistoryRecord, Parts, Repository, read_run


@dataclass(frozen=True, kw_only=True)
class ComparisonRecord(HistoryRecord):
    """One text through several candidates. source: page, api or command. labels: label id → name in its language."""

    source: str
    labels: dict[str, str]
    text: str
    language: str
    candidates: tuple[str, ...]


class Comparisons(Repository[ComparisonRecord]):
    """The comparisons and their runs."""

    record = ComparisonRecord
    table = "comparisons"
    noun = "comparison"
    json_columns = ("settings", "versions", "labels", "candidates")
    identity = ("created", "machine", "text")
    most_listed = 500
    parts = Parts("comparison_runs", "comparison_id", "place, created, run")

    def add_run(self, number: int, place: int, run: Run) -> None:
        """Keep a run of one candidate; a retry is one more, and the last one counts."""
        with self._database.open() as connection:
            connection.execute(
                "INSERT INTO comparison_runs (comparison_id, place, created, run) VALUES (?,?,?,?)",
                (number, place, now(), json.dumps(run.to_json(), ensure_ascii=False)),
            )

    def runs(self, number: int) -> list[Run | None]:
        """The last run of each candidate, in the candidates' order; None where it has none."""
        candidates = self.get(number).candidates
        with self._database.open() as connection:
            query = "SELECT place, run FROM comparison_runs WHERE comparison_id = ? ORDER BY id"
            last = dict(connection.execute(query, (number,)).fetchall())
        return [read_run(last[place]) if place in last else None for place in range(len(candidates))]
