"""A fake model hub at the HTTP edge: repositories out of local folders, some of them gated, missing, or cut short.

Of the hub's protocol it speaks what fetching needs: model info, file tree, auth check, HEAD and GET of files, ranges.
"""

import hashlib
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.support.fake_server import FakeServer, Handler

COMMIT = "0" * 39 + "1"


@dataclass
class Repo:
    """A folder, and what is wrong with it. cuts: transfers of the weights that break off (-1: all).

    slow_s: seconds a megabyte, until somebody asks the hub for /release.
    """

    folder: Path
    gated: bool = False
    cuts: int = 0
    slow_s: float = 0.0
    got: list[str] = field(default_factory=list)
    asked_bytes: dict[str, int] = field(default_factory=dict)  # of each file that was asked for

    @property
    def files(self) -> dict[str, Path]:
        return {str(p.relative_to(self.folder)): p for p in sorted(self.folder.rglob("*")) if p.is_file()}


class FakeHub(FakeServer):
    """`repos` by id. `tokens` collects every Authorization header seen."""

    def __init__(self, repos: dict[str, Repo]) -> None:
        self.repos = repos
        self.tokens: list[str] = []
        self.released = threading.Event()
        hub = self

        class Hub(Handler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self._answer(body=False)

            def do_GET(self) -> None:
                self._answer(body=True)

            def _answer(self, body: bool) -> None:
                if hub.dead:
                    self.close_connection = True
                    return None
                if "Authorization" in self.headers:
                    hub.tokens.append(self.headers["Authorization"])
                path = unquote(urlsplit(self.path).path).strip("/")
                api = path.startswith("api/models/")
                parts = path.removeprefix("api/models/").split("/")
                repo = hub.repos.get("/".join(parts[:2]))
                if path == "release":
                    hub.released.set()
                if path == "die":
                    hub.die()
                if path in ("", "api", "release", "die"):
                    return self._send(200, b"{}", {})
                if repo is None:
                    return self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
                allowed = not repo.gated or self.headers.get("Authorization") == "Bearer hf_goodtoken"
                if api and parts[2:3] == ["auth-check"]:
                    return self._send(200, b"{}", {}) if allowed else self._gated()
                if api and parts[2:3] == ["tree"]:
                    return self._send(200, json.dumps(self._tree(repo)).encode(), {})
                if api:
                    return self._send(200, json.dumps(self._info("/".join(parts[:2]), repo)).encode(), {})
                if not allowed:
                    return self._gated()
                return self._file(repo, "/".join(parts[4:]), body)

            def _gated(self) -> None:
                self._send(403, b"{}", {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted."})

            def _tree(self, repo: Repo) -> list[dict]:
                return [
                    {"type": "file", "path": name, "size": path.stat().st_size, "oid": COMMIT}
                    for name, path in repo.files.items()
                ]

            def _info(self, name: str, repo: Repo) -> dict:
                siblings = [{"rfilename": path} for path in repo.files]
                gated = "manual" if repo.gated else False
                about = {"id": name, "modelId": name, "sha": COMMIT, "private": False, "gated": gated}
                return {**about, "disabled": False, "downloads": 0, "likes": 0, "tags": [], "siblings": siblings}

            def _file(self, repo: Repo, name: str, body: bool) -> None:
                path = repo.files.get(name)
                if path is None:
                    return self._send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
                data = path.read_bytes()
                headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{hashlib.sha1(data).hexdigest()}"'}
                if not body:
                    return self._send(200, data, headers, body=False)
                repo.got.append(name)
                start, end = 0, len(data)
                if wanted := self.headers.get("Range"):
                    first, _, last = wanted.removeprefix("bytes=").partition("-")
                    start, end = int(first), min(end, int(last) + 1) if last else end
                    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
                repo.asked_bytes[name] = repo.asked_bytes.get(name, 0) + end - start
                cut = name.endswith(".safetensors") and repo.cuts != 0
                if cut:
                    repo.cuts -= 1
                return self._send(206 if wanted else 200, data[start:end], headers, cut=cut, slow_s=repo.slow_s)

            def _send(
                self, status: int, data: bytes, headers: dict, body: bool = True, cut: bool = False, slow_s: float = 0.0
            ) -> None:
                self.begin(status, {"Content-Length": str(len(data)), **headers})
                if not body or self.command == "HEAD":
                    return
                sent = data[: len(data) // 2] if cut else data
                try:
                    for start in range(0, len(sent), 1 << 20):
                        self.wfile.write(sent[start : start + (1 << 20)])
                        hub.released.wait(slow_s)
                except OSError:
                    self.close_connection = True
                if cut:
                    self.wfile.flush()
                    self.close_connection = True

        super().__init__(Hub)
