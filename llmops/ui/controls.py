"""The one way down: every input of a run as one NamedTuple, filled once with components and once with values.

Order can't drift, because both sides are the same tuple. Page values become core objects here and nowhere else.
"""

from typing import Any, NamedTuple

from llmops.compare.comparison import Comparison
from llmops.compare.inputs import check_candidates, check_text
from llmops.core.errors import InputError
from llmops.core.request import Connection
from llmops.core.run_settings import GivenRunSettings, RunSettings
from llmops.core.task import Task
from llmops.data.builtin import load_builtin
from llmops.data.own_task import OWN_TASK
from llmops.ui import sign_in
from llmops.ui.services import Services


class Controls(NamedTuple):
    """Components while the page is built, their values in a callback. Types are the values'."""

    task_id: Any  # str
    own_task: Any  # Task | None, session state
    language: Any  # str
    text: Any  # str
    past: Any  # list[str] of candidate texts
    present: Any
    future: Any
    max_new_tokens: Any  # int
    temperature: Any  # float
    seed: Any  # int
    long_texts: Any  # str of core.long_texts
    all_at_once: Any  # bool
    unload_after: Any  # bool
    local_only: Any  # bool
    openai_key: Any  # str
    base_url: Any  # str
    hf_token: Any  # str
    provider: Any  # str

    def candidates(self) -> list[str]:
        """Selected candidate texts of all epochs, in tab order, each once."""
        chosen = [*(self.past or []), *(self.present or []), *(self.future or [])]
        return list(dict.fromkeys(text.strip() for text in chosen if text.strip()))

    def task(self) -> Task:
        """The visitor's own task, or a built-in one. Raises InputError."""
        return pick_task(self.task_id, self.own_task)

    def connection(self, services: Services) -> Connection:
        """Keys and addresses as typed; empty fields are None. Without a typed token, that of who signed in."""
        named = {name: getattr(self, name) for name in ("openai_key", "base_url", "provider", "local_only")}
        given = GivenRunSettings.read(named | {"hf_token": sign_in.token_of(self.hf_token)})
        return given.connection(services.asking().owner)

    def options(self, services: Services) -> RunSettings:
        """Everything but text, task and candidates. Raises InputError for a number out of its range."""
        named = {name: getattr(self, name) for name in GivenRunSettings.model_fields}
        given = GivenRunSettings.within(named | {"hf_token": sign_in.token_of(self.hf_token)}, services.settings)
        return given.in_language(self.language, services.asking().owner)

    def comparison(self, services: Services) -> Comparison:
        """A comparison ready to start. Raises InputError where something common to all columns is wrong."""
        candidates = check_candidates(self.candidates(), services.settings.max_columns)
        text = check_text(self.text or "", services.settings.max_text_chars)
        return Comparison(services.pool, self.task(), text, candidates, self.options(services))


def pick_task(task_id: str, own_task: Task | None) -> Task:
    """A built-in task by id, or the visitor's own. Raises InputError."""
    if task_id != OWN_TASK:
        return load_builtin(task_id)
    if own_task is None:
        raise InputError("There is no task of your own yet.", "Upload a file under “Your own task”.")
    return own_task
