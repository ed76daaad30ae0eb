"""The requests that most cases are made of."""

from __future__ import annotations

from dataclasses import replace
from types import EllipsisType
from typing import TypeAlias

from payproof.contracts.comparing.catalogue import Back, CaseRequest, Decides, DriftCase, Open, Submit
from payproof.contracts.contract.api import ApiContract
from payproof.contracts.contract.examples import Example, named
from payproof.contracts.model import Json

SHOP = "https://shop.payproof.test"
RETURN, CANCEL = f"{SHOP}/return", f"{SHOP}/cancel"
ORDER: dict[str, Json] = {
    "amount": "1250.00",
    "currency": "XAF",
    "return_url": RETURN,
    "cancel_url": CANCEL,
    "custom": "drift 1/2 é",  # what PHP escapes
}
Field: TypeAlias = str | int | float | EllipsisType | None
"""A field's value; ``...`` leaves it out."""
WITH_QUERY: dict[str, Field] = {"return_url": f"{RETURN}?a=1", "cancel_url": f"{CANCEL}?a=1"}
JSON = {"Accept": "application/json"}
KEYS: dict[str, Json] = {"client_id": "{client_id}", "secret_id": "{secret_key}"}


def bearer(token: str = "{token}") -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _but(fields: dict[str, Json], changes: dict[str, Field]) -> dict[str, Json]:
    changed = {name: value for name, value in changes.items() if not isinstance(value, EllipsisType)}
    return {name: value for name, value in fields.items() if name not in changes} | changed


def token(label: str = "an access token", *, name: str = "token") -> CaseRequest:
    return CaseRequest(
        label=label, operation="token", method="POST", path="/authentication/token",
        json=KEYS, headers=JSON, saves={name: "data.access_token"},
    )  # fmt: skip


def create(
    label: str = "a payment", *, name: str = "payment", headers: dict[str, str] | None = None,
    fields: dict[str, Field] | None = None,
) -> CaseRequest:  # fmt: skip
    """A create call; ``...`` leaves a field out."""
    return CaseRequest(
        label=label, operation="create", method="POST", path="/payment/create", json=_but(ORDER, fields or {}),
        headers=JSON | (bearer() if headers is None else headers),
        saves={name: "data.token", f"{name}_url": "data.payment_url"},
    )  # fmt: skip


def status(label: str, *, payment: str = "{payment}", headers: dict[str, str] | None = None) -> CaseRequest:
    return CaseRequest(
        label=label, operation="status", method="GET", path=f"/payment/status/{payment}",
        headers=JSON | (bearer() if headers is None else headers),
    )  # fmt: skip


def varied(call: CaseRequest, example: Example) -> CaseRequest:
    """The call with one thing changed, as an example of the contract has it."""
    label = f"{call.label}: {example.text[0].lower()}{example.text[1:].rstrip('.')}"
    return replace(call, label=label, json=example.request.json)


def variations(call: CaseRequest) -> dict[str, Example]:
    """What the contract asks of the call's operation with one thing changed, by name."""
    return {each.name: each for each in named(ApiContract("quatapay"), call.operation) if each.is_varied}


def cases_of(call: CaseRequest, *before: CaseRequest) -> tuple[DriftCase, ...]:
    """A case for each of them; what it decides is decided at that call."""
    return tuple(_case(varied(call, each), each, before) for each in variations(call).values())


def _case(call: CaseRequest, example: Example, before: tuple[CaseRequest, ...]) -> DriftCase:
    decides = tuple(Decides(knob=knob, at=call.label, values=values) for knob, values in example.decides.items())
    return DriftCase(id=f"{call.operation}.{example.name}", text=example.text, steps=(*before, call), decides=decides)


TOKEN, PAYMENT = token(), create()
STARTED = (TOKEN, PAYMENT)
LOGGED_IN = (
    Open(label="the hosted checkout"),
    Submit(label="logging in", payer="paid"),
)
PAID = (
    *LOGGED_IN,
    Submit(label="confirming"),
    Submit(label="the one-time code", asked=True),
    Back(label="the way back after paying"),
)
