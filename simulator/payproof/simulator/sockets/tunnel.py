"""A client's CONNECT: it takes this port for the proxy on the way to the gateway, and goes on as if it were there."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection

from payproof.contracts.entries import Step
from payproof.contracts.journal import Journal
from payproof.contracts.judging.steps import StepName

_ASKS = b"CONNECT "
_LONGEST = 16 * 1024
"""Bytes that its request may have."""
_NAME = 253
"""Characters that a host's name may have."""
_OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"
_CLOSED = (
    b"HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n"
    b"payproof stands in for the hosts in integration.gateway_hosts, and leads nowhere else\n"
)


def is_asked_for(first: bytes) -> bool:
    """Whether a connection begins so. ``first``: what the client said first."""
    return bool(first) and _ASKS.startswith(first[: len(_ASKS)])


async def opened(sock: socket.socket, hosts: Collection[str], journal: Journal | None) -> bool:
    """Read the request off ``sock`` and answer it. Returns whether the client may go on; another host that it asked for is noted."""
    loop, head = asyncio.get_running_loop(), b""
    while b"\r\n\r\n" not in head:
        part = await loop.sock_recv(sock, _LONGEST)
        head += part
        if not part or len(head) > _LONGEST:
            return False
    words = head.partition(b"\r\n")[0].split(b" ")
    host = words[1].decode("latin-1").rpartition(":")[0][:_NAME].lower() if len(words) == 3 else ""
    known = host in hosts and head.endswith(b"\r\n\r\n")  # whoever says more before the answer is no client of a tunnel
    await loop.sock_sendall(sock, _OPEN if known else _CLOSED)
    if host and host not in hosts and journal is not None:
        text = f"it wants to reach {host}, and is led to {', '.join(sorted(hosts))} only"
        journal.put(Step(text=text, name=StepName.ELSEWHERE))
    return known
