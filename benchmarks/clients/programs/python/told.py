"""What every client of Python has in common: reads the command line, calls, tells."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import TypeAlias

Call: TypeAlias = Callable[[str, str, Mapping[str, str], "bytes | None"], "tuple[int, bytes]"]
"""(method, url, headers, body) -> (status, body of the answer)."""


def tell(version: str, connect: Callable[[str], Call]) -> None:
    """``connect(mode)`` makes the client; ``version`` names it."""
    if sys.argv[1] == "--version":
        print(f"{version}, Python {sys.version.split()[0]}")
        return
    url, method, mode, calls, token, body = sys.argv[1:]
    headers = {"Authorization": f"Bearer {token}"} | ({"Content-Type": "application/json"} if body else {})
    call = connect(mode)
    for made in range(int(calls)):
        time.sleep(0.1 if made else 0)
        began = time.monotonic()
        told = outcome(lambda: call(method, url, headers, body.encode() or None))
        print(json.dumps(told | {"seconds": round(time.monotonic() - began, 2)}), flush=True)
    sys.stdin.read()


def outcome(call: Callable[[], tuple[int, bytes]]) -> dict[str, object]:
    try:
        status, body = call()
    except Exception as error:
        return {"outcome": "error", "error": f"{type(error).__name__}: {error}"[:200]}
    return {"outcome": "answer", "status": status, "bytes": len(body)}
