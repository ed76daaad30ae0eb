"""Ports for integrations: free now, and kept free until the integration listens there."""

from __future__ import annotations

import random
import socket
from pathlib import Path

from payproof.contracts.model import PayproofError
from payproof.suites.resources import Lacking, lacking

_LOWEST, _USUAL_EPHEMERAL = 12_000, 32_768
_TRIES = 400


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
