"""The language that a request asks for before Gradio has read it: by its address, by a cookie, or by the browser."""

from collections.abc import Mapping
from urllib.parse import parse_qs

from llmops.i18n.translation import LANGUAGES
from llmops.public.cookies import Scope, cookie, header, new_cookie

_COOKIE = "llmops_ui"


def language_of(query: Mapping[str, str], accepted: str) -> str:
    """The language of a request: its `ui` parameter, else the best liked of Accept-Language that we have."""
    named = query.get("ui", "")
    if named in LANGUAGES:
        return named
    preferred = []
    for place, part in enumerate(accepted.lower().split(",")):
        tag, _, weight = part.strip().partition(";q=")
        try:
            preferred.append((-float(weight or 1), place, tag.partition("-")[0].strip()))
        except ValueError:
            continue
    return next((tag for _, _, tag in sorted(preferred) if tag in LANGUAGES), "en")


def language_of_scope(scope: Scope) -> str:
    """The language of a request that has not reached Gradio: for all but the page itself, the page's before it."""
    query = {key: values[-1] for key, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
    if scope["path"] != "/":
        query = {"ui": cookie(scope, _COOKIE), **query}
    return language_of(query, header(scope, b"accept-language"))


def language_reminder(scope: Scope, language: str) -> str:
    """The cookie that tells later requests the page's language, where they would be told another; else ""."""
    without = language_of({"ui": cookie(scope, _COOKIE)}, header(scope, b"accept-language"))
    return "" if without == language else new_cookie(scope, _COOKIE, language)
