"""Headers and cookies of a request that has not reached Gradio yet."""

import re
from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any

VISITOR_COOKIE = "llmops_visitor"
VISITOR_COOKIE_FORM = re.compile(r"[A-Za-z0-9_-]{32,64}")

Scope = Mapping[str, Any]  # ASGI's description of a request


def header(scope: Scope, name: bytes) -> str:
    """A header's value; "" where there is none. name: in small letters."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def cookie(scope: Scope, name: str) -> str:
    """What the browser sends under a name; "" where it sends nothing."""
    jar = SimpleCookie()
    jar.load(header(scope, b"cookie"))
    return jar[name].value if name in jar else ""


def new_cookie(scope: Scope, name: str, value: str, most_s: int | None = None) -> str:
    """A cookie to hand out, for this session where no time is given.

    Inside a Space's frame it must be of the kind that third parties may set.
    """
    secure = "https" in (scope.get("scheme"), header(scope, b"x-forwarded-proto").split(",")[0].strip())
    kind = "SameSite=None; Secure; Partitioned" if secure else "SameSite=Lax"
    age = "" if most_s is None else f"Max-Age={most_s}; "
    return f"{name}={value}; Path=/; {age}HttpOnly; {kind}"
