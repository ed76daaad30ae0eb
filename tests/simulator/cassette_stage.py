"""A recording session with the simulator in the sandbox's place, and a stage on which what it recorded is played."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
from bs4 import BeautifulSoup

from payproof.contracts.entries import ProbeMark, ReplayDifference, Request, Response, header
from payproof.contracts.events import issued_by
from payproof.contracts.journal import Journal
from payproof.contracts.profile import Payer, load
from payproof.contracts.redaction.secrets import spellings
from payproof.simulator import Simulator
from payproof.simulator.cassettes import Cassette, CassetteWriter, Recording, read
from payproof.simulator.cassettes.library import vcr
from payproof.simulator.relay.sandbox_exchange import SandboxExchange

UPSTREAM = "https://sandbox.example"
OURS = "https://gateway.test:8443"
PROFILE = load("qrpay")
PAYER = Payer("payer.canary@shop.example.test", "short7pw", "paid", "Canary")
API = PROFILE.base_path
YAML = vcr("serializers.yamlserializer")


class Taping(httpx.AsyncBaseTransport):
    """Carries requests to an application and tapes what was answered."""

    def __init__(self, app: Any, take: Callable[[SandboxExchange], None] | None) -> None:
        self.inner, self.take, self.probe = httpx.ASGITransport(app), take, "control"

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self.inner.handle_async_request(request)
        content = await answer.aread()
        if self.take is not None:
            asked = Request(
                method=request.method,
                url=str(request.url),
                headers=tuple(request.headers.multi_items()),
                body=request.content.decode(),
            )
            response = Response(
                status=answer.status_code, headers=tuple(answer.headers.multi_items()), body=content.decode()
            )
            kind = "api" if request.url.path.startswith(API) else "page"
            self.take(SandboxExchange(kind=kind, probe=self.probe, at=0.5, request=asked, response=response))  # type: ignore[arg-type]
        return httpx.Response(answer.status_code, headers=answer.headers.raw, content=content, request=request)


class Shop:
    """A small careful integration and its customer."""

    def __init__(self, transport: Taping, origin: str, keys: tuple[str, str], *, host: str = "shop.example") -> None:
        self.transport, self.keys, self.host = transport, keys, host
        self.http = httpx.AsyncClient(transport=transport, base_url=origin)
        self.token = ""

    async def authenticate(self) -> httpx.Response:
        body = {"client_id": self.keys[0], "secret_id": self.keys[1]}
        answer = await self.http.post(f"{API}/authentication/token", json=body)
        self.token = answer.json().get("data", {}).get("access_token", "")
        return answer

    def order(self, reference: str, **changes: Any) -> dict[str, Any]:
        fields = {
            "amount": "5000.00",
            "currency": "XAF",
            "return_url": f"https://{self.host}/return?order={reference}",
            "cancel_url": f"https://{self.host}/cancel",
            "custom": reference,
        } | changes
        return {name: value for name, value in fields.items() if value is not ...}

    async def create(self, reference: str, **changes: Any) -> httpx.Response:
        return await self.http.post(
            f"{API}/payment/create",
            json=self.order(reference, **changes),
            headers={"Authorization": f"Bearer {self.token}"},
        )

    async def status(self, payment: str) -> httpx.Response:
        return await self.http.get(f"{API}/payment/status/{payment}", headers={"Authorization": f"Bearer {self.token}"})

    async def pay(self, payment_url: str, payer: Payer = PAYER) -> str:
        """The address that the customer is sent back to."""
        customer = httpx.AsyncClient(transport=self.transport)
        answer = await customer.get(payment_url)
        for _ in range(8):
            if answer.is_redirect:
                target = urljoin(str(answer.url), answer.headers["location"])
                if urlsplit(target).netloc != urlsplit(payment_url).netloc:
                    return target
                answer = await customer.get(target)
                continue
            form = BeautifulSoup(answer.text, "html.parser").find("form")
            assert form is not None, answer.text
            fields = [
                (str(node["name"]), str(node.get("value", ""))) for node in form.find_all("input") if node.get("name")
            ]
            radios = dict(reversed(fields))
            unique = [pair for pair in fields if pair[0] == "code[]" or radios.get(pair[0]) == pair[1]]
            filled = PROFILE.hosted.fill(tuple(unique), payer)
            assert filled is not None, answer.text
            data: dict[str, list[str]] = {}
            for name, value in filled:
                data.setdefault(name, []).append(value)
            answer = await customer.post(urljoin(str(answer.url), str(form["action"])), data=data)
        raise AssertionError("the hosted checkout goes round in circles")

    async def buy(self, reference: str, **changes: Any) -> tuple[str, str]:
        """(payment, return address) of one whole purchase with a token of its own."""
        await self.authenticate()
        data = (await self.create(reference, **changes)).json()["data"]
        back = await self.pay(data["payment_url"])
        await self.authenticate()
        assert (await self.status(data["token"])).json()["data"]["paid"] is True
        return data["token"], back


class Studio:
    """A recording session with the simulator in the sandbox's place."""

    def __init__(self, folder: Path, **knobs: Any) -> None:
        self.folder = folder
        self.profile = replace(PROFILE, payers={**PROFILE.payers, "paid": PAYER})
        self.sim = Simulator(self.profile, knobs={"rate_limit": 0, **knobs})
        self.merchant = self.sim.add_merchant()
        self.keys = (self.merchant.client_id, self.merchant.secret_key)
        self.taped: list[SandboxExchange] = []
        self.writer = CassetteWriter(self.profile, base_url=UPSTREAM + API, seed=7)
        self.transport = Taping(self.sim.app, self.take)
        self.shop = Shop(self.transport, UPSTREAM, self.keys)

    def take(self, taped: SandboxExchange) -> None:
        self.taped.append(taped)
        self.writer.take(taped)

    def record(self, scenario: Callable[[Shop], Awaitable[Any]], name: str = "cassette.yaml") -> Recording:
        asyncio.run(_awaited(scenario(self.shop)))
        return read(self.writer.write(self.folder / name).path)


async def _awaited(what: Awaitable[Any]) -> Any:
    return await what


class Stage:
    """A recording, played to a shop at another address that knows other credentials."""

    def __init__(self, recording: Recording, *, host: str = "other-shop.test:25000") -> None:
        self.journal = Journal()
        self.cassette = Cassette(recording, journal=self.journal)
        self.transport = Taping(self.cassette.app, None)
        keys = (self.cassette.merchant.client_id, self.cassette.merchant.secret_key)
        self.shop = Shop(self.transport, OURS, keys, host=host)
        self.journal.add(ProbeMark(event="begin", probe="control"))

    def play(self, scenario: Callable[[Shop], Awaitable[Any]]) -> Any:
        async def whole() -> Any:
            try:
                return await scenario(self.shop)
            finally:
                await self.cassette.aclose()

        return asyncio.run(whole())

    @property
    def differences(self) -> list[tuple[str, str, str]]:
        """(what, operation, name) of each."""
        return [
            (each.what, each.operation, each.name)
            for each in self.journal.entries
            if isinstance(each, ReplayDifference)
        ]

    def difference(self, name: str) -> ReplayDifference:
        return next(each for each in self.journal.entries if isinstance(each, ReplayDifference) and each.name == name)


def bought(reference: str = "order-10001", **changes: Any) -> Callable[[Shop], Awaitable[tuple[str, str]]]:
    return lambda shop: shop.buy(reference, **changes)


def secrets_of(studio: Studio) -> dict[str, str]:
    """Name -> value of every secret that was on the wire of a session."""
    found = {
        "client id": studio.keys[0],
        "secret key": studio.keys[1],
        "login": PAYER.login,
        "password": PAYER.password,
    }
    for n, each in enumerate(studio.taped):
        issued = issued_by(PROFILE.read(each.request, each.response))
        found |= {f"access token {n}": issued} if issued else {}
        cookie = header(each.response.headers, "set-cookie").partition(";")[0].partition("=")[2]
        found |= {f"session {n}": cookie} if cookie else {}
        for node in BeautifulSoup(each.response.body, "html.parser").select("input[type=hidden]"):
            found[f"csrf {n}"] = str(node["value"])
    return found


def hunt(text: str, secrets: dict[str, str]) -> set[str]:
    """Names of the secrets that stand in a text, in any spelling."""
    return {
        name
        for name, value in secrets.items()
        if any(len(spelled) >= 6 and spelled.lower() in text.lower() for _, spelled in spellings(value))
    }
