"""The selection in the page's address, so that a link reopens it: task, language, candidates.

Never a text, never a key.

It is built from an allow-list of our own: Gradio's deep links would store every component's value on the server.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from llmops.catalog.models import model_kinds
from llmops.core.candidate import Candidate, Epoch, parse_candidate
from llmops.core.errors import InputError
from llmops.data.builtin import builtin_ids, load_builtin

# Runs in the browser with (task, language, past, present, future).
WRITE_JS = """(task, language, past, present, future) => {
  const query = new URLSearchParams(window.location.search);
  for (const name of ["task", "lang", "c"]) query.delete(name);
  query.set("task", task); query.set("lang", language);
  for (const candidate of [...(past || []), ...(present || []), ...(future || [])]) query.append("c", candidate);
  window.history.replaceState(null, "", window.location.pathname + "?" + query.toString());
}"""


@dataclass(frozen=True)
class LinkedSelection:
    """What a link holds. Candidates that can't be read are left out."""

    task_id: str
    language: str
    candidates: tuple[str, ...]

    def of(self, epoch: Epoch) -> list[str]:
        """The candidates of one tab."""
        return of_epoch(self.candidates, epoch)


def read(query: Mapping[str, list[str]], most: int, preferred: str = "") -> LinkedSelection:
    """A selection out of query parameters (name → values); unknown tasks fall back to the first.

    Without a known language the task's texts are in `preferred` where it has that, else in its first.
    """
    ids = builtin_ids()
    task_id = next(iter(query.get("task", [])), ids[0])
    task = load_builtin(task_id if task_id in ids else ids[0])
    wanted = [*query.get("lang", [])[:1], preferred, task.languages[0]]
    language = next(code for code in wanted if code in task.languages)
    chosen = dict.fromkeys(text for text in query.get("c", []) if any(_parsed(text, epoch) for epoch in Epoch))
    return LinkedSelection(task.id, language, tuple(chosen)[:most])


def of_epoch(candidates: Iterable[str], epoch: Epoch) -> list[str]:
    """Those of one epoch; what can't be read is left out."""
    return [text for text in candidates if _parsed(text, epoch)]


def _parsed(text: str, epoch: Epoch) -> Candidate | None:
    try:
        candidate = parse_candidate(text, model_kinds())
    except InputError:
        return None
    return candidate if candidate.epoch == epoch else None
