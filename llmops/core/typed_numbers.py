"""Numbers as people type them into a field of text. Raises InputError with what was typed and how it is written."""

from llmops.core.errors import InputError


def optional_number(typed: object) -> float | None:
    """A number with a point or a comma; None for an empty field."""
    plain = str(typed or "").strip().replace(",", ".")
    if not plain:
        return None
    try:
        return float(plain)
    except ValueError as error:
        raise InputError(f"“{plain[:40]}” is no number.", "Write digits, such as 0.5, or leave it empty.") from error


def whole_number(name: str, typed: float | None) -> int:
    """A number field's value that must be there and whole."""
    if typed is None or typed != int(typed):
        raise InputError(f"{name} is a whole number.", f"Fill in {name}.")
    return int(typed)


def numbers(name: str, typed: str) -> list[float]:
    """Numbers with commas or semicolons between; whole ones as integers."""
    try:
        return [_as_written(float(part)) for part in _parts(typed)]
    except (ValueError, OverflowError) as error:
        raise InputError(f"The {name} are “{typed[:80]}”.", "Write numbers with commas between: 1, 2, 4.") from error


def whole_numbers(typed: str) -> tuple[int, ...]:
    """Whole numbers with commas or semicolons between."""
    try:
        return tuple(int(part) for part in _parts(typed))
    except ValueError as error:
        raise InputError(f"“{typed[:60]}” is no list of whole numbers.", "Write 1, 2, 4, 8.") from error


def _as_written(value: float) -> float:
    return int(value) if value == int(value) else value


def _parts(typed: str) -> list[str]:
    return [part for part in (typed or "").replace(";", ",").split(",") if part.strip()]
