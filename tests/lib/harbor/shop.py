"""A small careful shop that takes payments through Harbor: the selftest's shop with another client, and a door for notices."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import os
import sys
import time
import uuid
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import httpx
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from payproof.suites.selftest.shop.gateway import Gateway, GatewayError, Status, log
from payproof.suites.selftest.shop.orders import Order, Orders
from payproof.suites.selftest.shop.shop import Shop

DECIMALS = {"JPY": 0, "TND": 3}
LARGEST_NOTICE = 64 * 1024


class HarborClient(Gateway):
    whole_call = 8.0  # seconds; the guidance is 10

    def __init__(self, base_url: str, client_id: str, secret_key: str) -> None:
        super().__init__(base_url, client_id, secret_key)
        self.http.timeout = httpx.Timeout(self.whole_call, connect=3.0)  # the guidance is 4
        self.payments: dict[str, int] = {}
        """How many payments an order has had."""

    def key(self, order: str) -> str:
        """The same for a request that is sent again because its answer was lost, another once a payment is there."""
        return f"{order}-{self.payments.get(order, 0)}"

    @staticmethod
    def minor(amount: str, currency: str) -> int:
        return int(Decimal(amount).scaleb(DECIMALS.get(currency, 2)))

    @staticmethod
    def major(total: dict[str, Any]) -> tuple[Decimal, str]:
        return Decimal(int(total["minor"])).scaleb(-DECIMALS.get(total["code"], 2)), str(total["code"])

    async def create(self, order: str, amount: str, currency: str, return_url: str, cancel_url: str) -> tuple[str, str]:
        total = {"minor": self.minor(amount, currency), "code": currency}
        body = {"order": {"ref": order, "total": total}, "back": return_url, "abort": cancel_url}
        about = f"order={order} amount={amount} currency={currency}"
        data = await self.authorized("create", "POST", "/orders", about, body)
        links = {link["rel"]: link["href"] for link in data.get("links", ())}
        if not isinstance(data.get("id"), str) or not str(links.get("pay", "")).startswith("http"):
            raise GatewayError("create", "no order in the answer")
        log.info("create %s -> payment %s", about, data["id"])
        return data["id"], links["pay"]

    async def give_back(self, order: str, payment: str, amount: str, currency: str, key: str) -> None:
        total = {"minor": self.minor(amount, currency), "code": currency}
        about = f"order={order} payment={payment} back={amount}"
        data = await self.authorized(
            "return", "POST", f"/orders/{payment}/returns", about, {"total": total, "key": key}
        )
        log.info("return %s -> %s", about, data.get("return"))

    async def status(self, order: str, payment: str) -> Status:
        about = f"order={order} payment={payment}"
        data = await self.authorized("status", "GET", f"/orders/{payment}", about)
        if data.get("state") == "approved":
            data = await self.authorized("status", "POST", f"/orders/{payment}/taking", about)
        try:
            taking: dict[str, Any] = data.get("taking") or {}
            total: dict[str, Any] = data["total"]
            found, state, ref = data["id"], str(data["state"]), str(data["ref"])
            amount, currency = self.major(total)
        except (KeyError, TypeError, ValueError):
            raise GatewayError("status", "an answer that cannot be read") from None
        if found != payment:
            raise GatewayError("status", "an answer that is not about this payment")
        paid = taking.get("state") == "taken"
        log.info("status %s -> %s paid=%s", about, state, paid)
        return Status(paid, "CREATED" if state in ("new", "approved") else state, ref, amount, currency)

    async def authenticate(self) -> tuple[str, float]:
        data = await self.call("token", "POST", "/oauth/token", "", None, None)
        token, life = data.get("access_token"), data.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(life, int):
            raise GatewayError("token", "no access token in the answer")
        log.info("token -> valid for %s s", life)
        return token, float(life)

    async def send(
        self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
    ) -> tuple[int, httpx.Headers, str]:
        if path == "/orders" and body is not None:
            headers = headers | {"Harbor-Key": self.key(body["order"]["ref"])}
        if body is not None and path.endswith("/returns"):
            headers, body = headers | {"Harbor-Key": str(body["key"])}, {"total": body["total"]}
        if path == "/oauth/token":
            pair = base64.b64encode(f"{self.client_id}:{self.secret_key}".encode()).decode()
            headers = headers | {"Authorization": f"Basic {pair}"}
        return await self.ask(method, path, body, headers)

    async def ask(
        self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
    ) -> tuple[int, httpx.Headers, str]:
        status, answer, text = await super().send(method, path, body, headers)
        if status >= 400:
            self.complain(path, status, answer.get("harbor-call", ""))
        return status, answer, text

    def complain(self, path: str, status: int, id: str) -> None:
        log.warning("%s -> HTTP %s, Harbor's number %s", path, status, id)

    def read(self, status: int, text: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] | None = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return found if status in (200, 201) and isinstance(found, dict) else None


@dataclass(frozen=True)
class ShopNotice:
    """What a notice says: what happened, to which payment, of which order."""

    kind: str
    payment: str
    order: str


class HarborShop(Shop):
    gateway: HarborClient
    notice_secret = ""
    refunds: ClassVar[dict[tuple[str, str], str]] = {}
    """(order, amount) of a refund whose outcome is not known -> its key."""

    async def to_payment(self, order: Order) -> Response:
        self.gateway.payments[order.id] = len(order.payments)
        return await super().to_payment(order)

    async def give_back(self, request: Request) -> Response:
        """One refund of an amount at a time: until its outcome is known it keeps its key."""
        order, asked = self.orders.get(request.path_params["id"]), await request.json()
        paid = next((each for each in order.payments if each.settled), None) if order else None
        if order is None or paid is None:
            return PlainTextResponse("nothing was paid", 409)
        wanted = (order.id, self.to_give_back(order, str(asked["amount"])))
        key = self.refunds.setdefault(wanted, self.refund_key())
        try:
            await self.gateway.give_back(order.id, paid.token, wanted[1], order.currency, key)
        except GatewayError:
            return PlainTextResponse("ask again later", 503)
        del self.refunds[wanted]
        return PlainTextResponse("given back")

    @staticmethod
    def to_give_back(order: Order, asked: str) -> str:
        return asked

    @staticmethod
    def refund_key() -> str:
        return uuid.uuid4().hex

    async def noticed(self, request: Request) -> Response:
        """A notice is a doorbell: when its signature and its time are right, the gateway is asked."""
        body = await request.body()
        if len(body) > LARGEST_NOTICE or not self.genuine(request.headers.get("harbor-sign", ""), body):
            log.warning("a notice was refused: its length, its signature or its time is wrong")
            return PlainTextResponse("refused", 400)
        notice = self.read(body)
        if notice is None:
            return PlainTextResponse("unreadable", 400)
        log.info("notice %s order=%s payment=%s", notice.kind, notice.order, notice.payment)
        try:
            await self.work(notice, self.orders.get(notice.order))
        except GatewayError:
            return PlainTextResponse("later", 503)
        return PlainTextResponse("noted")

    def genuine(self, signature: str, body: bytes) -> bool:
        parts = [(name, value) for name, _, value in (part.partition("=") for part in signature.split(";"))]
        at = next((value for name, value in parts if name == "t"), "")
        right = hmac.new(self.notice_secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        late = not at.isdigit() or abs(time.time() - int(at)) > 300
        signatures = self.looked_at([value for name, value in parts if name == "h"])
        return not late and any(hmac.compare_digest(right, value) for value in signatures)

    @staticmethod
    def looked_at(signatures: list[str]) -> list[str]:
        """While a secret is rolled there are two, and any of them will do."""
        return signatures

    def read(self, body: bytes) -> ShopNotice | None:
        try:
            found = json.loads(body)
            return ShopNotice(str(found["kind"]), str(found["order"]["id"]), str(found["order"]["ref"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            return None

    async def work(self, notice: ShopNotice, order: Order | None) -> None:
        if order is not None:
            await self.verify(order)
        if order is not None and notice.kind == "order.returned":
            await self.returned_at_harbor(order, notice.payment)

    async def returned_at_harbor(self, order: Order, payment: str) -> None:
        if (await self.gateway.status(order.id, payment)).state == "returned":
            order.status = "returned"
            self.orders.save()


def serve(
    client: type[HarborClient] = HarborClient, shop: type[HarborShop] = HarborShop, orders: type[Orders] = Orders
) -> None:
    """Run a shop made of these."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    for noisy in ("httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    env = os.environ
    made = shop(
        client(env["PAY_BASE_URL"], env["PAY_CLIENT_ID"], env["PAY_SECRET_KEY"]),
        orders(Path(env["DATA_DIR"])),
        env["PUBLIC_URL"],
        env.get("ALERT_WEBHOOK_URL", ""),
    )
    made.notice_secret = env.get("NOTICE_SECRET", "")
    app = made.app()
    app.router.routes.append(Route("/notices", made.noticed, methods=["POST"]))
    app.router.routes.append(Route("/orders/{id}/refunds", made.give_back, methods=["POST"]))
    uvicorn.run(app, host="127.0.0.1", port=int(env["PORT"]), log_level="warning", access_log=False)


if __name__ == "__main__":
    serve()
