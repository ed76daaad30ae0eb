"""The sandbox behind the relay: where it is, who we are there, and the one way to it."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from payproof.contracts import addresses
from payproof.contracts.model import PayproofError
from payproof.simulator.relay.politeness import Politeness

PATIENCE = 60.0
"""Seconds that a sandbox may take for one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """One merchant's account at a gateway's sandbox. ``clock``: address that moves its clock, empty where there is none."""

    base_url: str
    client_id: str = field(repr=False)
    secret_key: str = field(repr=False)
    ca: Path | None = None
    clock: str = ""
    refuses: bool = False
    """A payer is known whom this sandbox refuses."""

    @property
    def origin(self) -> str:
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> str:
        return urlsplit(self.base_url).path.rstrip("/")


class Upstream:
    """Sends requests to the sandbox's host, and to no other. One for all worlds of a run."""

    def __init__(self, sandbox: Sandbox, politeness: Politeness) -> None:
        self.sandbox, self.politeness = sandbox, politeness
        self.hints: dict[str, None] = {}
        """What is odd about this sandbox, each said once."""
        self._client = httpx.AsyncClient(
            verify=_trust(sandbox.ca),
            timeout=httpx.Timeout(PATIENCE),
            follow_redirects=False,
            trust_env=False,
        )

    async def send(self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes) -> httpx.Response:
        """``target``: path and query. Cookies are the client's business, so none are kept here.

        Raises:
            httpx.HTTPError: no answer.
        """
        request = httpx.Request(
            method,
            f"{self.sandbox.origin}{target}",
            headers=[(k.encode("latin-1", "replace"), v.encode("latin-1", "replace")) for k, v in headers],
            content=body if body or method in ("POST", "PUT", "PATCH") else None,
            extensions={"timeout": httpx.Timeout(PATIENCE).as_dict()},
        )
        if addresses.origin(str(request.url)) != addresses.origin(self.sandbox.origin):
            raise httpx.UnsupportedProtocol("the address leads to another host")
        answer = await self._client.send(request)
        self._client.cookies.clear()
        return answer

    async def advance(self, seconds: float) -> None:
        """Move the sandbox's clock.

        Raises:
            PayproofError: it does not move.
        """
        try:
            answer = await self._client.post(self.sandbox.clock, json={"seconds": seconds})
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise PayproofError(
                f"the sandbox's clock did not move: {type(error).__name__}",
                place="sandbox.clock",
                remedy='it must answer POST {"seconds": n} with 2xx, or leave it out',
            ) from None

    async def aclose(self) -> None:
        await self._client.aclose()


def _trust(ca: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca is not None:
        try:
            context.load_verify_locations(cafile=str(ca))
        except (OSError, ssl.SSLError) as error:
            raise PayproofError(
                f"this authority cannot be read: {error}", place=f"sandbox.ca = {ca}", remedy="name a PEM file"
            ) from None
    return context
