"""A request that offers another protocol is answered in HTTP/1.1, and is not cut off after its headers."""

from __future__ import annotations

import json
import socket

import pytest

from payproof.contracts.entries import Call
from payproof.simulator.testing import GatewayThread

OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nUpgrade: h2c\r\n"


def request(gateway: GatewayThread, offer: bytes = OFFER) -> tuple[bytes, bytes]:
    body = json.dumps({"client_id": gateway.client_id, "secret_id": gateway.secret_key}).encode()
    path = f"{gateway.profile.base_path}/authentication/token".encode()
    head = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%sContent-Type: application/json\r\n" % (path, offer)
    return head + b"Content-Length: %d\r\n\r\n" % len(body), body


def answers(gateway: GatewayThread, *parts: bytes, count: int) -> bytes:
    """All bytes until so many answers have come, the parts sent one after the other."""
    port = int(gateway.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            sock.sendall(part)
        read = b""
        while read.count(b"access_token") < count:
            more = sock.recv(65536)
            assert more, read
            read += more
        return read


def statuses(gateway: GatewayThread) -> list[int]:
    calls = [entry for entry in gateway.journal() if isinstance(entry, Call)]
    return [call.response.status for call in calls if call.response]


@pytest.mark.parametrize("cut", [0, 40, 170], ids=["at once", "in the first line", "in the offer"])
def test_a_post_that_offers_http_2_has_its_body(gateway: GatewayThread, cut: int) -> None:
    head, body = request(gateway)
    answers(gateway, head[:cut], head[cut:] + body, count=1)
    assert statuses(gateway) == [200]


def test_the_body_may_come_later(gateway: GatewayThread) -> None:
    head, body = request(gateway)
    answers(gateway, head, body, count=1)
    assert statuses(gateway) == [200]


def test_the_connection_serves_the_next_request_too(gateway: GatewayThread) -> None:
    offered, plain = b"".join(request(gateway)), b"".join(request(gateway, b""))
    read = answers(gateway, offered, plain, offered + plain, count=4)
    assert read.count(b"HTTP/1.1 200 OK") == 4
    assert statuses(gateway) == [200] * 4


def test_nothing_is_said_about_it(gateway: GatewayThread, capfd: pytest.CaptureFixture[str]) -> None:
    answers(gateway, *request(gateway), count=1)
    assert capfd.readouterr() == ("", "")


def test_the_journal_keeps_the_offer(gateway: GatewayThread) -> None:
    answers(gateway, *request(gateway), count=1)
    (call,) = [entry for entry in gateway.journal() if isinstance(entry, Call)]
    assert ("upgrade", "h2c") in call.request.headers
