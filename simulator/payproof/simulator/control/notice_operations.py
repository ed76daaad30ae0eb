"""What the control application can do to the gateway's notices: one function for each operation."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request

from payproof.contracts.entries import Forgery
from payproof.simulator.control.control_values import ControlBody, body_of, plain
from payproof.simulator.notices.notice_client import endpoint_at
from payproof.simulator.simulator import Simulator


class NoticeUrl(ControlBody):
    url: str


class DeliveryOrder(ControlBody):
    first: tuple[str, ...] = ()


class Again(ControlBody):
    id: str
    times: Annotated[int, Field(ge=1, le=100)] = 1
    at_once: bool = False


class Forged(ControlBody):
    payment: str
    how: Forgery


async def notices(sim: Simulator, request: Request) -> Any:
    """Notices to the integration: what each is about, and what became of it."""
    return [
        {"id": each.id, "payment": each.payment, "state": each.state, "attempts": each.attempts, "due": each.due}
        for each in sim.outbox.notices()
    ]


async def notify(sim: Simulator, request: Request) -> Any:
    """Where notices go: {"url": "http://127.0.0.1:8000/notices"}."""
    sim.outbox.endpoint = endpoint_at((await body_of(request, NoticeUrl)).url)
    return {"ok": True}


async def hold(sim: Simulator, request: Request) -> Any:
    """Keep every notice back from now on."""
    sim.outbox.hold()
    return {"ok": True}


async def lose(sim: Simulator, request: Request) -> Any:
    """No notice ever arrives from now on."""
    sim.outbox.lose()
    return {"ok": True}


async def release(sim: Simulator, request: Request) -> Any:
    """Send what was kept back, and everything from now on; {"first": [ids]} gives an order."""
    body = await body_of(request, DeliveryOrder)
    return [plain(delivery) for delivery in await sim.outbox.release(body.first)]


async def repeat(sim: Simulator, request: Request) -> Any:
    """Send a notice again, freshly signed: {"id": "...", "times": 5, "at_once": true}."""
    body = await body_of(request, Again)
    return [plain(each) for each in await sim.outbox.repeat(body.id, body.times, at_once=body.at_once)]


async def forge_notice(sim: Simulator, request: Request) -> Any:
    """Claim that a payment was paid, with a bad signature: {"payment": "...", "how": "other-secret"}."""
    body = await body_of(request, Forged)
    return plain(await sim.outbox.forge(body.payment, body.how))
