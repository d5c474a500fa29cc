"""What comes from outside (page, API, command line) as pydantic models: types, ranges, defaults and descriptions.

A model of settings inherits GivenSettings and stands with whoever uses it. `read` is the one way in, and the only place
where pydantic's errors become an InputError; a validator of our own raises InputError itself. `forms` tells what a
model asks for: the command line, the endpoints' documentation and the README's table are made of it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from llmops.core.errors import InputError, redact
from llmops.core.json_object import as_object

_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
_MOST_SHOWN = 30  # characters of a text that are repeated in an error: keys are longer
_LISTS = {"integer": "a list of whole numbers", "number": "a list of numbers", "string": "a list of names"}


def _as_whole(value: Any) -> Any:  # noqa: ANN401
    """5.0 is a 5: a page and some programs write every number so."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _as_tuple(value: Any) -> Any:  # noqa: ANN401
    return tuple(value) if isinstance(value, list) else value


def _stripped(value: str | None) -> str | None:
    return (value or "").strip() or None


Whole = Annotated[int, BeforeValidator(_as_whole)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1), BeforeValidator(_as_whole)]
WholeNumbers = Annotated[tuple[Whole, ...], BeforeValidator(_as_tuple)]
Numbers = Annotated[tuple[float, ...], BeforeValidator(_as_tuple)]
Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
Text = Annotated[str | None, AfterValidator(_stripped)]
"""Without white space around it; None where nothing is left."""


class GivenSettings(BaseModel):
    """Settings as a JSON object. Strict: true is no number and "5" is no 5. A name that is not known is refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)

    @classmethod
    def read(
        cls,
        given: str | Mapping[str, Any] | None,
        most: Mapping[str, float] | None = None,
        called: Mapping[str, str] | None = None,
    ) -> Self:
        """The settings out of a JSON object (text or mapping); None and "" are empty. Raises InputError.

        most: upper bounds of this process, by name. called: what whoever gave them calls some of them.
        """
        data, most, called = dict(as_object(given)), most or {}, called or {}
        try:
            settings = cls.model_validate(data)
        except ValidationError as error:
            raise _in_words(cls, error, data, most, called) from None  # the cause holds what was given, keys too
        for name, bound in most.items():
            if getattr(settings, name) > bound:
                raise _wrong(forms(cls)[name], getattr(settings, name), bound, called.get(name, name))
        return settings


@dataclass(frozen=True)
class SettingForm:
    """What a setting may be. kind: a type of JSON Schema. many: a list of them. least, above, most: of a number."""

    name: str
    kind: str
    many: bool
    required: bool
    default: Any
    description: str
    title: str  # what a choice is one of
    secret: bool
    choices: tuple[str, ...] = ()
    least: float | None = None
    above: float | None = None
    most: float | None = None
    example: Any = None


@cache
def forms(model: type[GivenSettings]) -> dict[str, SettingForm]:
    """Name → form of each of a model's settings, in order."""
    properties = model.model_json_schema()["properties"]
    return {name: _form(model, name, schema) for name, schema in properties.items()}


def listed(model: type[GivenSettings]) -> str:
    """A model's settings as prose: name, what it is, default, one after the other."""
    return "; ".join(f"{form.name}: {with_default(form)}" for form in forms(model).values())


def with_default(form: SettingForm) -> str:
    """What a setting is, with its default where it has one."""
    if form.default in (None, False, "", ()):
        return form.description
    values = form.default if form.many else (form.default,)
    return f"{form.description} ({' '.join('true' if value is True else f'{value}' for value in values)})"


def as_table(model: type[GivenSettings]) -> str:
    """A model's settings as rows of a Markdown table: name, and what it is with its default."""
    return "\n".join(f"| `{form.name}` | {with_default(form)} |" for form in forms(model).values())


def unknown_choice(what: str, value: object, choices: Iterable[str]) -> InputError:
    """What to say of a value that is none of the choices."""
    return InputError(f"“{_shown(value).strip(chr(39))}” is no {what}.", f"Use one of: {', '.join(choices)}.")


def repeatable(names: Iterable[str]) -> str:
    """Names as they may be repeated in an error: what does not look like a name may be a key in the wrong place."""
    return ", ".join(name if _NAME.fullmatch(name) else "(no name)" for name in names)


def _form(model: type[GivenSettings], name: str, schema: dict[str, Any]) -> SettingForm:
    variants = [variant for variant in schema.get("anyOf", [schema]) if variant.get("type") != "null"]
    inner = variants[0]
    many = inner.get("type") == "array"
    single = inner["items"] if many else inner
    field = model.model_fields[name]
    return SettingForm(
        name=name,
        kind=single.get("type", "any"),
        many=many,
        required=field.is_required(),
        default=None if field.is_required() else field.default,
        description=schema.get("description", ""),
        title=field.title or name,
        secret=not field.repr,
        choices=tuple(single.get("enum", ())),
        least=single.get("minimum"),
        above=single.get("exclusiveMinimum"),
        most=single.get("maximum"),
        example=(schema.get("examples") or [None])[0],
    )


def _in_words(
    model: type[GivenSettings],
    error: ValidationError,
    data: Mapping[str, Any],
    most: Mapping[str, float],
    called: Mapping[str, str],
) -> InputError:
    details = error.errors(include_url=False, include_context=False, include_input=False)
    unknown = sorted(
        {str(detail["loc"][0]) for detail in details if detail["type"] in ("extra_forbidden", "invalid_key")}
    )
    if unknown:
        return InputError(f"Unknown setting: {repeatable(unknown)}.", f"Known: {', '.join(model.model_fields)}.")
    name = str(details[0]["loc"][0])
    form = forms(model)[name]
    return _wrong(form, data.get(name), most.get(name, form.most), called.get(name, name))


def _wrong(form: SettingForm, value: object, most: float | None, name: str) -> InputError:
    """What is wrong with a value of this form, and what to write. name: as whoever gave it calls it."""
    shown = _shown(value)
    if form.many:
        write = f'Write "{name}": {json.dumps(form.example or [1, 2, 4])}.'
        if form.kind == "integer":
            return InputError(f"{name} is a list of whole numbers; it is {shown}.", write)
        if form.kind == "number":
            return InputError(f"{name} is a list of numbers; it is {shown}.", write)
        return InputError(f"{name} is a list of names.", write)
    if form.choices:
        return unknown_choice(form.title, value, form.choices)
    if form.kind == "boolean":
        return InputError(f"{name} is true or false; it is {shown}.", f'Write "{name}": true.')
    if form.kind == "object":
        return InputError(f"{name} is an object.", f'Write "{name}": {json.dumps(form.example or {})}.')
    if form.kind == "string":
        kind = "empty" if value is None else f"a {type(value).__name__}"
        return InputError(f"{name} is a text; it is {kind}.", f'Write "{name}": "…".')
    return _wrong_number(form, shown, most, name)


def _wrong_number(form: SettingForm, shown: str, most: float | None, name: str) -> InputError:
    """What is wrong with a number that is too small, too large or none."""
    correct = f"Correct {name}."
    if form.kind == "number" and form.above == 0 and most is None:
        return InputError(f"{name} is a number of seconds above 0; it is {shown}.", correct)
    if form.kind == "number":
        low = form.least if form.above is None else form.above
        return InputError(f"{name} is a number from {_figure(low)} to {_figure(most)}; it is {shown}.", correct)
    if form.least is None or most is None:
        return InputError(f"{name} is a whole number; it is {shown}.", correct)
    return InputError(
        f"{name} is a whole number from {_figure(form.least)} to {_figure(most)}; it is {shown}.", correct
    )


def _figure(bound: float | None) -> str:
    """A bound as it is read: 4,294,967,295, not 4.29497e+09."""
    if bound is None:
        return "…"
    return f"{int(bound):,}" if float(bound).is_integer() else f"{bound:g}"


def _shown(value: object) -> str:
    """A value as it may be repeated: a long text may be a key in the wrong place."""
    if value is None:
        return "empty"
    if isinstance(value, str) and len(value) > _MOST_SHOWN:
        return f"a text of {len(value)} characters"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list with texts" if any(isinstance(part, str) for part in value) else redact(repr(list(value)))[:80]
    return redact(repr(value))[:80]
