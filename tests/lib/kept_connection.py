"""The shop that selftest plays, with a client that keeps one connection and looks at it only when it has asked: one that the gateway has
closed in the meantime costs a call."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import ssl
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import uvicorn

from payproof.suites.config import Config
from payproof.suites.selftest.selftest import shop
from payproof.suites.selftest.shop.gateway import Gateway
from payproof.suites.selftest.shop.orders import Orders
from payproof.suites.selftest.shop.shop import Shop


def keeping() -> Config:
    """The configuration of such a shop."""
    config = shop("keeping")
    command = (sys.executable, __file__)
    return config.model_copy(update={"integration": config.integration.model_copy(update={"command": command})})


class KeepingGateway(Gateway):
    kept: http.client.HTTPConnection | None = None

    async def send(
        self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
    ) -> tuple[int, httpx.Headers, str]:
        try:
            return await asyncio.to_thread(self._ask, method, path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self.kept = None
            raise httpx.ReadError(type(error).__name__) from error

    def _ask(
        self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
    ) -> tuple[int, httpx.Headers, str]:
        at = urlsplit(self.base_url)
        trust = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE"))
        sock = self.kept or http.client.HTTPSConnection(at.netloc, timeout=20, context=trust)
        sent = None if body is None else json.dumps(body)
        sock.request(method, at.path + path, sent, headers | {"Content-Type": "application/json"})
        answer = sock.getresponse()
        text = answer.read().decode()
        self.kept = None if answer.will_close else sock
        return answer.status, httpx.Headers(answer.getheaders()), text


if __name__ == "__main__":
    env = os.environ
    gateway = KeepingGateway(env["PAY_BASE_URL"], env["PAY_CLIENT_ID"], env["PAY_SECRET_KEY"])
    app = Shop(gateway, Orders(Path(env["DATA_DIR"])), env["PUBLIC_URL"], "").app()
    uvicorn.run(app, host="127.0.0.1", port=int(env["PORT"]), log_level="warning", access_log=False)
