"""An integration whose address of the gateway cannot be set: how it is led to this run's gateway all the same.

Clients that follow the environment's proxy ask the gateway's port for a tunnel (``simulator/sockets/tunnel.py``); Node is led there
without one (``gateway_hosts.cjs``).
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

_NODE = Path(__file__).with_suffix(".cjs")
_NOT_THROUGH = "localhost,127.0.0.1,::1,.localhost"


def environment(hosts: Collection[str], port: int) -> dict[str, str]:
    """What an instance is told. ``port``: the gateway's."""
    if not hosts:
        return {}
    proxy = f"http://127.0.0.1:{port}"
    return {
        **dict.fromkeys(("HTTPS_PROXY", "https_proxy", "http_proxy"), proxy),  # Ruby reads the last one
        **dict.fromkeys(("NO_PROXY", "no_proxy"), _NOT_THROUGH),
        "JAVA_TOOL_OPTIONS": (
            f"-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort={port} -Dhttp.nonProxyHosts=localhost|127.*|*.localhost"
        ),
        "NODE_OPTIONS": f"--require={_NODE}",
        "PAYPROOF_GATEWAY_HOSTS": ",".join(hosts).lower(),
        "PAYPROOF_GATEWAY_PORT": str(port),
    }


def joined(first: dict[str, str], second: dict[str, str]) -> dict[str, str]:
    """Two environments as one; Java takes one variable for all of its settings."""
    both = " ".join(filter(None, (each.get("JAVA_TOOL_OPTIONS") for each in (first, second))))
    return {**first, **second, **({"JAVA_TOOL_OPTIONS": both} if both else {})}
