"""The text and the candidates of a comparison, checked; the settings are `core/run_settings.py`'s."""

from llmops.core.errors import InputError

_SURROGATES = range(0xD800, 0xE000)


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
    if not isinstance(candidates, list | tuple) or any(not isinstance(candidate, str) for candidate in candidates):
        raise InputError("The candidates are no list of texts.", 'Write ["embedded/decoder@bf16"].')
    if not candidates:
        raise InputError("No candidate is selected.", "Choose at least one in Past, Present or Future.")
    if len(candidates) > most:
        raise InputError(f"{len(candidates)} candidates are selected; {most} fit side by side.", "Remove some.")
    return list(candidates)
