"""ZeroGPU without a GPU: the real `spaces` package, with a fake at its two edges, the device API and CUDA itself.

`python -m tests.support.fake_zerogpu app.py --port 8021` runs a script as a ZeroGPU Space would. Scheduling, fork,
pickling, the played GPU of the main process and the packing of its tensors are the package's own; the child computes on
its CPU.
"""

import json
import os
import runpy
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.support.fake_server import FakeServer, Handler

ROOT = Path(__file__).parents[2]


class FakeDeviceApi(FakeServer):
    """ZeroGPU's device API over HTTP: says yes, or (quota_left 0) that the day's seconds are used up."""

    def __init__(self, quota_left: int | None = None) -> None:
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.quota_left = quota_left
        api = self

        class DeviceApi(Handler):
            def do_POST(self) -> None:
                address = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(address.query).items()}
                api.calls.append((address.path, query))
                status, body = 200, b""
                if address.path == "/schedule" and api.quota_left is not None:
                    status, body = 429, json.dumps({"left": api.quota_left, "wait": 600}).encode()
                elif address.path == "/schedule":
                    given = {"idle": True, "nvidiaIndex": 0, "nvidiaUUID": "GPU-0", "allowToken": "t"}
                    body = json.dumps(given).encode()
                self.answer(status, body)

        super().__init__(DeviceApi)

    def environment(self) -> dict[str, str]:
        """What the platform sets."""
        return {"SPACES_ZERO_GPU": "true", "SPACES_ZERO_DEVICE_API_URL": self.url}

    def said(self, path: str) -> list[dict[str, str]]:
        return [query for called, query in self.calls if called == path]


def _good_fork() -> bool:
    return False


def _play_cuda() -> None:
    """What `spaces` expects of a torch that was built for CUDA, on one that was not."""
    import torch

    torch.version.cuda = "13.0"
    torch._C._cuda_init = lambda: None
    torch.cuda._is_in_bad_fork = _good_fork
    import spaces.zero.torch as edge
    from spaces.zero.torch import patching

    def init(uuid: str) -> None:
        """In the child: CUDA would begin here."""
        from llmops.hardware import zerogpu

        torch.version.cuda = None
        torch.cuda.mem_get_info = lambda *_: (40_000_000_000, 48_000_000_000)
        zerogpu.DEVICE = "cpu"

    def move(callback: object = None) -> None:
        """In the child: packed tensors from the package's file, to where a model looks for them."""
        from llmops.engines.decoder import zerogpu_child

        for pack in patching.tensor_packs:
            with Path(pack.path()).open("rb") as file:
                for tensor, size, aligned in [*(entry for batch in pack.batches for entry in batch), *pack.big_tensors]:
                    data = bytearray(file.read(aligned)[:size])
                    read = torch.frombuffer(data, dtype=tensor.dtype).reshape(tensor.shape)
                    for placed in pack.fakes[tensor]:
                        placed.data = read
        for model in zerogpu_child._placed.values():
            model.device = "cpu"

    edge.init, edge.move = init, move


def main() -> None:
    script, *arguments = sys.argv[1:]
    sys.argv = [script, *arguments]
    sys.path.insert(0, str(ROOT))
    _play_cuda()
    runpy.run_path(str(ROOT / script), run_name="__main__")


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
