"""How a command ends: JSON or an error in words, and the exit status; and progress on standard error."""

import json
import sys
from typing import Any


def finish(data: dict[str, Any], as_json: bool) -> int:
    """Print JSON where asked, the error where there is one; 1 with an error, else 0."""
    if as_json:
        print(json.dumps(data, ensure_ascii=False, indent=2))
    elif data["error"]:
        print(f"{data['error']['message']} {data['error']['remedy']}".strip(), file=sys.stderr)
    return 1 if data["error"] else 0


def tell(message: str, fraction: float | None) -> None:
    """Progress for a person who waits: one line that is written over, on a terminal only."""
    if sys.stderr.isatty():
        share = "" if fraction is None else f" ({fraction:.0%})"
        print(f"\r\x1b[K{message}{share}", end="", file=sys.stderr, flush=True)
