"""The shop that selftest plays, with one mistake: its token call takes any host's certificate, so long as an authority vouches for it."""

from __future__ import annotations

import os
import ssl
import sys
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from payproof.suites.config import Config
from payproof.suites.selftest.selftest import shop
from payproof.suites.selftest.shop.gateway import Gateway
from payproof.suites.selftest.shop.orders import Orders
from payproof.suites.selftest.shop.shop import Shop


def blind() -> Config:
    """The configuration of such a shop."""
    config = shop("blind")
    return config.model_copy(
        update={"integration": config.integration.model_copy(update={"command": (sys.executable, __file__)})}
    )


class BlindGateway(Gateway):
    async def authenticate(self) -> tuple[str, float]:
        trust = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE"))
        trust.check_hostname = False
        usual = self.http
        async with httpx.AsyncClient(timeout=self.whole_call, verify=trust) as self.http:
            try:
                return await super().authenticate()
            finally:
                self.http = usual


def main(env: Any = os.environ) -> None:
    gateway = BlindGateway(env["PAY_BASE_URL"], env["PAY_CLIENT_ID"], env["PAY_SECRET_KEY"])
    app = Shop(gateway, Orders(Path(env["DATA_DIR"])), env["PUBLIC_URL"], "").app()
    uvicorn.run(app, host="127.0.0.1", port=int(env["PORT"]), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
