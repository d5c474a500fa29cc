"""Plain values (from the page, the API, the command line) checked and turned into core objects, with clear errors."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from llmops.compare.comparison import Comparison
from llmops.core.errors import InputError
from llmops.core.json_object import as_object
from llmops.core.request import Connection, Generation
from llmops.core.run_settings import RunSettings
from llmops.core.settings import Settings
from llmops.core.task import Task
from llmops.runtime.pool import Pool

_DEFAULT = Generation()
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
_SURROGATES = range(0xD800, 0xE000)

SETTING_NAMES = (
    "language",
    "max_new_tokens",
    "temperature",
    "seed",
    "truncate",
    "all_at_once",
    "unload_after",
    "local_only",
    "openai_key",
    "base_url",
    "hf_token",
    "provider",
)


def check_text(text: object, max_chars: int) -> str:
    """The text as it will be sent: NUL and other control characters out, line breaks and tabs kept.

    Raises InputError for what is no text, for nothing but white space, and above max_chars.
    """
    if not isinstance(text, str):
        raise InputError(f"The text is a {type(text).__name__}.", "Give a text.")
    cleaned = "".join(c for c in text if c in "\n\t" or (c >= " " and c != "\x7f" and ord(c) not in _SURROGATES))
    if not cleaned.strip():
        raise InputError("The text is empty.", "Type a text or click an example.")
    if len(cleaned) > max_chars:
        raise InputError(
            f"The text has {len(cleaned):,} characters; at most {max_chars:,} are read.", "Shorten the text."
        )
    return cleaned


def check_candidates(candidates: object, most: int) -> list[str]:
    """The candidates, if there are 1 to `most`. Raises InputError."""
    if not isinstance(candidates, list | tuple) or any(not isinstance(one, str) for one in candidates):
        raise InputError("The candidates are no list of texts.", 'Write ["embedded/decoder@bf16"].')
    if not candidates:
        raise InputError("No candidate is selected.", "Choose at least one in Past, Present or Future.")
    if len(candidates) > most:
        raise InputError(f"{len(candidates)} candidates are selected; {most} fit side by side.", "Remove some.")
    return list(candidates)


def read_generation(max_new_tokens: object, temperature: object, seed: object, most_tokens: int) -> Generation:
    """Checked generation settings: 1..most_tokens, 0..2, 0..2³²−1. Raises InputError."""
    return Generation(
        max_new_tokens=int(_number("max_new_tokens", max_new_tokens, 1, most_tokens, whole=True)),
        temperature=_number("temperature", temperature, 0, 2),
        seed=int(_number("seed", seed, 0, 2**32 - 1, whole=True)),
    )


def check_shared(options: RunSettings, limits: Settings) -> RunSettings:
    """The options, unless they would be at other visitors' cost on a public page. Raises InputError."""
    if limits.public and (options.all_at_once or options.unload_after):
        raise InputError(
            "On a public page local models take turns, and stay loaded for others.",
            "Untick “all at once” and “unload after each run”.",
        )
    return options


def read_settings(
    given: str | Mapping[str, Any] | None, task: Task, text: str, limits: Settings, owner: str = ""
) -> RunSettings:
    """RunSettings from a JSON object (text or mapping) with any of SETTING_NAMES. Raises InputError.

    owner: who asks. Without a language, it is the one of the task's that the text is likeliest in.
    """
    data = as_object(given)
    unknown = sorted(set(data) - set(SETTING_NAMES))
    if unknown:
        raise InputError(f"Unknown setting: {said(unknown)}.", f"Known: {', '.join(SETTING_NAMES)}.")
    language = _string(data, "language") or task.language_of(text)
    task.prompt(language)
    options = RunSettings(
        language=language,
        generation=read_generation(
            data.get("max_new_tokens", _DEFAULT.max_new_tokens),
            data.get("temperature", _DEFAULT.temperature),
            data.get("seed", _DEFAULT.seed),
            limits.max_new_tokens,
        ),
        connection=Connection(
            openai_key=_string(data, "openai_key"),
            base_url=_string(data, "base_url"),
            hf_token=_string(data, "hf_token"),
            provider=_string(data, "provider"),
            local_only=read_flag(data, "local_only"),
            owner=owner,
        ),
        truncate=read_flag(data, "truncate"),
        all_at_once=read_flag(data, "all_at_once"),
        unload_after=read_flag(data, "unload_after"),
    )
    return check_shared(options, limits)


def make_comparison(
    pool: Pool,
    task: Task,
    text: object,
    candidates: object,
    given: str | Mapping[str, Any] | None,
    limits: Settings,
    owner: str = "",
) -> Comparison:
    """A comparison ready to start, from a program's plain values. Raises InputError."""
    checked = check_candidates(candidates, limits.max_columns)
    cleaned = check_text(text, limits.max_text_chars)
    return Comparison(pool, task, cleaned, checked, read_settings(given, task, cleaned, limits, owner))


def said(names: Iterable[str]) -> str:
    """Names as they may be repeated in an error: what does not look like a name may be a key in the wrong place."""
    return ", ".join(name if _NAME.fullmatch(name) else "(no name)" for name in names)


def _string(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    if value is not None and not isinstance(value, str):
        raise InputError(f"{name} is a text; it is a {type(value).__name__}.", f'Write "{name}": "…".')
    return (value or "").strip() or None


def read_flag(data: Mapping[str, Any], name: str, default: bool = False) -> bool:
    """A true or false by name. Raises InputError."""
    value = data.get(name, default)
    if not isinstance(value, bool):
        raise InputError(f"{name} is true or false; it is {value!r}.", f'Write "{name}": true.')
    return value


def _number(name: str, value: object, low: float, high: float, whole: bool = False) -> float:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if number is None or not low <= number <= high or (whole and number != int(number)):
        kind = "a whole number" if whole else "a number"
        raise InputError(f"{name} is {kind} from {low:g} to {high:g}; it is {value!r}.", f"Correct {name}.")
    return number
