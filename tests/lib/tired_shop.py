"""The shop that selftest plays, until it is tired: ``python tired_shop.py hang|refuse N`` serves N checkouts, and then holds every
request of a customer for ever, or sells nothing any more."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import uvicorn
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from payproof.suites.config import Config
from payproof.suites.selftest.selftest import shop
from payproof.suites.selftest.shop.gateway import Gateway
from payproof.suites.selftest.shop.orders import Orders
from payproof.suites.selftest.shop.shop import Shop


def tired(how: str, patience: int) -> Config:
    """The configuration of such a shop."""
    config = shop(f"{how}s")
    command = (sys.executable, __file__, how, str(patience))
    return config.model_copy(update={"integration": config.integration.model_copy(update={"command": command})})


class Tired:
    """``how``: hang or refuse; ``patience``: checkouts that are served."""

    def __init__(self, app: ASGIApp, how: str, patience: int) -> None:
        self.app, self.how, self.patience = app, how, patience
        self.served = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else "/health"
        self.served += path == "/checkout"
        if self.served > self.patience:
            if self.how == "hang" and path != "/health":
                await asyncio.Event().wait()
            if self.how == "refuse" and path == "/checkout":
                await HTMLResponse("<p>We sell nothing today.</p>", 503)(scope, receive, send)
                return
        await self.app(scope, receive, send)


if __name__ == "__main__":
    env = os.environ
    gateway = Gateway(env["PAY_BASE_URL"], env["PAY_CLIENT_ID"], env["PAY_SECRET_KEY"])
    careful = Shop(gateway, Orders(Path(env["DATA_DIR"])), env["PUBLIC_URL"], "").app()
    uvicorn.run(
        Tired(careful, sys.argv[1], int(sys.argv[2])),
        host="127.0.0.1", port=int(env["PORT"]), log_level="warning", access_log=False,
    )  # fmt: skip
