"""Misbehaviours of TLS, on connections that begin with a handshake. Plain text on the same port is served as ever."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from ssl import AlertDescription, MemoryBIO, SSLContext, SSLError
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from payproof.simulator.faults.connection_context import ConnectionContext
from payproof.simulator.faults.registry import fault

AlertName: TypeAlias = Literal[
    "handshake_failure", "internal_error", "protocol_version", "unrecognized_name", "access_denied", "decode_error", "bad_certificate",
    "unknown_ca",
]  # fmt: skip
_ALERT, _FATAL = bytes((21, 3, 3, 0, 2)), 2
_NO_TLS = bytes((7 * number + 128) % 256 for number in range(256))


@fault("unknown-authority", of="handshake")
@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownAuthority:
    """Shows a certificate of an authority that nobody knows. Whoever takes it is served as ever."""

    async def meet(self, context: ConnectionContext) -> None:
        await context.serve(context.certificates.untrusted)


@fault("expired-certificate", of="handshake")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiredCertificate:
    """Shows a certificate that was good until yesterday. Whoever takes it is served as ever."""

    async def meet(self, context: ConnectionContext) -> None:
        await context.serve(context.certificates.expired)


@fault("wrong-host", of="handshake")
@dataclass(frozen=True, slots=True, kw_only=True)
class WrongHost:
    """Shows a good certificate of another host. Whoever takes it is served as ever."""

    async def meet(self, context: ConnectionContext) -> None:
        await context.serve(context.certificates.wrong_host)


@fault("old-tls", of="handshake")
@dataclass(frozen=True, slots=True, kw_only=True)
class OldTls:
    """Offers TLS 1.0 and 1.1 only, under its good certificate. Whoever takes that is served as ever; anybody else is told so by
    an alert."""

    async def meet(self, context: ConnectionContext) -> None:
        flight = server_flight(context.certificates.old, context.hello)
        if flight[:1] != _ALERT[:1]:
            await context.serve(context.certificates.old)
            return
        await context.read()
        await context.write(flight)
        context.end("handshake_failed", "no version of TLS in common")


@fault("tls-silence", of="handshake")
@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSilence:
    """Takes the ClientHello, answers the share ``keep`` of what belongs there (0: not a byte), and then nothing, until the client
    hangs up or the fault is cleared."""

    keep: Annotated[float, Field(ge=0, lt=1)] = 0.0

    async def meet(self, context: ConnectionContext) -> None:
        flight = server_flight(context.certificates.good, await context.read())
        await context.write(flight[: int(len(flight) * self.keep)])
        await context.hold()
        context.end("silent")


@fault("tls-garbage", of="handshake")
@dataclass(frozen=True, slots=True, kw_only=True)
class TlsGarbage:
    """Answers the ClientHello with bytes that are no TLS, and closes."""

    async def meet(self, context: ConnectionContext) -> None:
        await context.read()
        await context.write(_NO_TLS)
        context.end("handshake_failed", "answered with garbage")


@fault("tls-alert", of="handshake")
@dataclass(frozen=True, slots=True, kw_only=True)
class TlsAlert:
    """Answers the ClientHello with a fatal ``alert``, and closes."""

    alert: AlertName = "handshake_failure"

    async def meet(self, context: ConnectionContext) -> None:
        await context.read()
        await context.write(_ALERT + bytes((_FATAL, AlertDescription[f"ALERT_DESCRIPTION_{self.alert.upper()}"])))
        context.end("handshake_failed", f"answered with the alert {self.alert}")


def server_flight(context: SSLContext, hello: bytes) -> bytes:
    """What a server says after this ClientHello, up to where it waits for the client again."""
    incoming, outgoing = MemoryBIO(), MemoryBIO()
    incoming.write(hello)
    with contextlib.suppress(SSLError):  # it wants the client's next words, or could not read these
        context.wrap_bio(incoming, outgoing, server_side=True).do_handshake()
    return outgoing.read()
