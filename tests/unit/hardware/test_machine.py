"""What this machine is found to be, and whether a hub is in reach. The driver's answer and the hub are stood in for."""

import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from llmops.catalog.presets import preset_for
from llmops.hardware import machine
from llmops.hub import reachability
from tests.support.serving import free_port

T4 = [["Tesla T4", "15360", "7.5"]]


@pytest.mark.parametrize(
    ("rows", "preset"),
    [
        ([], "cpu"),
        (T4, "t4"),
        ([["NVIDIA L4", "23034", "8.9"]], "l4"),
        ([["NVIDIA A100-SXM4-80GB", "81920", "8.0"]], "big"),
        ([["GeForce GTX 1650", "4096", "[N/A]"]], "cpu"),
    ],
)
def test_the_preset_is_the_largest_that_the_gpu_found_is_enough_for(rows, preset, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(machine, "_nvidia_smi", lambda fields: rows)
    found = machine._gpus()
    assert preset_for(found[0].memory_bytes if found else None).id == preset


@pytest.mark.parametrize("value", ["", "-1"])
def test_a_gpu_that_the_user_hides_is_not_there(value, monkeypatch):
    monkeypatch.setattr(machine, "_nvidia_smi", lambda fields: T4)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert machine._gpus() == ()


def test_bf16_is_said_to_be_fp16_where_the_gpu_only_emulates_it(monkeypatch):
    import torch

    from llmops.engines.decoder.loading import number_format

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    for precision in ("bf16", "nf4", "int8"):
        dtype, notes = number_format(precision, "cuda:0")
        assert dtype == torch.float16
        assert "no bf16" in notes[0]
    assert number_format("bf16", "cpu") == (torch.bfloat16, ())
    assert number_format("fp32", "cuda:0") == (torch.float32, ())


class _Hub(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_response(401)
        self.end_headers()

    def log_message(self, *args):
        pass


def test_a_hub_that_comes_into_reach_is_noticed_without_a_restart(monkeypatch):
    port = free_port()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setattr(reachability, "_AGAIN_S", 0.2)
    probe = reachability.HubProbe(offline=False)
    assert probe.in_reach(5) is False
    server = HTTPServer(("127.0.0.1", port), _Hub)
    Thread(target=server.serve_forever, daemon=True).start()
    deadline = time.monotonic() + 10
    while not probe.in_reach() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert probe.in_reach() is True
    server.shutdown()
    server.server_close()


def test_offline_means_never_asking():
    assert reachability.HubProbe(offline=True).in_reach() is False
