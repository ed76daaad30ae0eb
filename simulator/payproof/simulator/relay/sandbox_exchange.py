"""What the relay saw at the sandbox, for whoever records it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import httpx

from payproof.contracts.entries import Request, Response


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxExchange:
    """One exchange with the sandbox, in clear: upstream addresses, whole bodies, the sandbox's own credentials.

    ``kind``: a call of the integration's, or a hosted page that the customer asked for. ``probe``: the probe that runs.
    """

    kind: Literal["api", "page"]
    probe: str
    at: float
    """Seconds since the run began."""
    request: Request
    response: Response


OnExchange: TypeAlias = Callable[[SandboxExchange], None]


def request_of(request: httpx.Request) -> Request:
    """A request that was sent, whose body is in memory."""
    body = request.content.decode("utf-8", "replace")
    return Request(method=request.method, url=str(request.url), headers=tuple(request.headers.multi_items()), body=body)


def response_of(answer: httpx.Response) -> Response:
    """An answer that was read to its end."""
    headers, size = tuple(answer.headers.multi_items()), len(answer.content)
    return Response(status=answer.status_code, headers=headers, body=answer.text, size=size)
