"""A merchant's endpoint for tests: keeps what is posted to it, and answers what it was told to."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


class Receiver:
    """Answers 200, or ``answers`` in turn as long as there are some. ``None`` closes without an answer. With ``gate`` cleared an
    answer waits."""

    def __init__(self, *answers: int | None) -> None:
        self.got: list[Received] = []
        self.answers: list[int | None] = list(answers)
        self.gate = threading.Event()
        self.gate.set()
        ours = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                ours.got.append(Received(self.path, headers, body))
                ours.gate.wait(10)
                answer = ours.answers.pop(0) if ours.answers else 200
                if answer is not None:
                    self.send_response(answer)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/notices"

    def __enter__(self) -> Receiver:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.gate.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
