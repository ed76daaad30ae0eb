"""The shop that docs/driver.md speaks of: a basket first, a JSON answer, order numbers of its own, states behind an admin API."""

import logging
import os
import sys
from pathlib import Path

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from payproof.suites.selftest.shop.gateway import Gateway
from payproof.suites.selftest.shop.orders import Orders
from payproof.suites.selftest.shop.shop import Shop, read

STATES = {"paid": "settled", "new": "open", "pending": "open"}


class BasketShop(Shop):
    baskets: dict[str, str]

    async def basket(self, request: Request) -> Response:
        body = await read(request)
        number = str(71_000 + len(self.baskets))
        self.baskets[f"b{number}"] = number
        self.orders.place(number, str(body["amount"]), str(body["currency"]))
        return JSONResponse({"basket": f"b{number}"}, 201)

    async def pay(self, request: Request) -> Response:
        number = self.baskets.get(request.path_params["basket"], "")
        order = self.orders.get(number)
        if order is None:
            return JSONResponse({"problem": "there is no such basket"}, 404)
        async with self.locks[number]:
            answer = await self.to_payment(order)
        to = answer.headers.get("location")
        return JSONResponse({"number": number, "next": {"href": to}} if to else {"number": number}, 201 if to else 409)

    async def admin(self, request: Request) -> Response:
        order = self.orders.get(request.path_params["order"])
        if order is None or request.headers.get("x-admin") != "for-tests-only":
            return JSONResponse({"problem": "not found"}, 404)
        return JSONResponse({"state": STATES.get(order.status, order.status), "shipments": order.shipments})


def main() -> None:
    logging.basicConfig(stream=sys.stdout, level=logging.INFO)
    env = os.environ
    gateway = Gateway(env["PAY_BASE_URL"], env["PAY_CLIENT_ID"], env["PAY_SECRET_KEY"])
    shop = BasketShop(gateway, Orders(Path(env["DATA_DIR"])), env["PUBLIC_URL"], "")
    shop.baskets = {}
    app = shop.app()
    app.router.routes += [
        Route("/baskets", shop.basket, methods=["POST"]),
        Route("/baskets/{basket}/pay", shop.pay, methods=["POST"]),
        Route("/admin/orders/{order}", shop.admin),
    ]
    uvicorn.run(app, host="127.0.0.1", port=int(env["PORT"]), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
