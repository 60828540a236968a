"""A hub on loopback that answers as huggingface.co does, and fails as it does, on command.

Files that git keeps come from the hub itself, large ones by a redirect to another host with a signed address,
which must not see the token. `python -m tests.fakes.hub` serves a model until it is stopped (see --help).
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from huggingface_hub import constants

LARGE = (".safetensors", ".bin", ".pt", ".pth", ".onnx", ".gguf", ".model")
PIECE = 1 << 14


@dataclass
class Repository:
    id: str
    files: dict[str, bytes]
    gated: bool = False
    private: bool = False
    spoiled: set[str] = field(default_factory=set)  # files that come with another content than is told

    @property
    def commit(self) -> str:
        whole = hashlib.sha1(self.id.encode())
        for name, data in sorted(self.files.items()):
            whole.update(name.encode() + hashlib.sha1(data).digest())
        return whole.hexdigest()

    def siblings(self, blobs: bool) -> list[dict]:
        return [
            {"rfilename": name, **(metadata(name, data) if blobs else {})}
            for name, data in sorted(self.files.items())
        ]


def metadata(name: str, data: bytes) -> dict:
    told = {"size": len(data), "blobId": git_id(data)}
    if name.endswith(LARGE):
        sha256 = hashlib.sha256(data).hexdigest()
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {len(data)}\n"
        told["blobId"] = git_id(pointer.encode())
        told["lfs"] = {"sha256": sha256, "size": len(data), "pointerSize": len(pointer)}
    return told


def git_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def be_the_hub(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, whose client has read HF_ENDPOINT already; other processes are given that."""
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}"
    )


@dataclass(frozen=True)
class Asked:
    method: str
    host: str
    path: str
    range: str
    token: str
    status: int


class StandInHub:
    """Serves while its `with` block lasts; what is changed in it holds from the next request on."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.tokens: dict[str, set[str]] = {}  # a token: the closed repositories that its account may read
        self.asked: list[Asked] = []
        self.cuts: list[int] = []  # the next contents of large files break off after so many bytes
        self.bytes_per_second = 0  # of a large file, on each connection; 0: as fast as can be
        self.holds_after = 0  # bytes of a large file, on each connection, until this is 0 again
        self.broken_status = 0  # answers everything with it; 200: with a page that is no hub's
        self.ignores_ranges = False
        self.hides_closed = False  # tells what a closed repository holds to those alone who may read it

    def add(self, id: str, files: dict[str, bytes], **how) -> Repository:
        self.repositories[id] = Repository(id, files, **how)
        return self.repositories[id]

    def __enter__(self) -> "StandInHub":
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ranges(self, name: str) -> list[str]:
        """The `Range` of each request for the content of a large file."""
        return [
            each.range for each in self.asked if each.path.startswith("/cdn/") and each.path.endswith(name)
        ]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_) -> None:
        """Clients that are killed leave their connections; that is what they are for."""


class _Handler(BaseHTTPRequestHandler):
    hub: StandInHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        url = urlsplit(self.path)
        path, query = unquote(url.path), parse_qs(url.query)
        with contextlib.suppress(ConnectionError):
            if self.hub.broken_status == 200:
                self._send(200, b"<html>Sign in to the network of this hotel</html>", {})
            elif self.hub.broken_status:
                self._refuse(self.hub.broken_status, "", "Internal Error - We're working hard to fix this")
            elif found := re.fullmatch(r"/cdn/(.+?/.+?)/(.+)", path):
                self._content(self.hub.repositories[found[1]], found[2], signed="Signature" in query)
            elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/revision/(.+)", path):
                self._model(found[1], found[2], query)
            elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([^/]+)", path):
                self._tree(found[1], found[2])
            elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
                self._resolve(found[1], found[2], found[3])
            else:
                self._refuse(404, "", "Sorry, we can't find the page you are looking for.")

    # --- Who may read what ---

    def _token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _opened(self, id: str, revision: str, *, content: bool) -> Repository | None:
        """The repository, or None when it was refused; closed ones tell what they hold, but not give it."""
        token = self._token()
        if token and token not in self.hub.tokens:
            return self._refuse(401, "", "Invalid credentials in Authorization header")
        repository = self.hub.repositories.get(id)
        readable = id in self.hub.tokens.get(token, ())
        if repository is None or (repository.private and not readable):
            return self._refuse(404 if token else 401, "RepoNotFound", "Repository not found")
        if revision not in ("main", repository.commit):
            return self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        if (content or self.hub.hides_closed) and repository.gated and not readable:
            why = "you are not in the authorized list" if token else "you must be authenticated to access it"
            return self._refuse(
                403 if token else 401, "GatedRepo", f"Access to model {id} is restricted: {why}"
            )
        return repository

    def _refuse(self, status: int, code: str, message: str) -> None:
        headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
        self._send(status, json.dumps({"error": message}).encode(), headers)

    # --- What it tells ---

    def _model(self, id: str, revision: str, query: dict) -> None:
        if (repository := self._opened(id, revision, content=False)) is None:
            return
        told = {
            "_id": "0" * 24,
            "id": id,
            "modelId": id,
            "sha": repository.commit,
            "private": repository.private,
            "gated": "manual" if repository.gated else False,
            "disabled": False,
            "tags": [],
            "downloads": 0,
            "likes": 0,
            "siblings": repository.siblings(blobs="blobs" in query),
        }
        self._send(200, json.dumps(told).encode(), {"Content-Type": "application/json; charset=utf-8"})

    def _tree(self, id: str, revision: str) -> None:
        if (repository := self._opened(id, revision, content=False)) is None:
            return
        entries = []
        for name, data in repository.files.items():
            told = metadata(name, data)
            entry = {"type": "file", "path": name, "size": told["size"], "oid": told["blobId"]}
            if lfs := told.get("lfs"):
                entry["lfs"] = {"oid": lfs["sha256"], "size": lfs["size"], "pointerSize": lfs["pointerSize"]}
            entries.append(entry)
        self._send(200, json.dumps(entries).encode(), {"Content-Type": "application/json; charset=utf-8"})

    def _resolve(self, id: str, revision: str, name: str) -> None:
        if (repository := self._opened(id, revision, content=True)) is None:
            return
        if name not in repository.files:
            return self._refuse(404, "EntryNotFound", "Entry not found")
        told = metadata(name, repository.files[name])
        headers = {"X-Repo-Commit": repository.commit, "Accept-Ranges": "bytes"}
        if lfs := told.get("lfs"):
            address = (
                f"http://localhost:{self.hub.port}/cdn/{id}/{name}?Expires=1&Signature=signed-by-the-hub"
            )
            headers |= {"X-Linked-Size": str(lfs["size"]), "X-Linked-ETag": f'"{lfs["sha256"]}"'}
            return self._send(302, b"Found. Redirecting", headers | {"Location": address})
        self._content(repository, name, signed=True, headers=headers | {"ETag": f'"{told["blobId"]}"'})

    # --- What it gives ---

    def _content(
        self, repository: Repository, name: str, *, signed: bool, headers: dict | None = None
    ) -> None:
        if not signed:
            return self._refuse(403, "", "Access denied")
        data = repository.files[name]
        if name in repository.spoiled:
            data = bytes(len(data))
        headers = {"Accept-Ranges": "bytes", **(headers or {})}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None or self.hub.ignores_ranges:
            return self._send(200, data, headers)
        begin, end = int(asked[1]), int(asked[2] or len(data) - 1)
        if begin >= len(data):
            return self._send(416, b"", headers | {"Content-Range": f"bytes */{len(data)}"})
        part = data[begin : end + 1]
        self._send(
            206, part, headers | {"Content-Range": f"bytes {begin}-{begin + len(part) - 1}/{len(data)}"}
        )

    def _send(self, status: int, body: bytes, headers: dict) -> None:
        self.hub.asked.append(
            Asked(
                self.command,
                self.headers.get("Host", "").partition(":")[0],
                urlsplit(self.path).path,
                self.headers.get("Range", ""),
                self._token(),
                status,
            )
        )
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.path.startswith("/cdn/"):
            self._drip(body)
        else:
            self.wfile.write(body)

    def _drip(self, body: bytes) -> None:
        hub, begun = self.hub, time.monotonic()
        limit = min(hub.cuts.pop(0), len(body)) if hub.cuts else len(body)
        for at in range(0, limit, PIECE):
            while 0 < hub.holds_after <= at:
                time.sleep(0.01)
            self.wfile.write(body[at : min(at + PIECE, limit)])
            if hub.bytes_per_second:
                time.sleep(max(0.0, begun + at / hub.bytes_per_second - time.monotonic()))
        self.close_connection = self.close_connection or limit < len(body)


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve a stand-in of the hub; name it in HF_ENDPOINT.")
    parser.add_argument("repositories", nargs="*", default=["facebook/mms-tts-eng"])
    parser.add_argument("--mb", type=int, default=30, help="of weights in each")
    parser.add_argument("--mb-per-second", type=float, default=0)
    parser.add_argument("--gated", action="store_true", help="let only the token hf_good read it")
    options = parser.parse_args()
    with StandInHub() as hub:
        hub.bytes_per_second = int(options.mb_per_second * 1e6)
        hub.tokens = {"hf_good": set(options.repositories), "hf_other": set()}
        for id in options.repositories:
            files = {"config.json": b"{}", "model.safetensors": os.urandom(options.mb * 1_000_000)}
            hub.add(id, files, gated=options.gated)
        print(f"HF_ENDPOINT={hub.url}", flush=True)  # noqa: T201
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
