"""A task as one file, task.toml: labels, prompts and texts together, in the built-in tasks' form."""

import json
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from llmops.core.errors import TaskFileError
from llmops.core.settings import Settings
from llmops.core.task import Example, Label, Prompt, Task
from llmops.data.builtin import builtin_ids, load_builtin
from llmops.data.columns import ColumnMap
from llmops.data.labelled import to_labelled
from llmops.data.reading import existing, read_table
from llmops.data.table import clean

_NAME = "task.toml"
_REMEDY = "`llmops task init data.csv task.toml` writes one from a labelled file."


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
    if existing(path).stat().st_size > limits.max_upload_bytes:
        raise TaskFileError(f"{path.name} is larger than {limits.max_upload_bytes / 1e6:.0f} MB.", "Split its texts.")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TaskFileError(f"{path.name} is no TOML ({str(error)[:120]}).", _REMEDY) from error
    try:
        task = Task(
            id=_word(data.get("id") or path.parent.name if path.name == _NAME else data.get("id") or path.stem),
            name=_word(data.get("name") or path.stem),
            source=_word(data.get("source", "")),
            description=_words(data.get("description", {})),
            labels=tuple(_label(each, tuple(data["prompts"])) for each in data["labels"]),
            prompts={code: Prompt(**_words(prompt)) for code, prompt in data["prompts"].items()},
        )
    except KeyError as error:
        raise TaskFileError(f"{path.name} has no {error.args[0]}.", _REMEDY) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise TaskFileError(f"{path.name} is no task ({str(error)[:120]}).", _REMEDY) from error
    if len(set(task.label_ids)) < 2 or len(set(task.label_ids)) < len(task.labels):
        raise TaskFileError(f"{path.name} needs two labels or more, each once.", _REMEDY)
    return task.with_examples(_examples(data.get("examples", []), task, path, limits))


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


def _examples(given: object, task: Task, path: Path, limits: Settings) -> tuple[Example, ...]:
    """Those in the file, or those of a file beside it: never of one elsewhere."""
    if isinstance(given, str):
        beside = path.parent / Path(given).name
        if beside.name != given or not beside.is_file():
            raise TaskFileError(f"There is no file “{given}” beside {path.name}.", "Put it into the same folder.")
        table = read_table(beside, limits)
        columns = [name if name in table.columns else None for name in ("language", "split")]
        return to_labelled(table, ColumnMap("text", "label", *columns), task).examples
    if not isinstance(given, list):
        raise TaskFileError(f"The examples of {path.name} are no list.", _REMEDY)
    examples = []
    for number, each in enumerate(given, 1):
        try:
            example = Example(**{name: clean(_word(value)) for name, value in each.items()})
        except (TypeError, ValueError, AttributeError) as error:
            raise TaskFileError(f"Example {number} of {path.name} is none ({str(error)[:80]}).", _REMEDY) from error
        if example.label not in task.label_ids or example.language not in task.languages:
            what = json.dumps({"label": example.label, "language": example.language}, ensure_ascii=False)
            raise TaskFileError(f"Example {number} of {path.name} has an unknown label or language: {what}.", _REMEDY)
        if example.split not in ("pool", "test"):
            raise TaskFileError(f"Example {number} of {path.name} is in no split: pool or test.", _REMEDY)
        examples.append(example)
    return tuple(examples)


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{json.dumps(value, default=str)[:60]} is no text")
    return value


def _words(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError(f"{json.dumps(value, default=str)[:60]} is no table of texts")
    return {name: _word(each) for name, each in value.items()}
