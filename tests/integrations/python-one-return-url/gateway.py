"""The payment gateway by httpx: one limit for a call and its whole answer, one token for all, one repetition after a 401."""

import asyncio
import json
import logging
import time

import httpx

log = logging.getLogger("gateway")
LIMIT, LONGEST = 22, 64 * 1024


class Trouble(Exception):
    """No usable answer. The text is for the log."""


class Gateway:
    def __init__(self, env):
        self.credentials = {"client_id": env["PAY_CLIENT_ID"], "secret_id": env["PAY_SECRET_KEY"]}
        self.http = httpx.AsyncClient(base_url=env["PAY_BASE_URL"], timeout=httpx.Timeout(15, connect=5))
        self.token, self.until, self.quiet_until = None, 0.0, 0.0
        self.renewal = asyncio.Lock()

    async def send(self, method, path, form=None, token=None):
        if time.monotonic() < self.quiet_until:
            raise Trouble("the gateway asked for a rest")
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        body = b""
        try:
            async with asyncio.timeout(LIMIT), self.http.stream(method, path, data=form, headers=headers) as answer:
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > LONGEST:
                        raise Trouble("the answer is too long")
        except (httpx.HTTPError, TimeoutError) as error:
            raise Trouble(f"{method} {path}: {type(error).__name__}") from error
        if answer.status_code == 429:
            after = answer.headers.get("retry-after", "")
            self.quiet_until = time.monotonic() + (int(after) if after.isdigit() else 5) + 0.2
            raise Trouble("too many requests")
        return answer.status_code, body

    async def bearer(self, stale=None):
        async with self.renewal:
            if self.token in (None, stale) or time.monotonic() > self.until:
                self.token = None
                data = believed(*await self.send("POST", "/authentication/token", self.credentials))
                if not isinstance(data.get("access_token"), str) or not data["access_token"]:
                    raise Trouble("no token in the answer")
                self.until = time.monotonic() + max(60, int(data.get("expire_time") or 0)) - 30
                self.token = data["access_token"]
            return self.token

    async def call(self, method, path, form=None):
        token = await self.bearer()
        status, body = await self.send(method, path, form, token)
        if status == 401:
            status, body = await self.send(method, path, form, await self.bearer(token))
        log.info("%s %s %s -> %s %s", method, path, form or "", status, body[:1500].decode("utf-8", "replace"))
        return believed(status, body)


def believed(status, body):
    try:
        document = json.loads(body)
    except ValueError:
        raise Trouble(f"HTTP {status}, not JSON") from None
    data = document.get("data") if isinstance(document, dict) else None
    if status != 200 or document.get("type") != "success" or not isinstance(data, dict):
        raise Trouble(f"HTTP {status}")
    return data
