"""The built-in tasks: folders below `data/tasks/` with `task.toml` and `examples.jsonl`. A new folder is a new task."""

import json
import tomllib
from functools import cache
from pathlib import Path

from llmops.core.errors import InputError
from llmops.core.task import Example, Label, Prompt, Task

TASKS_DIR = Path(__file__).parent / "tasks"


def builtin_ids() -> tuple[str, ...]:
    """Ids of the built-in tasks, `medical` first."""
    ids = sorted(path.parent.name for path in TASKS_DIR.glob("*/task.toml"))
    return tuple(sorted(ids, key=lambda name: name != "medical"))


@cache
def load_builtin(task_id: str) -> Task:
    """A built-in task with its examples. Raises InputError for an unknown id."""
    if task_id not in builtin_ids():
        raise InputError(f"There is no task “{task_id}”.", f"Choose one of: {', '.join(builtin_ids())}.")
    folder = TASKS_DIR / task_id
    data = tomllib.loads((folder / "task.toml").read_text(encoding="utf-8"))
    lines = (folder / "examples.jsonl").read_text(encoding="utf-8").splitlines()
    return Task(
        id=data["id"],
        name=data["name"],
        source=data["source"],
        description=data["description"],
        labels=tuple(Label(**label) for label in data["labels"]),
        prompts={language: Prompt(**prompt) for language, prompt in data["prompts"].items()},
        examples=tuple(Example(**json.loads(line)) for line in lines if line.strip()),
    )
