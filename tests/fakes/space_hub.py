"""The hub's side of a push, on loopback: takes a commit to a Space and keeps what is in it."""

import base64
import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class SpaceHub:
    """`files` of the one Space there is, `secrets`, and what it was `made` with; only `token` may write."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.files: dict[str, bytes] = {"left-over.py": b""}
        self.secrets: dict[str, str] = {}
        self.made: dict = {}
        self.url = ""

    def answer(self, method: str, path: str, body: bytes) -> dict | list:
        if path == "/api/repos/create":
            self.made = json.loads(body)
            name = f"{self.made['organization']}/{self.made['name']}"
            return {"url": f"{self.url}/spaces/{name}", "name": name, "id": "1"}
        if path.endswith("/secrets"):
            secret = json.loads(body)
            self.secrets[secret["key"]] = secret["value"]
            return {}
        if "/preupload/" in path:
            asked = json.loads(body)["files"]
            return {
                "files": [
                    {"path": each["path"], "uploadMode": "regular", "shouldIgnore": False} for each in asked
                ]
            }
        if "/commit/" in path:
            self._commit([json.loads(line) for line in body.splitlines()])
            return {
                "success": True,
                "commitUrl": f"{self.url}/spaces/alice/voice/commit/{'a' * 40}",
                "commitOid": "a" * 40,
                "pullRequestUrl": None,
            }
        if path == "/api/validate-yaml":
            return {"errors": [], "warnings": []}
        if "/tree/" in path:
            return [
                {"type": "file", "path": name, "size": len(data), "oid": "c" * 40}
                for name, data in self.files.items()
            ]
        raise AssertionError(f"{method} {path} is not asked by a push")

    def _commit(self, lines: list[dict]) -> None:
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                assert value["encoding"] == "base64"
                self.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "deletedFile":
                del self.files[value["path"]]


@contextlib.contextmanager
def serving(hub: SpaceHub):
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            admitted = self.headers.get("Authorization") == f"Bearer {hub.token}"
            status = 200 if admitted else 401
            told = (
                hub.answer(self.command, self.path.partition("?")[0], body)
                if admitted
                else {"error": "Invalid token"}
            )
            data = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _serve

        def log_message(self, *arguments) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    yield hub
    server.shutdown()
    thread.join()
