"""What is probed: one candidate at a task, with the page's run settings."""

from dataclasses import dataclass

from llmops.catalog.models import model_kinds
from llmops.core.candidate import Candidate, parse_candidate
from llmops.core.errors import InputError, TooMuch
from llmops.core.request import Job
from llmops.core.run_settings import RunSettings
from llmops.core.settings import Settings
from llmops.core.task import Task


@dataclass(frozen=True)
class ProbeTarget:
    """candidate: its text form."""

    task: Task
    candidate: str
    settings: RunSettings

    def parsed(self) -> Candidate:
        """The candidate, asked for by whoever asks. Raises InputError."""
        return parse_candidate(self.candidate, model_kinds()).owned_by(self.settings.connection.owner)

    def texts(self) -> list[str]:
        """The task's held-out texts in the language of the run, else all of its texts. Raises InputError for none."""
        examples = self.task.split("test", self.settings.language) or self.task.examples
        if not examples:
            raise InputError("There are no texts to send.", "Use a task with examples.")
        return [example.text for example in examples]

    def job(self, job: Job) -> Job:
        """The same work with the settings' keys and addresses."""
        return job.asked_with(self.settings.connection)


def check_count(what: str, count: int, limits: Settings) -> None:
    """Raise TooMuch for more requests or cells than one probe makes here."""
    most = limits.max_probe_requests
    if most is not None and count > most:
        raise TooMuch(f"That would be {count:,} {what}; {most:,} are made here in one probe.", "Ask for fewer.")
