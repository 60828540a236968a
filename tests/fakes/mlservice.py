"""The part of the ML service that holds models and lets them go, without any model."""

import json
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class StandInMlService:
    """Serves while its `with` block lasts. `ways` are the states that a model goes through, one a look."""

    def __init__(self) -> None:
        self.models: dict[str, dict] = {}
        self.ways: dict[str, list[str]] = {
            "load": ["loading", "loaded"],
            "unload": ["unloading", "off"],
            "warm": ["loading", "loaded"],
        }
        self.reasons: dict[str, str] = {}  # of a state
        self.refusal = ""  # if set, each change is refused with it
        self._coming: dict[str, Iterable[str]] = {}

    def __enter__(self) -> "StandInMlService":
        handler = type("Handler", (_Handler,), {"service": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    def look(self) -> list[dict]:
        for id, states in self._coming.items():
            if state := next(states, ""):
                worker = {
                    "state": "ready",
                    "device": "cpu",
                    "pid": 7,
                    "memory_mb": 160,
                    "gpu_mb": None,
                    "reason": "",
                }
                workers = [worker] if state == "loaded" else []
                told = {"id": id, "state": state, "reason": self.reasons.get(state, ""), "workers": workers}
                self.models[id] = told
        return list(self.models.values())

    def change(self, id: str, verb: str) -> None:
        self._coming[id] = iter(self.ways[verb])


class _Handler(BaseHTTPRequestHandler):
    service: StandInMlService

    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/models":
            self._answer(200, {"models": self.service.look(), "devices": []})
        else:
            self._answer(404, {"error": "not found"})

    def do_POST(self) -> None:
        _, root, id, verb = self.path.split("/")
        if root != "models" or verb not in self.service.ways:
            self._answer(404, {"error": "not found"})
        elif self.headers["Content-Type"] != "application/json" or self._body() != b"{}":
            self._answer(400, {"error": "The request is not valid.", "fields": {"body": "Field required"}})
        elif self.service.refusal:
            self._answer(503, {"error": self.service.refusal})
        else:
            self.service.change(id, verb)
            self._answer(202, {})

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _answer(self, status: int, body: dict) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
