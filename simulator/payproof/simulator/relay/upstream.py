"""The sandbox behind the relay: where it is, who we are there, and the one way to it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from payproof.contracts.model import PayproofError
from payproof.contracts.reading import addresses
from payproof.simulator import bounded_read as bounded
from payproof.simulator.books.records import CLIENT_ID, SECRET_KEY
from payproof.simulator.local_names import LocalNames
from payproof.simulator.relay.proxies import proxy_for
from payproof.simulator.relay.rate_budget import RateBudget

PATIENCE = 60.0
"""Seconds that a sandbox may take for one answer."""
LARGEST = 8 * 1024 * 1024
"""Bytes, unpacked, that a sandbox's answer may have."""
LARGEST_CA = 4 * 1024 * 1024
"""Bytes of a file of authorities; a system's whole bundle has a tenth of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxAddress:
    """One merchant's account at a gateway's sandbox. ``client_id``: empty where the gateway has none. ``clock``: address
    that moves its clock, empty where there is none."""

    base_url: str
    client_id: str = field(repr=False)
    secret_key: str = field(repr=False)
    ca: Path | None = None
    clock: str = ""
    checkout: str = ""
    """Origin of the hosted checkout, where the gateway has another host for it."""
    refuses: bool = False
    """A payer is known whom this sandbox refuses."""

    @property
    def credentials(self) -> dict[str, str]:
        """By the names that profiles declare."""
        return {name: value for name, value in ((CLIENT_ID, self.client_id), (SECRET_KEY, self.secret_key)) if value}

    @property
    def origin(self) -> str:
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def origins(self) -> tuple[str, ...]:
        """Where requests may go, the API's first."""
        return (self.origin, self.checkout) if self.checkout else (self.origin,)

    @property
    def path(self) -> str:
        return urlsplit(self.base_url).path.rstrip("/")


class Upstream:
    """Sends requests to the sandbox's hosts, and to no other. One for all worlds of a run. ``patience``: seconds that one answer
    may take (0: ``PATIENCE``)."""

    def __init__(self, sandbox: SandboxAddress, rate_budget: RateBudget, *, patience: float = 0.0) -> None:
        self.sandbox, self.rate_budget, self._patience = sandbox, rate_budget, patience
        self.hints: dict[str, None] = {}
        """What is odd about this sandbox, each once."""
        self.unwell: list[str] = []
        """Its own trouble, once for each probe run that it spoiled."""
        self._client = httpx.AsyncClient(
            verify=trust(sandbox.ca),
            proxy=proxy_for(sandbox.base_url),
            transport=LocalNames(httpx.AsyncHTTPTransport(verify=trust(sandbox.ca))),
            timeout=httpx.Timeout(patience or PATIENCE),
            follow_redirects=False,
            trust_env=False,
        )

    async def send(
        self, method: str, url: str | httpx.URL, headers: Sequence[tuple[str, str]], body: bytes
    ) -> httpx.Response:
        """``url``: at one of the sandbox's origins. Cookies are the client's business, so none are kept here.

        Raises:
            httpx.HTTPError: no answer, or one without an end.
            TimeoutError: no whole answer within ``patience``.
        """
        patience = self._patience or PATIENCE
        request = httpx.Request(
            method,
            url,
            headers=[(k.encode("latin-1", "replace"), v.encode("latin-1", "replace")) for k, v in headers],
            content=body if body or method in ("POST", "PUT", "PATCH") else None,
            extensions={"timeout": httpx.Timeout(patience).as_dict()},
        )
        if addresses.origin(str(request.url)) not in map(addresses.origin, self.sandbox.origins):
            raise httpx.UnsupportedProtocol("the address leads to another host")
        # The limits of a client library are for each read: an answer that drips would pass them for ever.
        async with asyncio.timeout(patience):
            answer = await self._client.send(request, stream=True)
            content, cut = await bounded.content(answer, LARGEST)
        self._client.cookies.clear()
        if cut:
            raise httpx.ReadError(f"its answer is longer than {LARGEST:,} bytes", request=request)
        # What is handed on is unpacked.
        kept = [(name, value) for name, value in answer.headers.multi_items() if name.lower() != "content-encoding"]
        return httpx.Response(answer.status_code, headers=kept, content=content, request=request)

    async def advance(self, seconds: float) -> None:
        """Move the sandbox's clock.

        Raises:
            PayproofError: it does not move.
        """
        clock = self.sandbox.clock
        try:
            async with httpx.AsyncClient(
                verify=trust(self.sandbox.ca), proxy=proxy_for(clock), timeout=PATIENCE, trust_env=False
            ) as client:
                (await client.post(clock, json={"seconds": seconds})).raise_for_status()
        except httpx.HTTPError as error:
            raise PayproofError(
                f"the sandbox's clock did not move: {error or type(error).__name__}",
                place="sandbox.clock",
                remedy='it must answer POST {"seconds": n} with 2xx (a private authority is named by sandbox.ca), or leave it out',
            ) from None

    async def aclose(self) -> None:
        await self._client.aclose()


def trust(ca: Path | None) -> ssl.SSLContext:
    """The system's authorities, and a private one where it is named.

    Raises:
        PayproofError: it cannot be read.
    """
    context = ssl.create_default_context()
    if ca is not None:
        try:
            if ca.stat().st_size > LARGEST_CA:
                raise OSError(f"it is longer than {LARGEST_CA:,} bytes")
            context.load_verify_locations(cafile=str(ca))
        except (OSError, ssl.SSLError) as error:
            raise PayproofError(
                f"this authority cannot be read: {error}", place=f"sandbox.ca = {ca}", remedy="name a PEM file"
            ) from None
    return context
