"""Ports for integrations: free now, kept free until the integration listens there, and nobody else's meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from payproof.contracts.model import PayproofError
from payproof.simulator.listening.listener import is_loopback
from payproof.suites.resources import Lacking, lacking
from payproof.suites.session import process_family as family

_LOWEST, _USUAL_EPHEMERAL = 12_000, 32_768
_TRIES = 400
_CLOSING = 3.0
"""Seconds that whoever listened on a port before may take to leave it."""


class PortTaken(PayproofError):
    """Another program listens where the integration should."""


class Port:
    """A loopback port that is ours until ``release``.

    It lies below the range that the system gives to outgoing connections: one of those could take it before the
    integration does, and a client that asks a closed port of that range may even be answered by itself. Other payproof
    processes see the UDP socket that is bound to the same number, and choose another one.
    """

    def __init__(self) -> None:
        lowest = _first_ephemeral()
        problem: OSError | None = None
        for number in random.SystemRandom().sample(range(_LOWEST, lowest), k=min(_TRIES, lowest - _LOWEST)):
            try:
                self.number, self._mark = number, _marked(number)
            except OSError as error:
                problem = error
                continue
            return
        raise lacking(problem) or Lacking(
            "no free port was found; nothing is said about the integration",
            place="127.0.0.1",
            remedy="end programs that listen on many ports",
        )

    def release(self) -> None:
        self._mark.close()


def _marked(number: int) -> socket.socket:
    """A socket by which other payproof processes see that the port is ours.

    Raises:
        OSError: the port is taken.
    """
    mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        mark.bind(("127.0.0.1", number))
        with socket.socket() as probe:
            probe.bind(("", number))
    except OSError:
        mark.close()
        raise
    return mark


def _first_ephemeral() -> int:
    try:
        first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        first = _USUAL_EPHEMERAL
    return first if first > _LOWEST + _TRIES else _USUAL_EPHEMERAL


def address(url: str) -> tuple[str, int]:
    """Host and port of an integration's address."""
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or (443 if parts.scheme == "https" else 80)


async def answers(url: str) -> bool:
    """Whether somebody listens at an integration's address."""
    try:
        async with asyncio.timeout(1.0):
            _, writer = await asyncio.open_connection(*address(url))
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def refuse_taken(url: str) -> None:
    """See that nobody listens there. Whoever is just closing gets a moment to leave; another machine's ports are its own affair.

    Raises:
        PortTaken: somebody does.
    """
    if not is_loopback(address(url)[0]):
        return
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _CLOSING
    while await answers(url):
        if loop.time() >= deadline:
            raise taken(url)
        await asyncio.sleep(0.1)


def taken(url: str, by: psutil.Process | None = None) -> PortTaken:
    """What to say when another program, this one or whichever is found, listens there."""
    return PortTaken(
        f"another program answers at {url}, where the integration should: {family.named(by or family.holder(address(url)[1]))}",
        place=f"integration.url = {url}",
        remedy='end that program, or write url = "http://127.0.0.1:{port}" and hand {port} to the integration; '
        "if it is the integration itself, started by somebody else, leave integration.command out",
    )
