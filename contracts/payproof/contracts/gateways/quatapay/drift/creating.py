"""Cases of the create call's fields (gateway-facts 3.5; choices 8 to 11, 17a)."""

from __future__ import annotations

import json

from payproof.contracts.comparing.catalogue import CaseRequest, Decides, DriftCase
from payproof.contracts.gateways.quatapay.drift.steps import (
    JSON,
    ORDER,
    PAYMENT,
    RETURN,
    STARTED,
    TOKEN,
    WITH_QUERY,
    bearer,
    cases_of,
    create,
)  # fmt: skip

_NOTHING_READ = Decides(
    knob="cancel_url_required",
    values={"missing-parameters": False, "missing-parameters+cancel-url-required": True},
)
"""A gateway that sees no field names every field that it requires."""


FIELDS = cases_of(PAYMENT, TOKEN)


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
