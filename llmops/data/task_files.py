"""A task as one file, task.toml, or as its text: labels, prompts and texts together, in the built-in tasks' form."""

import json
import re
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llmops.core.errors import TaskFileError
from llmops.core.settings import Settings
from llmops.core.task import Example, Label, Prompt, Task
from llmops.data.builtin import builtin_ids, load_builtin
from llmops.data.columns import ColumnMap
from llmops.data.labelled import to_labelled
from llmops.data.own_task import OWN_TASK
from llmops.data.reading import existing, read_table
from llmops.data.table import clean

_NAME = "task.toml"
_REMEDY = "`llmops task init data.csv task.toml` writes one from a labelled file."
_MOST_PARTS = 31
# tomllib's memory grows with the square of a dotted name's parts: a few hundred kilobytes would take all there is.
_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]++|\\.)*+"|'[^'\n]*+')"""
_DEEP_KEY = re.compile(rf"(?<![A-Za-z0-9_-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{_MOST_PARTS}}}")


def find_task(reference: str, limits: Settings) -> Task:
    """A built-in task by its id, or one in a file or folder by its path. Raises InputError and TaskFileError."""
    path = Path(reference).expanduser()
    if reference in builtin_ids() or not (path.suffix == ".toml" or path.is_dir()):
        return load_builtin(reference)
    return read_task(path / _NAME if path.is_dir() else path, limits)


def read_task(path: Path, limits: Settings) -> Task:
    """A task.toml; its `examples` are tables of text, label, language and split, or the name of a file beside it.

    Raises TaskFileError that names what is missing or wrong.
    """
    source = _Source(path.name, path.parent.name if path.name == _NAME else path.stem, path.parent)
    if existing(path).stat().st_size > limits.max_upload_bytes:
        raise _too_large(source, limits)
    try:
        return _read(path.read_text(encoding="utf-8-sig"), source, limits)
    except UnicodeDecodeError as error:
        raise _no_toml(source, error) from error


def task_from_text(text: str, limits: Settings) -> Task:
    """What a task.toml holds, from whoever sent it: no file is read for it. Raises TaskFileError."""
    source = _Source(_NAME, OWN_TASK)
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise _no_toml(source, error) from error
    if size > limits.max_upload_bytes:
        raise _too_large(source, limits)
    return _read(text.removeprefix("\ufeff"), source, limits)


@dataclass(frozen=True)
class _Source:
    """Where a task is from. name: in errors. id: where the task says none. folder: where its examples may lie."""

    name: str
    id: str
    folder: Path | None = None


def _read(text: str, source: _Source, limits: Settings) -> Task:
    data = _parsed(text, source)
    try:
        task = Task(
            id=_word(data.get("id") or source.id),
            name=_word(data.get("name") or Path(source.name).stem),
            source=_word(data.get("source", "")),
            description=_words(data.get("description", {})),
            labels=tuple(_label(each, tuple(data["prompts"])) for each in data["labels"]),
            prompts={code: Prompt(**_words(prompt)) for code, prompt in data["prompts"].items()},
        )
    except KeyError as error:
        raise TaskFileError(f"{source.name} has no {error.args[0]}.", _REMEDY) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise TaskFileError(f"{source.name} is no task ({str(error)[:120]}).", _REMEDY) from error
    _check(task, source, limits)
    return task.with_examples(_examples(data.get("examples", []), task, source, limits))


def _parsed(text: str, source: _Source) -> dict[str, Any]:
    if _DEEP_KEY.search(text):
        raise TaskFileError(f"{source.name} is no task (a name has more than {_MOST_PARTS} parts).", _REMEDY)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of too many digits is a ValueError, too
        raise _no_toml(source, error) from error


def _check(task: Task, source: _Source, limits: Settings) -> None:
    """What every candidate counts on: labels to choose from, a prompt, and the text in it."""
    if len(set(task.label_ids)) < 2 or len(set(task.label_ids)) < len(task.labels):
        raise TaskFileError(f"{source.name} needs two labels or more, each once.", _REMEDY)
    if not task.prompts:
        raise TaskFileError(f"{source.name} has no prompts.", _REMEDY)
    if any("{text}" not in prompt.user for prompt in task.prompts.values()):
        raise TaskFileError("The user turn has no {text}.", "Write {text} where the text belongs.")
    if len(task.labels) > limits.max_rows:
        raise _too_many(source, "labels", len(task.labels), limits)


def _too_large(source: _Source, limits: Settings) -> TaskFileError:
    return TaskFileError(f"{source.name} is larger than {limits.max_upload_bytes / 1e6:.0f} MB.", "Split its texts.")


def _too_many(source: _Source, what: str, count: int, limits: Settings) -> TaskFileError:
    return TaskFileError(
        f"{source.name} has {count:,} {what}; at most {limits.max_rows:,} are read.", "Leave some out."
    )


def _no_toml(source: _Source, error: Exception) -> TaskFileError:
    return TaskFileError(f"{source.name} is no TOML ({str(error)[:120]}).", _REMEDY)


def write_task(task: Task, path: Path) -> None:
    """One file with everything in it. Raises OSError."""
    import tomli_w

    data: dict[str, Any] = {"id": task.id, "name": task.name, "source": task.source}
    if task.description:
        data["description"] = task.description
    data["labels"] = [asdict(label) for label in task.labels]
    data["prompts"] = {code: asdict(prompt) for code, prompt in task.prompts.items()}
    data["examples"] = [asdict(example) for example in task.examples]
    path.write_text(tomli_w.dumps(data, multiline_strings=False), encoding="utf-8")


def _label(given: dict[str, Any], languages: tuple[str, ...]) -> Label:
    """Names, descriptions and answer words that are not there are the id."""
    label_id = _word(given["id"])
    words = [_words(given.get(name, {})) for name in ("name", "description", "answer")]
    return Label(label_id, *(dict.fromkeys(languages, label_id) | each for each in words))


def _examples(given: object, task: Task, source: _Source, limits: Settings) -> tuple[Example, ...]:
    """Those in the task itself, or those of a file beside it: never of one elsewhere."""
    if isinstance(given, str):
        return _beside(given, task, source, limits)
    if not isinstance(given, list):
        raise TaskFileError(f"The examples of {source.name} are no list.", _REMEDY)
    if len(given) > limits.max_rows:
        raise _too_many(source, "examples", len(given), limits)
    return tuple(_example(number, each, task, source) for number, each in enumerate(given, 1))


def _beside(name: str, task: Task, source: _Source, limits: Settings) -> tuple[Example, ...]:
    if source.folder is None:
        raise TaskFileError(
            f"The examples of {source.name} are the file “{name[:80]}”, which can't be sent along.",
            "Write them into the task itself, as [[examples]].",
        )
    beside = source.folder / Path(name).name
    if beside.name != name or not beside.is_file():
        raise TaskFileError(f"There is no file “{name}” beside {source.name}.", "Put it into the same folder.")
    table = read_table(beside, limits)
    columns = [column if column in table.columns else None for column in ("language", "split")]
    return to_labelled(table, ColumnMap("text", "label", *columns), task).examples


def _example(number: int, given: Any, task: Task, source: _Source) -> Example:  # noqa: ANN401
    """The numbered one of a list. Raises TaskFileError."""
    try:
        example = Example(**{name: clean(_word(value)) for name, value in given.items()})
    except (TypeError, ValueError, AttributeError) as error:
        raise TaskFileError(f"Example {number} of {source.name} is none ({str(error)[:80]}).", _REMEDY) from error
    if example.label not in task.label_ids or example.language not in task.languages:
        what = json.dumps({"label": example.label, "language": example.language}, ensure_ascii=False)
        raise TaskFileError(f"Example {number} of {source.name} has an unknown label or language: {what}.", _REMEDY)
    if example.split not in ("pool", "test"):
        raise TaskFileError(f"Example {number} of {source.name} is in no split: pool or test.", _REMEDY)
    return example


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{json.dumps(value, default=str)[:60]} is no text")
    return value


def _words(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError(f"{json.dumps(value, default=str)[:60]} is no table of texts")
    return {name: _word(each) for name, each in value.items()}
