"""Is the page public, and who is a visitor?"""

from types import SimpleNamespace

import gradio as gr
import pytest

from llmops.core.publicness import is_public
from llmops.core.settings import Settings, load_settings
from llmops.public.cookies import VISITOR_COOKIE
from llmops.ui.visitor import visitor_of


@pytest.mark.parametrize(
    ("environment", "share", "host"),
    [
        ({"SPACE_ID": "someone/llm-ops"}, False, None),
        ({"SYSTEM": "spaces"}, False, None),
        ({}, True, None),
        ({"GRADIO_SHARE": "True"}, False, None),
        ({"GRADIO_SERVER_NAME": "0.0.0.0"}, False, None),
        ({}, False, "0.0.0.0"),
        ({}, False, "::"),
        ({}, False, "192.168.1.5"),
        ({"LLMOPS_PUBLIC": "1"}, False, None),
    ],
)
def test_a_space_a_share_link_and_a_bind_beyond_this_machine_are_public(environment, share, host):
    assert is_public(environment, share, host)


@pytest.mark.parametrize(
    ("environment", "share", "host"),
    [
        ({}, False, None),
        ({}, False, "127.0.0.1"),
        ({}, False, "::1"),
        ({}, False, "localhost"),
        ({"GRADIO_SERVER_NAME": "0.0.0.0"}, False, "127.0.0.1"),
        ({"LLMOPS_PUBLIC": "0", "GRADIO_SERVER_NAME": "0.0.0.0"}, True, None),
    ],
)
def test_a_bind_to_this_machine_is_private_and_the_operator_has_the_last_word(environment, share, host):
    assert not is_public(environment, share, host)


def test_the_settings_know_the_mode(monkeypatch):
    for name in ("SPACE_ID", "SYSTEM", "GRADIO_SHARE", "GRADIO_SERVER_NAME", "LLMOPS_PUBLIC"):
        monkeypatch.delenv(name, raising=False)
    assert not load_settings().public
    assert load_settings(share=True).public
    assert load_settings(host="0.0.0.0").public


def request(session: str, cookie: str | None = None, name: str | None = None, shared_login: str | None = None):
    scope = {"session": {"oauth_info": {"userinfo": {"preferred_username": name}}}} if name else {}
    inner = SimpleNamespace(scope=scope, cookies={VISITOR_COOKIE: cookie} if cookie else {})
    return gr.Request(inner, username=shared_login, session_hash=session)


def test_a_private_page_has_one_user_and_a_public_one_tells_visitors_apart(tmp_path):
    private, public = Settings(tmp_path), Settings(tmp_path, public=True)
    assert visitor_of(request("a"), private) == ""
    visitor, other = visitor_of(request("a"), public), visitor_of(request("b"), public)
    assert visitor
    assert visitor != other
    # One password for all, as on a share link, makes nobody somebody else.
    login = {"shared_login": "everybody"}
    assert visitor_of(request("a", **login), public) != visitor_of(request("b", **login), public)


def test_a_cookie_outlives_a_reload_and_a_sign_in_outlives_the_browser(tmp_path):
    public = Settings(tmp_path, public=True)
    cookie = "c" * 43
    assert visitor_of(request("a", cookie), public) == visitor_of(request("b", cookie), public)
    assert visitor_of(request("a", "d" * 43), public) != visitor_of(request("a", cookie), public)
    signed_in = visitor_of(request("a", cookie, "erika"), public)
    assert signed_in == visitor_of(request("b", None, "erika"), public) != visitor_of(request("a", cookie), public)
    assert "erika" not in signed_in
    assert cookie not in visitor_of(request("a", cookie), public)


def test_a_forged_cookie_and_a_missing_request_are_nobody_else(tmp_path):
    public = Settings(tmp_path, public=True)
    assert visitor_of(request("a", "short"), public) == visitor_of(request("a"), public)
    assert visitor_of(None, public) not in ("", visitor_of(request(""), public))
