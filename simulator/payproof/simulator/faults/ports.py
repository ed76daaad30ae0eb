"""Misbehaviours of the port itself: nobody gets as far as a connection. They hold until they are cleared, for whoever comes."""

from __future__ import annotations

from dataclasses import dataclass

from payproof.simulator.faults.parameters import Seconds
from payproof.simulator.faults.registry import fault
from payproof.simulator.sockets.listening_port import ListeningPort


@fault("refuse", of="port")
@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Connections are refused, as by a host on which nobody listens. Opens again after ``seconds``, when they are given."""

    seconds: Seconds | None = None

    def shut(self, port: ListeningPort) -> None:
        port.refuse()


@fault("backlog", of="port")
@dataclass(frozen=True, slots=True, kw_only=True)
class FullBacklog:
    """Connecting hangs: the backlog is full, and the system drops whoever asks for a connection. Each attempt is noted from
    its first SYN until the client gives it up. Opens again after ``seconds``, when they are given."""

    seconds: Seconds | None = None

    def shut(self, port: ListeningPort) -> None:
        port.fill()
