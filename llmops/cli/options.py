"""Options of a command, from the model of its settings; and what was given, as the object that the model reads."""

import argparse
from collections.abc import Collection
from typing import Any

from llmops.core.given import GivenSettings, SettingForm, forms, with_default

_TYPES = {"integer": int, "number": float, "string": str}


def add_settings(parser: argparse.ArgumentParser, model: type[GivenSettings], without: Collection[str] = ()) -> None:
    """An option for each setting that a command line can give: no secret, no object. without: names left out."""
    for form in _given_here(model):
        if form.name in without:
            continue
        option, words = f"--{form.name.replace('_', '-')}", with_default(form).replace("%", "%%")
        if form.kind == "boolean":
            parser.add_argument(option, action="store_const", const=True, help=words)
        elif form.many:
            parser.add_argument(option, action="extend", nargs="+", type=_TYPES[form.kind], help=words)
        else:
            parser.add_argument(option, type=_TYPES[form.kind], required=form.required, help=words)


def settings_given(args: argparse.Namespace, model: type[GivenSettings]) -> dict[str, Any]:
    """What was given of a model's settings."""
    values = {form.name: getattr(args, form.name, None) for form in _given_here(model)}
    return {name: value for name, value in values.items() if value is not None}


def _given_here(model: type[GivenSettings]) -> list[SettingForm]:
    """A switch that is on unless told is a command's own option, by another name."""
    return [
        form
        for form in forms(model).values()
        if not form.secret and (form.kind in _TYPES or (form.kind == "boolean" and not form.default))
    ]
