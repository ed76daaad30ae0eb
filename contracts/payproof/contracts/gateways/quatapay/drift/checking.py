"""Cases of the status check, and of the framework behind the gateway (choices 4 to 7, 16 to 17a)."""

from __future__ import annotations

from payproof.contracts.comparing.catalogue import CaseRequest, Decides, DriftCase
from payproof.contracts.gateways.quatapay.drift.steps import (
    JSON,
    KEYS,
    PAID,
    PAYMENT,
    STARTED,
    TOKEN,
    bearer,
    status,
    variations,
    varied,
)
from payproof.contracts.model import Json

_IN_PATH = status("the status of an unpaid payment")
_IN_QUERY = CaseRequest(
    label="the status, the payment in the query", operation="status", method="GET",
    path="/payment/status?token={payment}", headers=JSON | bearer(),
)  # fmt: skip


def _posted(label: str, fields: dict[str, Json], headers: dict[str, str]) -> CaseRequest:
    return CaseRequest(
        label=label, operation="status", method="POST", path="/payment/status", json=fields, headers=headers
    )


_ASKED: dict[str, Json] = {"token": "{payment}"}
_POSTED = _posted("the status, by POST with a token", _ASKED, JSON | bearer())
_BY_KEYS = _posted("the status, by POST with credentials", _ASKED | KEYS, JSON)
_BAD_KEYS = _posted("the status, by POST with a wrong secret", _ASKED | KEYS | {"secret_id": "nothing"}, JSON)
_NO_PAYMENT = _posted("a status check that names no payment", {}, JSON | bearer())


def _unpaid(id: str, how: str, route: str, *asked: CaseRequest) -> DriftCase:
    """An unpaid payment is asked for in one of the ways that a gateway may have."""
    return DriftCase(
        id=f"status.{id}", text=f"An unpaid payment is asked for {how}.", steps=(*STARTED, *asked),
        decides=(Decides(knob="status_routes", at=asked[0].label, member=route),),
    )  # fmt: skip


STATUS = (
    _unpaid("path", "by the address that has it in its path", "/payment/status/{token}", _IN_PATH),
    _unpaid("query", "by a query", "/payment/status", _IN_QUERY),
    _unpaid("post", "by POST", "/payment/status", _POSTED),
    _unpaid("credentials", "by POST with credentials instead of a token", "/payment/status", _BY_KEYS, _BAD_KEYS),
    DriftCase(
        id="status.paid",
        text="A paid payment is asked for.",
        steps=(*STARTED, *PAID, status("the status of a paid payment")),
    ),
    DriftCase(
        id="status.no-custom",
        text="A payment without an order id is asked for.",
        steps=(TOKEN, varied(PAYMENT, variations(PAYMENT)["custom-null"]), status("the status without an order id")),
    ),
    DriftCase(
        id="status.unknown",
        text="A payment that does not exist is asked for.",
        steps=(*STARTED, status("the status of an unknown payment", payment="{payment.unknown}")),
    ),
    DriftCase(
        id="status.nothing",
        text="A status check that names no payment.",
        steps=(TOKEN, _NO_PAYMENT),
    ),
    DriftCase(
        id="status.another",
        text="Another merchant's payment is asked for.",
        steps=(
            *STARTED,
            CaseRequest(
                label="another merchant's token", operation="token", method="POST", path="/authentication/token",
                json={"client_id": "{other_client_id}", "secret_id": "{other_secret_key}"}, headers=JSON,
                saves={"other_token": "data.access_token"},
            ),
            status("the status of another merchant's payment", headers=bearer("{other_token}")),
        ),
    ),
)  # fmt: skip

_PAGE = {"Accept": "text/html"}
_LOST = {"JSON object": False, "HTML page": True}


def _framework(id: str, text: str, label: str, method: str, path: str, headers: dict[str, str]) -> DriftCase:
    asked = CaseRequest(label=label, operation="framework", method=method, path=path, headers=headers)
    return DriftCase(
        id=f"framework.{id}", text=text, steps=(asked,),
        decides=(
            Decides(knob="framework_errors", at=label, path="body", values=_LOST),
            Decides(knob="framework_errors", at=label, path="body.message", values={"*": None}),
        ),
    )  # fmt: skip


FRAMEWORK = (
    _framework("no-route", "A path that does not exist.", "a path that does not exist", "GET", "/nothing/here", JSON),
    _framework("no-route-page", "A path that does not exist, asked for as a page.",
               "a path that does not exist, as a page", "GET", "/nothing/here", _PAGE),
    _framework("method", "GET on a path that takes POST.", "GET where POST is taken", "GET", "/payment/create", JSON),
    _framework("method-page", "GET on a path that takes POST, asked for as a page.",
               "GET where POST is taken, as a page", "GET", "/payment/create", _PAGE),
    _framework("method-token", "PUT on the token call's path.", "PUT where POST is taken", "PUT",
               "/authentication/token", JSON),
)  # fmt: skip

OUT_OF_REACH = (
    DriftCase(
        id="limit.exceeded",
        text="More requests than the gateway allows.",
        needs="would run into the gateway's rate limit, which payproof does not do to a sandbox",
    ),
    DriftCase(
        id="gateway.troubles",
        text="The gateway cannot store, or its merchant is gone.",
        needs="needs power over the gateway itself",
    ),
)

CASES = (*STATUS, *FRAMEWORK, *OUT_OF_REACH)
