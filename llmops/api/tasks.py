"""Which task a call is about: a built-in one by its id, the text of a task.toml, or one that was read already."""

from llmops.core.errors import InputError
from llmops.core.settings import Settings
from llmops.core.task import Task
from llmops.data.builtin import builtin_ids, load_builtin
from llmops.data.task_files import task_from_text


def chosen_task(task: object, limits: Settings) -> Task:
    """A path names no task here: a program on the network could read what lies on this machine.

    Raises InputError, and TaskFileError for what is wrong in a task's text.
    """
    if isinstance(task, Task):
        return task
    if not isinstance(task, str):
        raise InputError(f"The task is a {type(task).__name__}.", "Give its id, or the text of its task.toml.")
    if task in builtin_ids():
        return load_builtin(task)
    if "\n" in task or "=" in task:
        return task_from_text(task, limits)
    raise InputError(
        f"There is no task “{task[:80]}”.",
        f"Write one of {', '.join(builtin_ids())}, or the text of a task.toml: a path is not read.",
    )
