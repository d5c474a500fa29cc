"""JSON and JSON Lines as rows: arrays of objects, pandas' orients, Label Studio's exports."""

import json
from collections.abc import Mapping, Sequence

from llmops.core.errors import TaskFileError
from llmops.data.problems import Problem
from llmops.data.table import RawRows, check_width

_REMEDY = 'Write a list of objects, [{"text": "…", "label": "…"}], or one object a line.'


def json_lines(text: str, notes: Sequence[str]) -> RawRows:
    """An object a line; lines end at line feeds alone, since others may stand in a string."""
    raw = RawRows((), list(notes), names_known=True)
    objects: list[tuple[int, Mapping[str, object]]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raw.problems.append(Problem(number, "", f"it is no JSON ({str(error)[:80]})"))
            continue
        if isinstance(found, Mapping):
            objects.append((number, found))
        else:
            raw.problems.append(Problem(number, "", "it is no JSON object"))
    if not objects:
        first = f" {raw.problems[0]}" if raw.problems else ""
        raise TaskFileError(f"No line is a JSON object.{first}", _REMEDY)
    raw.rows = _table(objects)
    return raw


def json_rows(text: str, notes: Sequence[str]) -> RawRows:
    """One JSON value with rows in it. Raises TaskFileError; a file of several values is read as JSON Lines."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        if len(text.strip().split("\n")) > 1 and text.lstrip().startswith("{"):
            return json_lines(text, notes)
        raise TaskFileError(f"The file is no JSON ({str(error)[:120]}).", _REMEDY) from error
    raw = RawRows((), list(notes), names_known=True)
    objects: list[tuple[int, Mapping[str, object]]] = []
    for number, found in enumerate(_objects(value), 1):
        if isinstance(found, Mapping):
            objects.append((number, _flat(found)))
        else:
            raw.problems.append(Problem(number, "", "it is no JSON object"))
    if not objects:
        raise TaskFileError("The file has no list of objects.", _REMEDY)
    raw.rows = _table(objects)
    return raw


def _objects(value: object) -> list[object]:
    """Rows of an array, of pandas' orients split, columns and index, or of the one list in an object."""
    if isinstance(value, list):
        return value
    if not isinstance(value, Mapping):
        return []
    columns, data = value.get("columns"), value.get("data")
    if isinstance(columns, list) and isinstance(data, list):
        return [dict(zip(map(str, columns), row, strict=False)) for row in data if isinstance(row, list)]
    inner = list(value.values())
    lists = [item for item in inner if isinstance(item, list)]
    if len(lists) == 1 and all(isinstance(row, Mapping) for row in lists[0]):
        return lists[0]
    if lists and len(lists) == len(inner) and len({len(item) for item in lists}) == 1:
        return [dict(zip(value, row, strict=True)) for row in zip(*lists, strict=True)]
    if inner and all(isinstance(item, Mapping) for item in inner):
        if any(isinstance(cell, Mapping) for item in inner for cell in item.values()):
            return inner
        keys = list(inner[0])
        if all(list(item) == keys for item in inner) and len(inner) < len(keys):
            return [{name: column[key] for name, column in value.items()} for key in keys]
        return inner
    return []


def _flat(found: Mapping[str, object]) -> Mapping[str, object]:
    """A Label Studio task's data beside its first annotation's choice; others as they are."""
    data, annotations = found.get("data"), found.get("annotations", found.get("completions"))
    if not isinstance(data, Mapping) or not isinstance(annotations, list):
        return found
    return {**data, "label": _first_choice(annotations)}


def _first_choice(annotations: list[object]) -> object:
    for annotation in annotations:
        results = annotation.get("result") if isinstance(annotation, Mapping) else None
        for result in results if isinstance(results, list) else []:
            value = result.get("value") if isinstance(result, Mapping) else None
            choices = value.get("choices") if isinstance(value, Mapping) else None
            if isinstance(choices, list) and choices:
                return choices[0]
    return None


def _table(objects: Sequence[tuple[int, Mapping[str, object]]]) -> list[tuple[int, list[str]]]:
    columns: dict[str, None] = {}
    for _, fields in objects:
        columns |= dict.fromkeys(map(str, fields))
        check_width(len(columns))  # before rows are made as wide: a key of its own a line would be a square
    rows = [(number, [as_text(fields.get(key)) for key in columns]) for number, fields in objects]
    return [(0, list(columns)), *rows]


def as_text(value: object) -> str:
    """A cell of a program's value: text as it is, nothing for null, the rest as JSON writes it, if it can."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
