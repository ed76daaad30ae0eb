"""Where notices go, and how one is handed over: a gateway reads the beginning of the answer, and waits no longer than its own limit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from payproof.contracts.entries import BODY_LIMIT, Response
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Fields

if TYPE_CHECKING:
    import httpx

_READ = 16 * BODY_LIMIT
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where notices go. ``url``: what the merchant told the gateway. ``headers``: sent besides the gateway's own. ``through``:
    origin that really serves it, as behind a proxy; empty where that is the url's own."""

    url: str
    headers: Fields = ()
    through: str = ""


def endpoint_at(url: str, headers: Fields = ()) -> Endpoint:
    """Raises:
    PayproofError: this is no address that anything could be posted to.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PayproofError(
            f'"{url}" is no address', place="url", remedy='write it like "http://127.0.0.1:8000/notices"'
        )
    return Endpoint(url=url, headers=headers)


def addressed(headers: Fields, site: str) -> Fields:
    """With addresses in place of their names. ``site``: scheme and host of the API; the stranger is the same server by another name of
    this machine."""
    own, other = ("localhost", "127.0.0.1") if "localhost" in site else ("127.0.0.1", "localhost")
    sites = {"{gateway.url}": site, "{stranger.url}": site.replace(own, other)}
    return tuple(
        (name, reduce(lambda text, known: text.replace(*known), sites.items(), value)) for name, value in headers
    )


class NoticeClient:
    """``longest``: seconds that an answer may take."""

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._http: httpx.AsyncClient | None = None

    async def aclose(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def post(self, endpoint: Endpoint, headers: Fields, body: bytes) -> tuple[Response | None, str]:
        """(answer, why there is none)."""
        import httpx  # here, because most gateways send no notices, and it takes a quarter of a second

        if self._http is None:
            # A merchant's certificate is not what is tried here; and nobody is to blame for a kept connection that broke.
            limits = httpx.Limits(max_keepalive_connections=0)
            self._http = httpx.AsyncClient(verify=False, timeout=None, trust_env=False, limits=limits)
        url = httpx.URL(endpoint.url)
        sent = [("Host", url.netloc.decode()), *headers]
        if endpoint.through:
            real = httpx.URL(endpoint.through)
            url = url.copy_with(scheme=real.scheme, host=real.host, port=real.port)
        try:
            async with (
                asyncio.timeout(self._longest),
                self._http.stream("POST", url, headers=sent, content=body) as answer,
            ):
                return await _read(answer), ""
        except TimeoutError:
            return None, f"no answer within {self._longest:g} s"
        except httpx.ConnectError:
            return None, "the connection was refused"
        except (httpx.HTTPError, AttributeError) as error:  # anyio has no word for a socket that closed as it connected
            return None, f"the connection ended without an answer ({type(error).__name__})"


async def _read(answer: httpx.Response) -> Response:
    """The answer with as much of its body as is kept; a gateway reads no more."""
    body = bytearray()
    async for piece in answer.aiter_raw():
        body += piece
        if len(body) > _READ:
            break
    text = bytes(body[:BODY_LIMIT]).decode("utf-8", "replace")
    headers = tuple((name, value) for name, value in answer.headers.multi_items())
    return Response(status=answer.status_code, headers=headers, body=text, size=len(body))
