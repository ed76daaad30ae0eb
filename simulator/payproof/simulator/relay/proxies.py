"""The environment's proxy (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY), for the way to a sandbox and for nothing else."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

from payproof.contracts.model import PayproofError

_KINDS = ("http", "https")


def proxy_for(url: str) -> str | None:
    """The proxy that leads to an address; None where the way is straight. Nothing on this machine is behind a proxy.

    Raises:
        PayproofError: the proxy is of a kind that payproof cannot use.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    # getproxies, not getproxies_environment, would also ask the system's settings, which no other client here reads.
    proxies = getproxies_environment()
    found = proxies.get(parts.scheme) or proxies.get("all")
    if not found or is_here(host) or _excepted(host, parts.port, proxies.get("no", "")):
        return None
    proxy = found if "://" in found else f"http://{found}"
    if urlsplit(proxy).scheme not in _KINDS:
        raise PayproofError(
            f"the way to {host} leads through a {urlsplit(proxy).scheme} proxy, which payproof cannot use",
            place=f"environment: {parts.scheme.upper()}_PROXY or ALL_PROXY",
            remedy=f"name an HTTP proxy, or except the sandbox: NO_PROXY={host}",
        )
    return proxy


def _excepted(host: str, port: int | None, no_proxy: str) -> bool:
    """NO_PROXY as most clients read it: names with all below them, with or without a dot before and a port behind; ``*``."""
    for each in no_proxy.replace(",", " ").split():
        name, _, only = each.lower().partition(":")
        name = name.removeprefix("*").removeprefix(".")
        if each == "*" or ((host == name or host.endswith(f".{name}")) and only in ("", str(port or ""))):
            return True
    return False


def is_here(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def shown(proxy: str) -> str:
    """A proxy without the credentials that its address may hold."""
    return urlsplit(proxy).netloc.rpartition("@")[2]
