"""A client of QuataPay's token API (v1). Every answer that cannot be believed becomes one ``GatewayError``."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx

log = logging.getLogger("shop.gateway")


class GatewayError(Exception):
    """No usable answer. The text is ours: what the gateway said stays in the log."""

    def __init__(self, operation: str, reason: str, status: int = 0) -> None:
        super().__init__(f"{operation}: {reason}")
        self.operation, self.status = operation, status


@dataclass(frozen=True)
class Status:
    paid: bool
    state: str
    custom: str = ""
    amount: Decimal = Decimal(0)
    currency: str = ""


class Gateway:
    whole_call = 25.0  # seconds, connect and a dripping body included; the guidance is 30
    max_bytes = 64 * 1024
    renew_early = 30.0

    def __init__(self, base_url: str, client_id: str, secret_key: str) -> None:
        self.base_url, self.client_id, self.secret_key = base_url.rstrip("/"), client_id, secret_key
        self.http = httpx.AsyncClient(timeout=self.whole_call, follow_redirects=False)
        self.token, self.renew_at = "", 0.0
        self.renewing = asyncio.Lock()
        self.not_before: dict[str, float] = {}

    async def create(self, order: str, amount: str, currency: str, return_url: str, cancel_url: str) -> tuple[str, str]:
        """(payment, payment_url). The order's id travels in custom, and back in every status answer."""
        body = {"amount": amount, "currency": currency, "custom": order} | {
            "return_url": return_url,
            "cancel_url": cancel_url,
        }
        about = f"order={order} amount={amount} currency={currency}"
        data = await self.authorized("create", "POST", "/payment/create", about, body)
        token, url = data.get("token"), data.get("payment_url")
        if not (isinstance(token, str) and token and isinstance(url, str) and url.startswith(("https://", "http://"))):
            raise GatewayError("create", "no payment in the answer")
        log.info("create %s -> payment %s", about, token)
        return token, url

    async def status(self, order: str, payment: str) -> Status:
        about = f"order={order} payment={payment}"
        data = await self.authorized("status", "GET", f"/payment/status/{payment}", about)
        paid, state = data.get("paid"), data.get("status")
        if data.get("token") != payment or not isinstance(paid, bool) or not isinstance(state, str):
            raise GatewayError("status", "an answer that is not about this payment")
        log.info("status %s -> %s paid=%s", about, state, paid)
        if not paid:
            return Status(False, state)
        try:
            amount = Decimal(str(data.get("amount")))
        except InvalidOperation:
            raise GatewayError("status", "an amount that is none") from None
        return Status(True, state, str(data.get("custom")), amount, str(data.get("currency")))

    async def bearer(self) -> str:
        """The cached token; many customers at once cause one renewal. A broken answer is never cached."""
        async with self.renewing:
            if not self.token or time.monotonic() >= self.renew_at:
                self.token, life = await self.authenticate()
                self.renew_at = time.monotonic() + life - self.renew_early
            return self.token

    async def authenticate(self) -> tuple[str, float]:
        body = {"client_id": self.client_id, "secret_id": self.secret_key}
        data = await self.call("token", "POST", "/authentication/token", "", body, None)
        token, life = data.get("access_token"), data.get("expire_time")
        if not isinstance(token, str) or not token or isinstance(life, bool) or not isinstance(life, int | float):
            raise GatewayError("token", "no access token in the answer")
        log.info("token -> valid for %s s", life)
        return token, float(life)

    async def authorized(
        self, operation: str, method: str, path: str, about: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        token = await self.bearer()
        try:
            return await self.call(operation, method, path, about, body, token)
        except GatewayError as error:
            if error.status not in (401, 403):
                raise
            if self.token == token:  # exactly the one that was refused; somebody may have renewed it already
                self.token = ""
            if error.status == 403:
                raise
        # 401 means that the request was not looked at: the one repetition that cannot pay twice.
        return await self.call(operation, method, path, about, body, await self.bearer())

    async def call(
        self, operation: str, method: str, path: str, about: str, body: dict[str, Any] | None, token: str | None
    ) -> dict[str, Any]:
        if time.monotonic() < self.not_before.get(operation, 0.0):
            raise GatewayError(operation, "the gateway asked us to wait", 429)
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            async with asyncio.timeout(self.whole_call):
                status, answer, text = await self.send(method, path, body, headers)
        except (httpx.HTTPError, TimeoutError) as error:
            log.warning("%s %s -> no answer (%s)", operation, about, type(error).__name__)
            raise GatewayError(operation, "no answer") from None
        if status == 429:
            wait = answer.get("retry-after", "")
            self.not_before[operation] = time.monotonic() + (float(wait) if wait.isdigit() else 1.0)
        data = self.read(status, text)
        if data is None:
            log.warning("%s %s -> HTTP %s, refused or unreadable", operation, about, status)
            raise GatewayError(operation, f"HTTP {status}", status)
        return data

    def read(self, status: int, text: str) -> dict[str, Any] | None:
        """The data of a success; None for anything else."""
        return unwrap(text) if status == 200 else None

    async def send(
        self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
    ) -> tuple[int, httpx.Headers, str]:
        async with self.http.stream(method, self.base_url + path, json=body, headers=headers) as response:
            got = b""
            async for chunk in response.aiter_bytes():
                got += chunk
                if len(got) > self.max_bytes:
                    raise httpx.ReadError("the answer is too long")
        return response.status_code, response.headers, got.decode("utf-8", "replace")


def unwrap(text: str) -> dict[str, Any] | None:
    """The data of a success envelope, or None for anything else."""
    try:
        answer: Any = json.loads(text)
        good = answer["type"] == "success" and answer["message"]["code"] == 200 and isinstance(answer["data"], dict)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return answer["data"] if good else None
