"""Which task a call is about: one of the built-in ones by its id, or one that the caller has read already."""

from llmops.core.task import Task
from llmops.data.builtin import load_builtin


def chosen_task(task: Task | str) -> Task:
    """A path is no id here: what a program on the network may name is built in. Raises InputError."""
    return task if isinstance(task, Task) else load_builtin(task)
