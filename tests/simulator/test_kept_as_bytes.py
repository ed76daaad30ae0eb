"""A call is kept as the bytes that passed; the entry that somebody reads later is the one that would have been written at once."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
from collections.abc import Awaitable, Callable
from typing import Any, cast

import httpx
import pytest

from payproof.contracts.entries import BODY_LIMIT, Call, E, Entry, Ledger, Step
from payproof.contracts.faults import FaultSpec
from payproof.contracts.journal import FORGOTTEN, Bound, Journal
from payproof.contracts.pending import Pending
from payproof.contracts.profile import load
from payproof.contracts.redaction.secrets import Redactor
from payproof.simulator.books import store as books
from payproof.simulator.gateways.quatapay.envelope import encoded
from payproof.simulator.simulator import Simulator

Talk = Callable[[httpx.AsyncClient, Simulator], Awaitable[None]]
FORM = {"amount": "12.50", "currency": "XAF", "return_url": "https://shop.example/r?x=1", "custom": "order-1"}


class Both(Redactor):
    """Tells another redactor everything that it is told, at once."""

    def __init__(self) -> None:
        super().__init__(limit=20)
        self.other = Redactor(limit=20)

    def add(self, kind: str, value: str, *, numbered: bool = True) -> str:
        if not self.waiting.queue:
            self.other.add(kind, value, numbered=numbered)
        return super().add(kind, value, numbered=numbered)

    def minted(self, kind: str, value: str) -> None:
        self.other.add(kind, value)
        super().minted(kind, value)


class Watched(Journal):
    """Writes everything down at once in a second journal."""

    def __init__(self) -> None:
        self.both = Both()
        super().__init__(self.both, clock=lambda: 1.0)
        self.at_once = Journal(self.both.other, clock=lambda: 1.0)
        self.at_once.listeners.append(lambda entry: None)

    def add(self, entry: E) -> E:
        self.at_once.add(entry)
        return super().add(entry)

    def note(self, pending: Pending) -> None:
        self.at_once.note(copy.copy(pending))
        super().note(pending)


async def talked(talk: Talk, **options: Any) -> Watched:
    journal = Watched()
    sim = Simulator(load("quatapay"), journal=journal, **options)
    sim.add_merchant()
    transport = httpx.ASGITransport(app=sim.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://gateway.test/pay/sandbox/api/v1") as client:
        await talk(client, sim)
    return journal


async def token(client: httpx.AsyncClient, sim: Simulator) -> str:
    merchant = sim.merchants()[0]
    keys = {"client_id": merchant.client_id, "secret_id": merchant.secret_key}
    return str((await client.post("/authentication/token", json=keys)).json()["data"]["access_token"])


async def a_payment(client: httpx.AsyncClient, sim: Simulator) -> None:
    bearer = {"Authorization": f"Bearer {await token(client, sim)}"}
    made = (await client.post("/payment/create", json=FORM, headers=bearer)).json()["data"]["token"]
    await client.get(f"/payment/status/{made}", headers=bearer)


async def many_tokens(client: httpx.AsyncClient, sim: Simulator) -> None:
    """More than the redactor remembers, each sent once more in another place."""
    for number in range(40):
        value = await token(client, sim)
        headers = {"Authorization": f"Bearer {value}", "X-Note": value[5:60]}
        await client.post(f"/payment/create?n={number}&t={base64.b64encode(value.encode()).decode()}", headers=headers)


async def strange_secrets(client: httpx.AsyncClient, sim: Simulator) -> None:
    for number in range(6):
        secret = f"strangers{number}secret0123456789"
        await client.get(f"/nowhere/{secret}")
        await client.post("/payment/create", headers={"Authorization": f"Bearer {secret}"}, content=b"\xff\xfe{")
        await client.post(f"/nowhere?api_key={secret}", data={"password": "short7", "custom": secret})


async def odd_bytes(client: httpx.AsyncClient, sim: Simulator) -> None:
    bearer = {"Authorization": f"Bearer {await token(client, sim)}", "Content-Type": "application/json"}
    for body in (
        b"",
        b"[" * 5_000,
        b"{" + b'"a":1,' * 40_000 + b'"b":2}',
        "é\u2028".encode("utf-16"),
        b"x" * 9_000_000,
    ):
        await client.post("/payment/create", headers=bearer, content=body)
    await client.request("PATCH", "/payment/create/", headers=[("X-Twice", "1"), ("X-Twice", "2"), *bearer.items()])


async def faults(client: httpx.AsyncClient, sim: Simulator) -> None:
    sim.faults.arm(FaultSpec(name="status", operation="create", times=1, params={"status": 500}))
    sim.faults.arm(FaultSpec(name="rate-limit", operation="status", times=1))
    sim.faults.arm(FaultSpec(name="html", operation="token", times=1, after_effect=True))
    bearer = {"Authorization": "Bearer x"}
    for _ in range(2):
        await client.post("/authentication/token", json={"client_id": "c" * 12, "secret_id": "s" * 12})
        await client.post("/payment/create", json=FORM, headers=bearer)
        await client.get("/payment/status/unknown", headers=bearer)


@pytest.mark.parametrize("talk", [a_payment, many_tokens, strange_secrets, odd_bytes, faults])
def test_an_entry_read_later_is_the_one_written_at_once(talk: Talk) -> None:
    journal = asyncio.run(talked(talk))
    at_once = tuple(journal.at_once.entries)
    assert at_once
    assert tuple(journal.entries) == at_once
    assert "secret-key" in str(at_once) or talk in (strange_secrets, faults)


def test_a_body_is_kept_up_to_its_limit_and_its_size_is_told() -> None:
    async def long(client: httpx.AsyncClient, sim: Simulator) -> None:
        await client.post("/payment/create", content=b"y" * (BODY_LIMIT + 10))

    call = next(entry for entry in asyncio.run(talked(long)).entries if isinstance(entry, Call))
    assert len(call.request.body) == BODY_LIMIT
    assert call.response is not None
    assert call.response.size == len(call.response.body)


def test_a_request_is_read_once_where_a_fault_is_armed() -> None:
    profile, read = load("quatapay"), list[bool]()

    def reading(*args: Any) -> Any:
        read.append(True)
        return profile.read(*args)

    async def talk(client: httpx.AsyncClient, sim: Simulator) -> None:
        sim.faults.arm(FaultSpec(name="status", operation="status"))
        await client.post("/payment/create", json=FORM)

    journal = Journal()
    watched = copy.copy(profile)
    object.__setattr__(watched, "read", reading)
    sim = Simulator(watched, journal=journal)

    async def run() -> None:
        transport = httpx.ASGITransport(app=sim.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://g.test/pay/sandbox/api/v1") as client:
            await talk(client, sim)

    asyncio.run(run())
    call = next(entry for entry in journal.entries if isinstance(entry, Call))
    assert (call.role, call.opened.amount, call.event.texts) == ("open", "12.50", ("Access denied! Token not found",))
    assert read == [True]


@pytest.mark.parametrize(
    "text", ["plain", "é", "\u2028", '"\\/', "\x00\x1f\x7f", "\U0001f600", "".join(map(chr, range(0x20, 0x180)))]
)
def test_an_answer_has_the_bytes_of_the_standard_writer(text: str) -> None:
    content = {"message": {"code": 200, "success": [text]}, "data": {"a": None, "b": True, text: 10**20}, "type": text}
    assert encoded(content) == json.dumps(content, separators=(",", ":")).encode()


# Books with a bound


def test_full_books_forget_the_oldest_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "PAYMENTS_KEPT", 20_000)
    notes: list[str] = []

    async def talk(client: httpx.AsyncClient, sim: Simulator) -> None:
        sim.store.on_forgetting = notes.append
        bearer = {"Authorization": f"Bearer {await token(client, sim)}"}
        for _ in range(50):
            assert (await client.post("/payment/create", json=FORM, headers=bearer)).status_code == 200
        known = {payment.payment for payment in sim.payments()}
        opened = [
            entry.payment for entry in sim.journal.entries if isinstance(entry, Ledger) and entry.event == "opened"
        ]
        assert opened[-len(known) :] == [payment.payment for payment in sim.payments()]
        assert 10 < len(known) < 30
        assert sim.forgotten() == {"entries": 0, "payments": 50 - len(known), "tokens": 0}
        assert (await client.get(f"/payment/status/{opened[0]}", headers=bearer)).status_code == 404
        assert (await client.get(f"/payment/status/{opened[-1]}", headers=bearer)).status_code == 200

    journal = asyncio.run(talked(talk))
    steps = [entry for entry in journal.entries if isinstance(entry, Step) and entry.name == FORGOTTEN]
    assert sum(cast(int, step.facts["payments"]) for step in steps) > 20
    assert notes == ["The gateway's books are full: from now on the oldest payments are forgotten."]


def test_a_long_run_keeps_its_newest_calls_and_hides_what_it_must() -> None:
    journal = Journal(Redactor(limit=20), bound=Bound(entries=30, bytes=10**7))
    sim = Simulator(load("quatapay"), journal=journal)
    sim.add_merchant()

    async def run() -> list[str]:
        transport = httpx.ASGITransport(app=sim.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://g.test/pay/sandbox/api/v1") as client:
            await client.post("/payment/create", headers={"Authorization": "Bearer strangersToken0123456789"})
            for _ in range(60):
                await a_payment(client, sim)
            await client.get("/nowhere/strangersToken0123456789")
            return list(sim.store.tokens())

    tokens = asyncio.run(run())
    entries: list[Entry] = list(journal.entries)
    assert isinstance(entries[0], Step)
    assert len(entries) <= 31
    assert entries[-1].n == 60 * 5 + 2
    text = str(entries)
    assert not any(value in text for value in tokens)
    assert "strangersToken" not in text
    assert "/nowhere/<authorization-1>" in text
    assert "<access-token-60>" in text
