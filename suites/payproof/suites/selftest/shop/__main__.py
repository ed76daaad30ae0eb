"""Starts the shop; ``SHOP_DEFECT`` names mistakes to make, by commas."""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from starlette.types import ASGIApp

from payproof.simulator.listening.listener import GatewayServer
from payproof.suites.selftest.shop.defects import DEFECTS, CarelessGateway, CarelessShop
from payproof.suites.selftest.shop.gateway import Gateway
from payproof.suites.selftest.shop.orders import Orders
from payproof.suites.selftest.shop.shop import Shop

NAMES = ("PAY_BASE_URL", "PAY_CLIENT_ID", "PAY_SECRET_KEY", "PUBLIC_URL", "PORT", "DATA_DIR")


def main() -> None:
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    for noisy in ("httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if missing := [name for name in NAMES if not os.environ.get(name)]:
        sys.exit(f"Cannot start: set {', '.join(missing)} in the environment.")
    base_url, client_id, secret_key, public_url, port, folder = (os.environ[name] for name in NAMES)
    defects = {name for name in os.environ.get("SHOP_DEFECT", "").split(",") if name}
    if unknown := defects - set(DEFECTS):
        sys.exit(f"Cannot start: no defect is named {', '.join(unknown)}; there are {', '.join(DEFECTS)}.")
    rest = Orders(Path(folder)), public_url, os.environ.get("ALERT_WEBHOOK_URL", "")
    shop = (
        CarelessShop(CarelessGateway(base_url, client_id, secret_key, defects), *rest)
        if defects
        else Shop(Gateway(base_url, client_id, secret_key), *rest)
    )
    asyncio.run(_serve(shop.app(), int(port)))


async def _serve(app: ASGIApp, port: int) -> None:
    """Until it is told to end."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    server = GatewayServer(app, port=port)
    await server.start()
    await ended.wait()
    await server.stop()


if __name__ == "__main__":
    main()
