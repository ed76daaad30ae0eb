"""Misbehaviours of TLS, on connections that begin with a handshake. Plain text on the same port is served as ever."""

from __future__ import annotations

from dataclasses import dataclass

from payproof.simulator.faults.connection_context import ConnectionContext
from payproof.simulator.faults.registry import fault


@fault("unknown-authority", of="handshake")
@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownAuthority:
    """Shows a certificate of an authority that nobody knows. Whoever takes it is served as ever."""

    async def meet(self, hit: ConnectionContext) -> None:
        await hit.serve(hit.certificates.untrusted)


@fault("expired-certificate", of="handshake")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiredCertificate:
    """Shows a certificate that was good until yesterday. Whoever takes it is served as ever."""

    async def meet(self, hit: ConnectionContext) -> None:
        await hit.serve(hit.certificates.expired)


@fault("wrong-host", of="handshake")
@dataclass(frozen=True, slots=True, kw_only=True)
class WrongHost:
    """Shows a good certificate of another host. Whoever takes it is served as ever."""

    async def meet(self, hit: ConnectionContext) -> None:
        await hit.serve(hit.certificates.wrong_host)


@fault("old-tls", of="handshake")
@dataclass(frozen=True, slots=True, kw_only=True)
class OldTls:
    """Offers TLS 1.0 and 1.1 only, under its good certificate. Whoever takes that is served as ever."""

    async def meet(self, hit: ConnectionContext) -> None:
        await hit.serve(hit.certificates.old)
