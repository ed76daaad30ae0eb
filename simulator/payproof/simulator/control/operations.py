"""What the control application can do: one function for each operation; its docstring is its line in the index."""

from __future__ import annotations

import asyncio
import json
from bisect import bisect_right
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from functools import cache
from typing import Any, TypeAlias, cast

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import StreamingResponse

from payproof.contracts.entries import Entry, Step
from payproof.contracts.faults import FaultSpec
from payproof.contracts.model import PayproofError
from payproof.simulator.books.records import Merchant
from payproof.simulator.control import notice_operations
from payproof.simulator.control.control_values import ControlBody, body_of, plain
from payproof.simulator.faults.registry import registered
from payproof.simulator.simulator import Simulator

_FAULT_FIELDS = frozenset(FaultSpec.__dataclass_fields__)

Operation: TypeAlias = Callable[[Simulator, Request], Awaitable[Any]]


class Advance(ControlBody):
    advance: float
    """Seconds."""


class NewMerchant(ControlBody):
    name: str = "shop"
    client_id: str | None = None
    secret_key: str | None = None


class Which(ControlBody):
    client_id: str | None = None


class Lie(ControlBody):
    amount: str | None = None
    currency: str | None = None


def _merchant(sim: Simulator, client_id: str) -> Merchant:
    found = next((m for m in sim.merchants() if m.client_id == client_id), None)
    if found is None:
        raise PayproofError("there is no merchant with this client id", place=client_id, remedy="see GET /merchants")
    return found


DISTURBED = "disturbed"
"""Name of the step in the journal by which somebody at the control port changed what tokens and keys are good for."""


def _disturb(sim: Simulator, text: str) -> None:
    sim.journal.put(Step(text=text, name=DISTURBED))


def _doc(value: object) -> str:
    return " ".join((value.__doc__ or "").split())


async def index(sim: Simulator, request: Request) -> Any:
    """This list."""
    return {
        "simulator": sim.profile.name,
        "operations": {f"{method} {path}": _doc(operation) for method, path, operation in OPERATIONS},
    }


async def health(sim: Simulator, request: Request) -> Any:
    """Whether the simulator is there, how much it holds, and how much it has forgotten because there was too much."""
    books = {"held": sim.store.held(), "forgotten": sim.forgotten()}
    return {"ok": True, "gateway": sim.profile.name, "seed": sim.seed, **books}


async def reset(sim: Simulator, request: Request) -> Any:
    """Forget faults, payments, tokens and journal; merchants stay."""
    sim.reset()
    _disturb(sim, "faults, payments, access tokens and journal were forgotten")
    return {"ok": True}


async def clock(sim: Simulator, request: Request) -> Any:
    """The gateway's clock, in seconds."""
    return {"now": sim.clock.now()}


async def advance(sim: Simulator, request: Request) -> Any:
    """Move the clock forward: {"advance": 601}."""
    body = await body_of(request, Advance)
    try:
        now = sim.clock.advance(body.advance)
    except ValueError as error:
        raise PayproofError(str(error), place="advance") from None
    _disturb(sim, f"the gateway's clock was moved {body.advance:g} s forward")
    return {"now": now}


async def faults(sim: Simulator, request: Request) -> Any:
    """Faults that are armed, and those that could be."""
    known = {name: _doc(cls) for name, cls in registered().items()}
    armed = [{"id": a.id, "fired": a.fired, **asdict(a.spec)} for a in sim.faults.armed()]
    return {"armed": armed, "known": known}


async def arm(sim: Simulator, request: Request) -> Any:
    """Arm a fault: {"name": "status", "operation": "create", "times": 1, "params": {"status": 500}}."""
    given: Any = json.loads(await request.body() or b"{}")
    if not isinstance(given, dict):
        raise PayproofError("a fault is a JSON object", remedy='such as {"name": "html", "operation": "create"}')
    unknown = set(cast(dict[str, Any], given)) - _FAULT_FIELDS
    if unknown:
        known = ", ".join(sorted(_FAULT_FIELDS))
        raise PayproofError(f"unknown field: {', '.join(sorted(unknown))}", remedy=f"known: {known}")
    return {"id": sim.faults.arm(_fault_adapter().validate_python(given))}


async def clear(sim: Simulator, request: Request) -> Any:
    """Clear one fault (/faults/{id}) or all of them."""
    sim.faults.clear(request.path_params.get("id"))
    return {"ok": True}


async def payers(sim: Simulator, request: Request) -> Any:
    """Who can log in at the hosted checkout, and how it ends for them."""
    return {name: asdict(payer) for name, payer in sim.profile.payers.items()}


async def merchants(sim: Simulator, request: Request) -> Any:
    """The merchants with their throw-away keys."""
    return [merchant.plain() for merchant in sim.merchants()]


async def add_merchant(sim: Simulator, request: Request) -> Any:
    """Add a merchant: {"name": "second-shop"}."""
    body = await body_of(request, NewMerchant)
    return sim.add_merchant(body.name, client_id=body.client_id, secret_key=body.secret_key).plain()


async def rotate(sim: Simulator, request: Request) -> Any:
    """A new secret key; the old one is refused from now on."""
    return _rotate(sim, _merchant(sim, request.path_params["client_id"])).plain()


async def revoke(sim: Simulator, request: Request) -> Any:
    """Refuse this merchant's token calls from now on."""
    _revoke(sim, _merchant(sim, request.path_params["client_id"]))
    return {"ok": True}


def _rotate(sim: Simulator, merchant: Merchant) -> Merchant:
    merchant = sim.rotate_secret(merchant)
    _disturb(sim, "the secret key was replaced")
    return merchant


def _revoke(sim: Simulator, merchant: Merchant) -> None:
    sim.revoke_secret(merchant)
    _disturb(sim, "the secret key was revoked")


async def rotate_first(sim: Simulator, request: Request) -> Any:
    """A new secret key for the first merchant; it is not told."""
    _rotate(sim, sim.merchants()[0])
    return {"ok": True}


async def revoke_first(sim: Simulator, request: Request) -> Any:
    """Refuse the first merchant's token calls from now on."""
    _revoke(sim, sim.merchants()[0])
    return {"ok": True}


async def expire(sim: Simulator, request: Request) -> Any:
    """Answer access tokens, however young, as expired; all, or one merchant's: {"client_id": ...}."""
    body = await body_of(request, Which)
    expired = sim.expire_tokens(_merchant(sim, body.client_id) if body.client_id else None)
    _disturb(sim, f"{expired} access tokens were made to expire")
    return {"expired": expired}


async def payments(sim: Simulator, request: Request) -> Any:
    """Every payment as it stands now."""
    return [asdict(payment) for payment in sim.payments()]


async def forge(sim: Simulator, request: Request) -> Any:
    """The success redirect that a customer could type by hand, without having paid."""
    return {"url": sim.forged_return(request.path_params["payment"])}


async def tamper(sim: Simulator, request: Request) -> Any:
    """Status answers of this payment lie from now on: {"amount": "1.00", "currency": "USD"}."""
    body = await body_of(request, Lie)
    sim.tamper(request.path_params["payment"], amount=body.amount, currency=body.currency)
    return {"ok": True}


async def journal(sim: Simulator, request: Request) -> Any:
    """Everything that happened; ?after=N gives the entries after number N."""
    after = _after(request)
    return [plain(entry) for entry in _after_number(await sim.journal.read(), after)]


async def follow(sim: Simulator, request: Request) -> Any:
    """The journal as JSON lines, as it is written; ?after=N begins after number N."""
    return StreamingResponse(_lines(sim, _after(request)), media_type="application/x-ndjson")


async def forget(sim: Simulator, request: Request) -> Any:
    """Clear the journal; numbers go on."""
    sim.journal.clear()
    return {"ok": True}


def _after(request: Request) -> int:
    given = request.query_params.get("after", "0")
    if not given.isdigit():
        raise PayproofError("after is the number of an entry", place="after", remedy="write ?after=17")
    return int(given)


@cache
def _fault_adapter() -> TypeAdapter[FaultSpec]:
    return TypeAdapter(FaultSpec)


async def _lines(sim: Simulator, after: int) -> AsyncIterator[bytes]:
    """Reads the journal itself: a reader that falls behind misses entries, and no queue grows behind its back."""
    news = asyncio.Event()

    def wake(entry: Entry) -> None:
        news.set()

    sim.journal.listeners.append(wake)
    try:
        while True:
            news.clear()
            for entry in _after_number(await sim.journal.read(), after):
                after = entry.n
                yield json.dumps(plain(entry)).encode() + b"\n"
            await news.wait()
    finally:
        sim.journal.listeners.remove(wake)


def _after_number(entries: list[Entry], number: int) -> list[Entry]:
    return entries[bisect_right(entries, number, key=lambda entry: entry.n) :]


OPERATIONS: tuple[tuple[str, str, Operation], ...] = (
    ("GET", "/", index),
    ("GET", "/health", health),
    ("POST", "/reset", reset),
    ("GET", "/clock", clock),
    ("POST", "/clock", advance),
    ("GET", "/faults", faults),
    ("POST", "/faults", arm),
    ("DELETE", "/faults", clear),
    ("DELETE", "/faults/{id:int}", clear),
    ("GET", "/payers", payers),
    ("GET", "/merchants", merchants),
    ("POST", "/merchants", add_merchant),
    ("POST", "/merchants/{client_id}/rotate", rotate),
    ("POST", "/merchants/{client_id}/revoke", revoke),
    ("POST", "/tokens/expire", expire),
    ("GET", "/payments", payments),
    ("POST", "/payments/{payment}/forge-return", forge),
    ("POST", "/payments/{payment}/tamper", tamper),
    ("GET", "/notices", notice_operations.notices),
    ("POST", "/notices/endpoint", notice_operations.notify),
    ("POST", "/notices/hold", notice_operations.hold),
    ("POST", "/notices/lose", notice_operations.lose),
    ("POST", "/notices/release", notice_operations.release),
    ("POST", "/notices/repeat", notice_operations.repeat),
    ("POST", "/notices/forge", notice_operations.forge_notice),
    ("GET", "/journal", journal),
    ("GET", "/journal/follow", follow),
    ("DELETE", "/journal", forget),
)
