"""The invented gateway's shop with one defect in how it takes notices: the environment's NOTICE_DEFECT."""

from __future__ import annotations

import json
import os

from harbor import shop
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

DEFECT = os.environ["NOTICE_DEFECT"]


class CarelessShop(shop.HarborShop):
    async def noticed(self, request: Request) -> Response:
        """Neither the signature nor the gateway is asked."""
        told = json.loads(await request.body())
        order = self.orders.get(str(told["order"]["ref"]))
        if order is not None and told["kind"] == "order.taken":
            if DEFECT == "believes-anybody" and order.status != "paid":
                order.status, order.shipments = "paid", order.shipments + 1
            if DEFECT == "ships-each-time" and order.status == "paid":
                order.shipments += 1
            self.orders.save()
        return PlainTextResponse("ok")


if __name__ == "__main__":
    shop.HarborShop = CarelessShop  # type: ignore[misc]
    shop.main()
