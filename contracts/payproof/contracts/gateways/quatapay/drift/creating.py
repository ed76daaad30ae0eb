"""Cases of the create call's fields (gateway-facts 3.5; choices 8 to 11, 17a)."""

from __future__ import annotations

import json
from dataclasses import replace

from payproof.contracts.catalogue import CaseRequest, Decides, DriftCase
from payproof.contracts.contract.api import Api
from payproof.contracts.contract.examples import Example, named
from payproof.contracts.gateways.quatapay.drift.steps import (
    JSON,
    ORDER,
    PAYMENT,
    RETURN,
    STARTED,
    TOKEN,
    WITH_QUERY,
    bearer,
    create,
)  # fmt: skip

_NOTHING_READ = Decides(
    knob="cancel_url_required",
    values={"missing-parameters": False, "missing-parameters+cancel-url-required": True},
)
"""A gateway that sees no field names every field that it requires."""


_EXAMPLES = {each.name: each for each in named(Api("quatapay"), "create")}


def varied(name: str) -> CaseRequest:
    """The create call with one thing changed, as an example of the contract has it."""
    example = _EXAMPLES[name]
    label = f"a payment: {example.text[0].lower()}{example.text[1:].rstrip('.')}"
    return replace(PAYMENT, label=label, json=example.request.json)


def _field(example: Example) -> DriftCase:
    """What it decides is decided at that call."""
    call = varied(example.name)
    decides = tuple(Decides(knob=knob, at=call.label, values=values) for knob, values in example.decides.items())
    return DriftCase(id=f"create.{example.name}", text=example.text, steps=(TOKEN, call), decides=decides)


FIELDS = tuple(_field(each) for name, each in _EXAMPLES.items() if name not in ("created", "bare"))


def _body(id: str, text: str, label: str, *, path: str = "/payment/create", **body: object) -> DriftCase:
    made = CaseRequest(
        label=label, operation="create", method="POST", path=path,
        headers=JSON | bearer() | ({"Content-Type": str(body["kind"])} if "kind" in body else {}),
        form={name: str(value) for name, value in ORDER.items()} if body.get("form") else None,
        raw=json.dumps(ORDER) if body.get("kind") else None,
        json=ORDER if not body else None,
    )  # fmt: skip
    return DriftCase(id=f"create.{id}", text=text, steps=(TOKEN, made), decides=(_NOTHING_READ,))


BODIES = (
    DriftCase(id="create.payment", text="A payment is created.", steps=STARTED),
    _body("form", "The fields arrive as a form.", "a payment, by a form", form=True),
    _body("text-plain", "The JSON arrives as text/plain.", "a payment, as text/plain", kind="text/plain"),
    _body("slash", "The path ends in a slash.", "a payment, with a trailing slash", path="/payment/create/"),
    DriftCase(
        id="create.no-json",
        text="The body is no JSON, but says that it is.",
        steps=(
            TOKEN,
            CaseRequest(
                label="a payment, with broken JSON", operation="create", method="POST", path="/payment/create",
                headers=JSON | bearer() | {"Content-Type": "application/json"}, raw='{"amount": "1250.00", ',
            ),
        ),
        decides=(_NOTHING_READ,),
    ),
    DriftCase(
        id="create.same-urls",
        text="Both URLs are the same.",
        steps=(TOKEN, create("a payment with one URL for both", fields={"cancel_url": RETURN})),
    ),
    DriftCase(
        id="create.query-urls",
        text="Both URLs have a query.",
        steps=(TOKEN, create("a payment whose URLs have a query", fields=WITH_QUERY)),
    ),
)  # fmt: skip

CASES = (*BODIES, *FIELDS)
