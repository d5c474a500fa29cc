"""A fake hub at the HTTP edge that keeps dataset repositories: made, asked after, committed to, read from.

Of the hub's protocol it speaks what keeping the history and streaming a dataset's files need: info, tree, ranges.
Files are taken as regular ones, never as LFS.
"""

import base64
import json
from urllib.parse import unquote, urlsplit

from tests.support.fake_server import FakeServer, Handler

GOOD_TOKEN = "hf_goodtoken"
_COMMIT = "0" * 39


class FakeDatasetHub(FakeServer):
    """`repos`: id → its files; `private`: id → bool; `commits`: how many. Others' tokens are refused.

    gated: ids that the good token alone may read; sent_bytes: of each file that was asked for.
    """

    def __init__(self) -> None:
        self.repos: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.commits = 0
        self.gated: set[str] = set()
        self.sent_bytes: dict[str, int] = {}
        hub = self

        class Hub(Handler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self._file()

            def do_GET(self) -> None:
                path = self._path()
                if not path.startswith("api/datasets/"):
                    return self._file()
                name, (asked, *inner) = "/".join(path.split("/")[2:4]), [*path.split("/")[4:], ""]
                if name not in hub.repos:
                    return self._send(404, {"error": "none"}, {"X-Error-Code": "RepoNotFound"})
                if asked == "auth-check":
                    return self._send(200, {}) if self._may_read(name) else self._gated()
                if asked == "tree":
                    return self._send(200, self._tree(name, "/".join(inner[1:-1])))
                about = {"id": name, "sha": hub.sha, "private": hub.private.get(name, False), "gated": False}
                about |= {"tags": [], "disabled": False, "downloads": 0, "likes": 0}
                return self._send(200, {**about, "siblings": [{"rfilename": file} for file in hub.repos[name]]})

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

            def _may_read(self, name: str) -> bool:
                return name not in hub.gated or self.headers.get("Authorization") == f"Bearer {GOOD_TOKEN}"

            def _gated(self) -> None:
                self._send(403, {}, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted."})

            def _tree(self, name: str, under: str) -> list[dict]:
                """Files and folders within one; those within folders too, which is more than may be asked."""
                inside = [file for file in hub.repos[name] if file.startswith(f"{under}/" if under else "")]
                folders = {
                    "/".join(file.split("/")[:depth]) for file in inside for depth in range(1, file.count("/") + 1)
                }
                return self._about(name, [*sorted(folders - {under}), *inside])

            def _about(self, name: str, paths: list[str]) -> list[dict]:
                files = hub.repos[name]
                folder = {"type": "directory", "size": 0, "oid": hub.sha}
                return [
                    {"type": "file", "path": path, "size": len(files[path]), "oid": hub.sha}
                    if path in files
                    else {**folder, "path": path}
                    for path in paths
                    if path in files or any(file.startswith(f"{path}/") for file in files)
                ]

            def _file(self) -> None:
                parts = self._path().split("/")  # datasets/owner/name/resolve/main/file
                repo, name = "/".join(parts[1:3]), "/".join(parts[5:])
                data = hub.repos.get(repo, {}).get(name)
                if data is None:
                    return self._send(404, {}, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": hub.sha})
                if not self._may_read(repo):
                    return self._gated()
                headers = {"X-Repo-Commit": hub.sha, "ETag": f'"{hub.sha}"'}
                start, end = 0, len(data)
                if wanted := self.headers.get("Range"):
                    first, _, last = wanted.removeprefix("bytes=").partition("-")
                    start, end = int(first), min(end, int(last) + 1) if last else end
                    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
                if self.command == "GET":
                    hub.sent_bytes[name] = hub.sent_bytes.get(name, 0) + end - start
                return self._send(206 if wanted else 200, data[start:end], headers)

            def _send(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.answer(status, data, headers)

        super().__init__(Hub)

    @property
    def sha(self) -> str:
        """The last commit's id."""
        return f"{_COMMIT[: 40 - len(str(self.commits))]}{self.commits}".rjust(40, "0")
