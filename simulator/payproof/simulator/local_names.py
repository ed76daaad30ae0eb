"""Names under .localhost lead to this machine, whatever a resolver says of them."""

from __future__ import annotations

import httpx


class LocalNames(httpx.AsyncBaseTransport):
    """Carries requests to names under .localhost to this machine, which not every resolver knows, and all others as they are."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host.endswith(".localhost"):
            extensions = {**request.extensions, "sni_hostname": request.url.host}
            request = httpx.Request(
                request.method,
                request.url.copy_with(host="127.0.0.1"),
                headers=request.headers,  # the name that was asked for is in Host
                stream=request.stream,
                extensions=extensions,
            )
        return await self.inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self.inner.aclose()
