"""The channel on which alerts arrive during a run: a small web hook on loopback, one path for each world."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from payproof.contracts.entries import Alert
from payproof.contracts.journal import Journal
from payproof.simulator import GatewayServer


class AlertHook:
    """Listens while a run lasts; writes what arrives into the journal of the world that it is for."""

    def __init__(self) -> None:
        self.journals: dict[str, Journal] = {}
        app = Starlette(routes=[Route("/alerts/{world}", self._receive, methods=["POST", "PUT", "GET"])])
        self._server = GatewayServer(app)

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()

    def url(self, world: str) -> str:
        return f"http://127.0.0.1:{self._server.port}/alerts/{world}"

    async def _receive(self, request: Request) -> Response:
        journals: Mapping[str, Journal] = self.journals
        journal = journals.get(request.path_params["world"])
        if journal is None:
            return Response("no such world", status_code=404)
        body = b""
        with contextlib.suppress(ClientDisconnect):  # what was said until then was said
            async for part in request.stream():  # read to its end, and never kept
                body = (body + part)[:4096]
        text = body.decode("utf-8", "replace")
        journal.add(Alert(channel="webhook", text=text))
        return Response("ok")
