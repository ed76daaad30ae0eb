"""One HTTP call with a limit for the whole of it: connect, send, and the last byte of the answer.

The timeout of requests is a limit for each single wait. It starts anew with every byte that arrives, so a server
that sends one byte a second is listened to for hours. Here a timer cuts the connection, whatever it is doing then.
"""

import http.client
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import requests
import urllib3
from requests.adapters import HTTPAdapter

CONNECT_SECONDS = 8.0  # for each address of the host, and for the TLS handshake
FAILURES = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)


class CallFailed(Exception):
    """No whole answer came: network, time limit, or too much of it. The text is for our own log."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def call(method: str, url: str, headers: dict[str, str], json: object, *, seconds: float, max_bytes: int) -> Answer:
    """Send one request over a connection of its own and read the answer. Redirects are not followed.

    A kept connection may have been closed by the other side in the meantime, and then nobody knows whether the
    request arrived. With money involved, a fresh connection is worth its few milliseconds.
    """
    adapter = _Cuttable()
    timer = threading.Timer(seconds, adapter.cut)
    timer.daemon = True
    timer.start()
    try:
        with requests.Session() as session:
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            with session.request(
                method,
                url,
                headers=headers,
                json=json,
                timeout=(CONNECT_SECONDS, seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = bytearray()
                for chunk in response.iter_content(8192):
                    body += chunk
                    if len(body) > max_bytes:
                        raise CallFailed(f"more than {max_bytes} bytes")
                answer = Answer(response.status_code, response.headers, bytes(body))
    except FAILURES as error:
        raise CallFailed("time limit" if adapter.late else f"{type(error).__name__}: {error}") from error
    finally:
        timer.cancel()
    if adapter.late:  # the cut can look like the regular end of an answer without a length
        raise CallFailed("time limit")
    return answer


class _Cuttable(HTTPAdapter):
    """The transport of requests, with a handle on its connection for the timer's thread."""

    def __init__(self) -> None:
        super().__init__()  # max_retries stays 0: repeating a request is for the gateway client to decide
        self.late = False
        self._socket: socket.socket | None = None

    def get_connection_with_tls_context(self, *args, **kwargs):
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        adapter = self

        class Connection(pool.ConnectionCls):
            def connect(self) -> None:
                super().connect()
                adapter._socket = self.sock

        pool.ConnectionCls = Connection
        return pool

    def cut(self) -> None:
        self.late = True
        if self._socket is not None:
            with suppress(OSError):  # it may be closed already
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # wakes up the thread that reads from it
