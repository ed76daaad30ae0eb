"""Where a customer's addresses lead: to the integration's running instance, to the gateway, or elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal
from urllib.parse import urlsplit

import httpx

from payproof.contracts.reading import addresses
from payproof.suites.customer.fresh_connections import FreshConnections

_WEBSITE = "<!doctype html><title>Website</title><p>A page of the merchant's website, in the place of an integration without pages.</p>"


@dataclass(frozen=True, slots=True)
class Routing:
    """Where the customer's addresses lead: the integration's public address, where it really listens, the gateway.

    ``checkout_url``: the hosted checkout's host, where it has one of its own.
    ``given``: origins of the return addresses that the integration itself gave the gateway; they are public addresses of
    the integration too, whatever they are called. ``pages``: the gateway's hosts beside its own where a payer may type what they
    know. ``is_live``: as in the profile. ``silent``: the integration listens on no port; its return addresses are a website's that it
    has nothing to do with. ``static``: the scripts that it gives to everybody, as files, by their addresses.
    """

    public_url: str
    instance_url: str
    gateway_url: str
    given: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    pages: tuple[str, ...] = ()
    is_live: Callable[[str, str], bool] | None = None
    checkout_url: str = ""
    silent: bool = False
    static: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def sites(self) -> tuple[str, ...]:
        """The gateway's addresses, the API's first."""
        return (self.gateway_url, self.checkout_url) if self.checkout_url else (self.gateway_url,)

    def where(self, url: str) -> Literal["integration", "checkout", "elsewhere"]:
        host, port = _origin(url)
        if _home(host, port) in (_home(*_origin(site)) for site in self.sites):
            return "checkout"
        public = _origin(self.public_url)[0]
        known = {_origin(self.public_url), _origin(self.instance_url), (public, 80), (public, 443)} | self.given
        return "integration" if (host, port) in known else "elsewhere"

    def foreign(self, url: str) -> str:
        """Why a payer opens no page here, and types nothing in that would be sent here; empty where this is the gateway."""
        here, gateway = addresses.origin(url), tuple(map(addresses.origin, self.sites))
        known = {*gateway, *map(addresses.origin, self.pages)}
        if _home(*_origin(url)) in (_home(*_origin(site)) for site in self.sites if is_loopback(_origin(site)[0])):
            return ""  # ours, which speaks plain HTTP at the same port
        if self.is_live is not None and here not in gateway and self.is_live(url, ""):
            return f"it leads to the live gateway ({here}), where payproof does nothing"
        if here and here in known:
            return ""
        if f"https{here.removeprefix('http')}" in known:
            return f"it leads to {here} over plain HTTP, and a payer's password travels over HTTPS only"
        return (
            f"it leads to {here or url[:80]}, and a payer's login and password go to the gateway alone; "
            f'if that is the gateway\'s too, name it: [sandbox] pages = ["{here or "https://HOST"}"]'
        )

    def give(self, url: str) -> None:
        """Note a return address of the integration."""
        if (origin := _origin(url))[0] and origin not in map(_origin, self.sites):
            self.given.add(origin)


def is_loopback(host: str) -> bool:
    """Whether a name leads here: names under .localhost do, whatever a resolver says of them."""
    return host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")


@lru_cache(maxsize=1024)
def _origin(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    return (parts.hostname or "").lower(), port or (443 if parts.scheme == "https" else 80)


def _home(host: str, port: int) -> tuple[str, int]:
    """An origin by one name where this machine has several."""
    return "localhost" if host in ("127.0.0.1", "::1") else host, port


def address_of(name: str) -> str:
    """The network address of a customer, for a shop that counts what comes from each: another one for each number in a name. They are
    addresses that are kept for tests of networks."""
    number = int("".join(filter(str.isdecimal, name))[-6:] or 0)
    return f"198.{18 + number // 64_516 % 2}.{number // 254 % 254}.{number % 254 + 1}"


def forwarded(url: str, instance_url: str, address: str = "203.0.113.7") -> dict[str, str]:
    """What a proxy tells the instance behind it of a request for ``url`` from ``address``; nothing where that is the instance's own
    address."""
    if _origin(url) == _origin(instance_url):
        return {}
    parts = urlsplit(url)
    return {
        "X-Forwarded-Proto": parts.scheme,
        "X-Forwarded-Host": parts.hostname or "",
        "X-Forwarded-Port": "443",
        "X-Forwarded-For": address,
    }


class Proxy(httpx.AsyncBaseTransport):
    """Carries requests for the public address to the instance, like the TLS terminating proxy in front of a real shop.

    ``outside``, the way to the gateway, is shared by all customers of a world. ``address``: where this customer's requests come from.
    """

    def __init__(self, place: Routing, outside: httpx.AsyncBaseTransport, address: str = "203.0.113.7") -> None:
        self.place, self.outside, self.address = place, outside, address
        self.inner = FreshConnections()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        if self.place.where(url) != "integration":
            return await self.outside.handle_async_request(request)
        if self.place.silent:
            return httpx.Response(200, html=_WEBSITE, request=request)
        real = httpx.URL(self.place.instance_url)
        headers = request.headers.copy()
        headers.update(forwarded(url, self.place.instance_url, self.address))
        target = request.url.copy_with(scheme=real.scheme, host=real.host, port=real.port)
        return await self.inner.handle_async_request(
            httpx.Request(request.method, target, headers=headers, stream=request.stream, extensions=request.extensions)
        )

    async def aclose(self) -> None:
        """The shared way outside stays open."""
