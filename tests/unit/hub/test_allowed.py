"""What a public page refuses to load, and where it refuses to send a request."""

import asyncio
import json
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from llmops.core.errors import EndpointError, LlmopsError, ModelRefused
from llmops.core.request import Connection, Job
from llmops.core.settings import load_settings
from llmops.embedded import DECODER_DIR
from llmops.engines.remote import addresses, openai_engine
from llmops.hub import fetch
from llmops.hub.allowed import check_model
from llmops.planning.architecture import find_config

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "168.63.129.16",
    "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00:ec2::254", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "ff02::1", "not an address",
]  # fmt: skip


@pytest.fixture
def public(monkeypatch):
    monkeypatch.setenv("LLMOPS_PUBLIC", "1")


@pytest.fixture
def server():
    """A server on this machine; `asked` are the (path, own address) of its requests. /away/… redirects to itself."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.connection.getsockname()[0], self.headers["Host"]))
            away = self.path.startswith("/away")
            self.send_response(307 if away else 200)
            if away:
                self.send_header("Location", f"http://127.0.0.1:{made.server_port}/v1/models")
            body = json.dumps({"object": "list", "data": [{"id": "m", "object": "model"}]}).encode()
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    made = ThreadingHTTPServer(("0.0.0.0", 0), Handler)
    made.asked = asked
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_told_however_it_is_written(address):
    assert not addresses.is_public_address(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_a_public_address_is_told(address):
    assert addresses.is_public_address(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "[::1]", "[::ffff:127.0.0.1]", "0"]
)
def test_a_strangers_request_never_reaches_this_machine(public, server, host):
    there = Connection(openai_key="sk-strangers-key", base_url=f"http://{host}:{server.server_port}/v1")
    with pytest.raises(LlmopsError, match=r"no public address|no server called"):
        openai_engine.list_models(there, load_settings())
    assert server.asked == []


def test_a_private_page_asks_a_server_on_this_machine(server):
    there = Connection(base_url=f"http://127.0.0.1:{server.server_port}/v1")
    assert openai_engine.list_models(there, load_settings()) == ["m"]


def test_what_the_operator_allows_is_asked_but_its_redirects_are_not_followed(public, server, monkeypatch):
    monkeypatch.setenv("LLMOPS_ENDPOINTS", f"localhost:{server.server_port}, elsewhere.example")
    assert openai_engine.list_models(
        Connection(base_url=f"http://localhost:{server.server_port}/v1"), load_settings()
    ) == ["m"]
    with pytest.raises(LlmopsError):
        openai_engine.list_models(
            Connection(base_url=f"http://localhost:{server.server_port}/away/v1"), load_settings()
        )
    assert [path for path, _, _ in server.asked] == ["/v1/models", "/away/v1/models"]
    with pytest.raises(LlmopsError, match="no public address"):  # the host alone was not allowed, nor another port
        openai_engine.list_models(Connection(base_url="http://localhost:9/v1"), load_settings())


def test_a_name_that_changes_its_address_is_asked_at_the_checked_one(public, server, monkeypatch):
    """127.0.0.2 stands for a public address; the second look-up would lead to 127.0.0.1."""
    answers = iter(["127.0.0.2", "127.0.0.1", "127.0.0.1"])
    real = socket.getaddrinfo

    def resolve(host, port, *args, **kwargs):
        return real(next(answers) if host in ("rebind.example", b"rebind.example") else host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(addresses, "is_public_address", lambda text: text == "127.0.0.2")
    there = Connection(base_url=f"http://rebind.example:{server.server_port}/v1")
    assert openai_engine.list_models(there, load_settings()) == ["m"]
    assert server.asked == [("/v1/models", "127.0.0.2", f"rebind.example:{server.server_port}")]


def test_one_private_address_among_several_is_enough_to_refuse(public, monkeypatch):
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("1.1.1.1", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: both)
    with pytest.raises(EndpointError, match="no public address"):
        asyncio.run(addresses.checked_address("two.example", 80))


def test_a_public_page_loads_the_catalogues_models_and_the_operators_and_no_others(public, monkeypatch):
    check_model("Qwen/Qwen2.5-0.5B-Instruct", load_settings())
    with pytest.raises(ModelRefused, match="not offered"):
        check_model("someone/else", load_settings())
    monkeypatch.setenv("LLMOPS_MODELS", "someone/else, another/one")
    check_model("someone/else", load_settings())


@pytest.mark.parametrize("name", [str(DECODER_DIR), "~", "/etc", "./llmops", "..", "someone/else"])
def test_no_folder_and_no_strange_model_is_read_for_strangers(public, name):
    os.chdir(DECODER_DIR.parents[2])
    assert not fetch.is_folder(name, load_settings())
    with pytest.raises(LlmopsError):
        find_config(name, Connection(), load_settings())
    with pytest.raises(LlmopsError):
        fetch.download(name, Job(), load_settings())


def test_limits_are_tighter_where_strangers_come_and_the_operator_sets_them(monkeypatch):
    monkeypatch.setenv("LLMOPS_PUBLIC", "0")
    private = load_settings()
    monkeypatch.setenv("LLMOPS_PUBLIC", "1")
    public = load_settings()
    assert public.max_rows < private.max_rows
    assert public.visitor_runs
    assert private.visitor_runs is None
    monkeypatch.setenv("LLMOPS_MAX_ROWS", "77")
    monkeypatch.setenv("LLMOPS_VISITOR_DISK_MB", "5")
    assert load_settings().max_rows == 77
    assert load_settings().visitor_disk_bytes == 5_000_000
    monkeypatch.setenv("LLMOPS_MAX_ROWS", "many")
    with pytest.raises(ValueError, match="LLMOPS_MAX_ROWS"):
        load_settings()
