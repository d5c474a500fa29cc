"""A fake hub at the HTTP edge that keeps dataset repositories: made, asked after, committed to, read from.

Of the hub's protocol it speaks what keeping the history needs. Files are taken as regular ones, never as LFS.
"""

import base64
import json
from urllib.parse import unquote, urlsplit

from tests.support.fake_server import FakeServer, Handler

GOOD_TOKEN = "hf_goodtoken"
_COMMIT = "0" * 39


class FakeDatasetHub(FakeServer):
    """`repos`: id → its files; `private`: id → bool; `commits`: how many. Others' tokens are refused."""

    def __init__(self) -> None:
        self.repos: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.commits = 0
        hub = self

        class Hub(Handler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self._file()

            def do_GET(self) -> None:
                path = self._path()
                if path.startswith("api/datasets/"):
                    name = "/".join(path.split("/")[2:4])
                    if name not in hub.repos:
                        return self._send(404, {"error": "none"}, {"X-Error-Code": "RepoNotFound"})
                    about = {"id": name, "sha": hub.sha, "private": hub.private[name], "gated": False, "tags": []}
                    return self._send(200, {**about, "disabled": False, "downloads": 0, "likes": 0, "siblings": []})
                return self._file()

            def do_POST(self) -> None:
                path, body = self._path(), self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.headers.get("Authorization") != f"Bearer {GOOD_TOKEN}":
                    return self._send(401, {"error": "Invalid token"})
                if path == "api/repos/create":
                    asked = json.loads(body)
                    name = f"{asked.get('organization') or 'me'}/{asked['name']}"
                    if name in hub.repos:
                        return self._send(409, {"url": f"{hub.url}/datasets/{name}"})
                    hub.repos[name], hub.private[name] = (
                        {},
                        asked.get("private") or asked.get("visibility") == "private",
                    )
                    return self._send(200, {"url": f"{hub.url}/datasets/{name}"})
                name = "/".join(path.split("/")[2:4])
                if "/preupload/" in path:
                    files = [{"path": file["path"], "uploadMode": "regular"} for file in json.loads(body)["files"]]
                    return self._send(200, {"files": [{**file, "shouldIgnore": False} for file in files]})
                for line in body.splitlines():
                    entry = json.loads(line)
                    if entry["key"] == "file":
                        hub.repos[name][entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
                hub.commits += 1
                return self._send(
                    200,
                    {"success": True, "commitOid": hub.sha, "commitUrl": f"{hub.url}/datasets/{name}/commit/{hub.sha}"},
                )

            def _path(self) -> str:
                return unquote(urlsplit(self.path).path).strip("/")

            def _file(self) -> None:
                parts = self._path().split("/")  # datasets/owner/name/resolve/main/file
                data = hub.repos.get("/".join(parts[1:3]), {}).get("/".join(parts[5:]))
                if data is None:
                    return self._send(404, {}, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": hub.sha})
                return self._send(200, data, {"X-Repo-Commit": hub.sha, "ETag": f'"{hub.sha}"'})

            def _send(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.answer(status, data, headers)

        super().__init__(Hub)

    @property
    def sha(self) -> str:
        """The last commit's id."""
        return f"{_COMMIT[: 40 - len(str(self.commits))]}{self.commits}".rjust(40, "0")
