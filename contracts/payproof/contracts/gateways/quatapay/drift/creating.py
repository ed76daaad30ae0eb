"""Cases of the create call's fields (gateway-facts 3.5; choices 8 to 11, 17a)."""

from __future__ import annotations

import json

from payproof.contracts.catalogue import CaseRequest, Decides, DriftCase
from payproof.contracts.gateways.quatapay.drift.steps import (
    JSON,
    ORDER,
    RETURN,
    STARTED,
    TOKEN,
    WITH_QUERY,
    Field,
    bearer,
    create,
)  # fmt: skip

_NOTHING_READ = Decides(
    knob="cancel_url_required",
    values={"missing-parameters": False, "missing-parameters+cancel-url-required": True},
)
"""A gateway that sees no field names every field that it requires."""


def _field(id: str, text: str, *decides: Decides, **changes: Field) -> DriftCase:
    """One create call with one thing changed; what it decides is decided at that call."""
    label = f"a payment: {text[0].lower()}{text[1:].rstrip('.')}"
    placed = tuple(
        Decides(knob=each.knob, at=label, path=each.path, values=each.values, member=each.member, absent=each.absent)
        for each in decides
    )
    return DriftCase(id=f"create.{id}", text=text, steps=(TOKEN, create(label, fields=changes)), decides=placed)


FIELDS = (
    _field("amount-missing", "The amount is left out.", amount=...),
    _field("amount-empty", "The amount is an empty text.", amount=""),
    _field("amount-null", "The amount is null.", amount=None),
    _field(
        "amount-number", "The amount is a JSON number.",
        Decides(knob="amount_must_be_string", values={"ok": False, "amount-string": True}), amount=1250.5,
    ),
    _field(
        "amount-integer", "The amount is a whole JSON number.",
        Decides(knob="amount_must_be_string", values={"ok": False, "amount-string": True}), amount=1250,
    ),
    _field(
        "amount-decimals", "The amount has three decimals.",
        Decides(knob="strict_decimals", values={"ok": False, "*": True}), amount="1250.505",
    ),
    _field("amount-zero", "The amount is zero.", amount="0.00"),
    _field("amount-negative", "The amount is negative.", amount="-5.00"),
    _field("amount-text", "The amount is no number.", amount="plenty"),
    _field("amount-comma", "The amount has a decimal comma.", amount="12,50"),
    _field("currency-missing", "The currency is left out.", currency=...),
    _field("currency-empty", "The currency is an empty text.", currency=""),
    _field("currency-unknown", "The currency does not exist.", currency="ZZZ"),
    _field("currency-number", "The currency is a number.", currency=950),
    _field(
        "currency-case", "The currency is in lower case.",
        Decides(knob="currency_case", values={"ok": False, "*": True}), currency="xaf",
    ),
    _field("return-missing", "The return URL is left out.", return_url=...),
    _field("return-empty", "The return URL is an empty text.", return_url=""),
    _field("return-text", "The return URL is no URL.", return_url="not a url"),
    _field("return-path", "The return URL is a path.", return_url="/return"),
    _field(
        "return-http", "The return URL is not HTTPS.",
        Decides(knob="refuse_http_urls", values={"ok": False, "*": True}), return_url="http://shop.payproof.test/back",
    ),
    _field(
        "cancel-missing", "The cancel URL is left out.",
        Decides(knob="cancel_url_required", values={"ok": False, "cancel-url-required": True}), cancel_url=...,
    ),
    _field(
        "cancel-empty", "The cancel URL is an empty text.",
        Decides(knob="cancel_url_required", values={"ok": False, "cancel-url-required": True}), cancel_url="",
    ),
    _field("return-number", "The return URL is a number.", return_url=17),
    _field("cancel-number", "The cancel URL is a number.", cancel_url=17),
    _field("cancel-text", "The cancel URL is no URL.", cancel_url="not a url"),
    _field(
        "cancel-http", "The cancel URL is not HTTPS.",
        Decides(knob="refuse_http_urls", values={"ok": False, "*": True}), cancel_url="http://shop.payproof.test/stop",
    ),
    _field(
        "custom-missing", "The order id is left out.",
        Decides(knob="custom_required", values={"ok": False, "*": True}), custom=...,
    ),
    _field("custom-empty", "The order id is an empty text.", custom=""),
    _field("custom-null", "The order id is null.", custom=None),
    _field("custom-number", "The order id is a number.", custom=17),
    _field("custom-longest", "The order id has 255 characters.", custom="x" * 255),
    _field("custom-long", "The order id has 256 characters.", custom="x" * 256),
    _field("unknown-field", "A field that nobody knows is sent too.", colour="blue"),
    _field("several", "Amount and currency are left out, the return URL is no URL.",
           amount=..., currency=..., return_url="nowhere"),
    _field("nothing", "No field is sent at all.", _NOTHING_READ,
           amount=..., currency=..., return_url=..., cancel_url=..., custom=...),
)  # fmt: skip


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
