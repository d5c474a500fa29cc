"""What the request guard lets pass: open routes, sizes, headers, the visitor's cookie."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from llmops.core.settings import Settings
from llmops.public.cookies import VISITOR_COOKIE
from llmops.public.request_guard import RequestGuard


async def everything(request):
    return PlainTextResponse(str(len(await request.body())))


def client(tmp_path, **limits):
    inner = Starlette(routes=[Route("/{path:path}", everything, methods=["GET", "POST"])])
    return TestClient(RequestGuard(inner, Settings(tmp_path, **limits)))


@pytest.mark.parametrize(
    "path",
    [
        "/monitoring", "/monitoring/summary", "/monitoring/x/dashboard", "/gradio_api/deep_link", "/docs",
        "/gradio_api/runs", "/gradio_api/run-history/records", "/gradio_api/proxy=https://x.example",
        "/gradio_api/file=http://127.0.0.1/", "/gradio_api/process_recording", "/gradio_api/vibe-code",
        "/gradio_api/dev/reload", "/gradio_api/component_server", "/gradio_api/token", "/gradio_api/new-in-a-later-one",
    ],
)  # fmt: skip
def test_routes_that_the_page_does_not_use_are_closed(tmp_path, path):
    assert client(tmp_path).get(path).status_code == 404


def test_every_answer_carries_the_security_headers(tmp_path):
    for path in ("/", "/monitoring", "/gradio_api/info"):
        headers = client(tmp_path).get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        policy = headers["content-security-policy"]
        assert "connect-src 'self';" in policy
        assert "https://*.hf.space" in policy.partition("frame-ancestors")[2]


def test_what_is_too_big_is_refused_told_or_counted(tmp_path):
    page = client(tmp_path, max_text_chars=1000, max_upload_bytes=200_000)
    assert page.post("/gradio_api/queue/join", content=b"x" * 50_000).text == "50000"
    assert page.post("/gradio_api/queue/join", content=b"x" * 150_000).status_code == 413
    assert page.post("/gradio_api/queue/join", content=(b"x" * 10_000 for _ in range(15))).status_code == 413
    assert page.post("/gradio_api/upload", content=b"x" * 250_000).text == "250000"
    refused = page.post("/gradio_api/upload", content=b"x" * 350_000)
    assert refused.status_code == 413
    assert "too big" in refused.json()["detail"]


def test_one_visitor_may_upload_so_much_in_an_hour_and_another_still_may(tmp_path):
    page = client(tmp_path, public=True, max_upload_bytes=100_000, visitor_upload_bytes=450_000)
    page.cookies.set(VISITOR_COOKIE, "a" * 43)
    answers = [page.post("/gradio_api/upload", content=b"x" * 150_000).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 413]
    page.cookies.set(VISITOR_COOKIE, "b" * 43)
    assert page.post("/gradio_api/upload", content=b"x" * 150_000).status_code == 200


def test_a_public_page_gives_each_browser_a_cookie_once_and_a_private_page_none(tmp_path):
    assert "set-cookie" not in client(tmp_path).get("/").headers
    page = client(tmp_path, public=True)
    first = page.get("/").headers["set-cookie"]
    assert "HttpOnly" in first
    assert "SameSite=Lax" in first
    assert "set-cookie" not in page.get("/").headers
    behind_https = client(tmp_path, public=True).get("/", headers={"x-forwarded-proto": "https"}).headers["set-cookie"]
    assert "SameSite=None; Secure; Partitioned" in behind_https
    assert behind_https.split(";")[0] != first.split(";")[0]


def test_what_is_no_request_passes_untouched(tmp_path):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    asyncio.run(RequestGuard(app, Settings(tmp_path))({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]


@pytest.mark.parametrize(
    ("query", "headers", "words"),
    [
        ("", {"accept-language": "de-DE,de;q=0.9"}, "Die Anfrage ist zu groß"),
        ("?ui=en", {"accept-language": "de"}, "The request is too big"),
        ("?ui=de", {"accept-language": "en"}, "Die Anfrage ist zu groß"),
        ("", {"accept-language": "en", "cookie": "llmops_ui=de"}, "Die Anfrage ist zu groß"),
        ("", {"accept-language": "en", "cookie": "llmops_ui=nonsense"}, "The request is too big"),
        ("", {}, "The request is too big"),
    ],
)
def test_a_refusal_is_in_the_visitors_language(tmp_path, query, headers, words):
    page = client(tmp_path, max_text_chars=1000)
    answer = page.post(f"/gradio_api/queue/join{query}", content=b"x" * 150_000, headers=headers)
    assert words in answer.text  # not escaped: the browser shows it so


def test_every_refusal_has_german(tmp_path):
    page = client(tmp_path, max_text_chars=1000, max_upload_bytes=200_000, visitor_upload_bytes=250_000)
    page.headers["accept-language"] = "de"
    sizes = (("upload", 350_000), ("upload", 250_000), ("upload", 50_000), ("nowhere", 1))
    answers = [page.post(f"/gradio_api/{path}", content=b"x" * size) for path, size in sizes]
    assert [answer.status_code for answer in answers] == [413, 200, 413, 404]
    refusals = [answer.json()["detail"] for answer in answers if answer.status_code != 200]
    assert refusals == [
        "Höchstens 0 MB dürfen je Stunde hochgeladen werden: bitte später versuchen.",
        "Höchstens 0 MB dürfen je Stunde hochgeladen werden: bitte später versuchen.",
        "Hier ist nichts.",
    ]
