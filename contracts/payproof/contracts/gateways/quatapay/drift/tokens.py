"""Cases of the token call, and of what a token is good for (gateway-facts 3.3, 3.4; choices 1 and 2)."""

from __future__ import annotations

from payproof.contracts.comparing.catalogue import CaseRequest, Decides, DriftCase, Wait
from payproof.contracts.gateways.quatapay.drift.steps import (
    JSON,
    ORDER,
    PAID,
    STARTED,
    TOKEN,
    bearer,
    cases_of,
    create,
    status,
    token,
)  # fmt: skip

_ACCEPTS_FORM = CaseRequest(
    label="an access token, by a form",
    operation="token",
    method="POST",
    path="/authentication/token",
    form={"client_id": "{client_id}", "secret_id": "{secret_key}"},
    headers=JSON,
)

CREDENTIALS = (
    DriftCase(id="token.issue", text="A token call with the right credentials.", steps=(TOKEN,)),
    DriftCase(id="token.form", text="The credentials arrive as a form.", steps=(_ACCEPTS_FORM,)),
    *cases_of(TOKEN),
)

_SECOND = create("a second payment by the same token", name="second",
                 fields={"amount": "75.50", "custom": "drift-second"})  # fmt: skip
_FIRST_AGAIN = status("the first payment after the second create")
_IS_PAYMENT = {"payment 1 again": True, "payment 2": False}

REUSE = (
    DriftCase(
        id="token.reused",
        text="Two payments are created by the same token.",
        steps=(*STARTED, _SECOND, _FIRST_AGAIN),
        decides=(
            Decides(knob="token_is_payment", at=_SECOND.label, path="body.data.token", values=_IS_PAYMENT),
            Decides(knob="token_is_payment", at=_SECOND.label, path="body.data.payment_url", values={"*": None}),
            Decides(knob="token_is_payment", at=_SECOND.label, values={"paid-token": True, "invalid-token": True}),
            Decides(
                knob="token_is_payment",
                at=_FIRST_AGAIN.label,
                path="body.data.amount",
                values={"1250.00": False, "75.50": True},
            ),
            Decides(
                knob="token_is_payment",
                at=_FIRST_AGAIN.label,
                path="body.data.custom",
                values={str(ORDER["custom"]): False, "drift-second": True},
            ),
        ),
    ),
    DriftCase(
        id="token.after-paying",
        text="A payment is created by a token whose payment was paid.",
        steps=(*STARTED, *PAID, create("a payment by the token of a paid one", name="second")),
        decides=(
            Decides(
                knob="token_is_payment",
                at="a payment by the token of a paid one",
                values={"ok": False, "paid-token": True, "invalid-token": True},
            ),
        ),
    ),
)

_OLD = "a payment by a token of 602 s"
_PURGED = "a payment by an old token after a new token call"
_OLD_STATUS = "a payment of 604 s, asked for by a new token"

LIFE = (
    DriftCase(
        id="token.old",
        text="A token is used 590 seconds after it was issued.",
        steps=(TOKEN, Wait(seconds=590), create("a payment by a token of 590 s")),
        decides=(Decides(knob="token_life", at="a payment by a token of 590 s", values={"ok": 600, "*": None}),),
    ),
    DriftCase(
        id="token.expired",
        text="A token is used after its life, and nobody has asked for another one.",
        steps=(TOKEN, Wait(seconds=602), create(_OLD)),
        decides=(Decides(knob="token_life", at=_OLD, values={"expired-token": 600, "ok": None}),),
    ),
    DriftCase(
        id="token.expired-status",
        text="A status check by an expired token.",
        steps=(*STARTED, Wait(seconds=602), status("a status check by a token of 602 s")),
        decides=(
            Decides(knob="token_life", at="a status check by a token of 602 s", values={"expired-token": 600, "ok": None}),
        ),
    ),
)  # fmt: skip

PURGES = (
    DriftCase(
        id="token.purged",
        text="A token is used after its life, and after somebody asked for a new one.",
        steps=(TOKEN, Wait(seconds=604), token(name="fresh"), create(_PURGED)),
        decides=(Decides(knob="purge", at=_PURGED, values={"expired-token": False, "invalid-token": True}),),
    ),
    DriftCase(
        id="payment.purged",
        text="A payment is looked up by a new token when its own has expired.",
        steps=(*STARTED, Wait(seconds=604), token(name="fresh"), status(_OLD_STATUS, headers=bearer("{fresh}"))),
        decides=(Decides(knob="purge", at=_OLD_STATUS, values={"ok": False, "unknown-payment": True}),),
    ),
    DriftCase(
        id="payment.purged-paid",
        text="A paid payment is looked up by a new token when its own has expired.",
        steps=(
            *STARTED, *PAID, Wait(seconds=604), token(name="fresh"),
            status("a paid payment of 604 s, asked for by a new token", headers=bearer("{fresh}")),
        ),
        decides=(
            Decides(
                knob="purge", at="a paid payment of 604 s, asked for by a new token",
                values={"ok": False, "unknown-payment": True},
            ),
        ),
    ),
)  # fmt: skip

_UNKNOWN = "a payment by a token that was never issued"
_WORD = "a payment by a word that is no token"

BEARER = (
    DriftCase(
        id="create.no-bearer",
        text="A payment is asked for without a token.",
        steps=(create("a payment without a token", headers={}),),
        decides=(Decides(knob="no_bearer_status", at="a payment without a token", path="status"),),
    ),
    DriftCase(
        id="create.malformed-bearer",
        text="The Authorization header has no token in it.",
        steps=(
            create("a payment with an empty bearer", headers={"Authorization": "Bearer"}),
            create("a payment with another scheme", headers={"Authorization": "Token abc"}),
        ),
        decides=(
            Decides(knob="no_bearer_status", at="a payment with an empty bearer", path="status"),
            Decides(knob="no_bearer_status", at="a payment with another scheme", path="status"),
        ),
    ),
    DriftCase(
        id="create.unknown-token",
        text="A payment is asked for by tokens that nobody was given.",
        steps=(
            TOKEN,
            create(_UNKNOWN, headers=bearer("{token.unknown}")),
            create(_WORD, headers=bearer("not-a-token")),
        ),
        decides=(
            Decides(knob="unknown_token_status", at=_UNKNOWN, path="status"),
            Decides(knob="unknown_token_status", at=_WORD, path="status"),
        ),
    ),
    DriftCase(
        id="status.bearer",
        text="A status check without a token, and by one that was never issued.",
        steps=(
            *STARTED,
            status("a status check without a token", headers={}),
            status("a status check by an unknown token", headers=bearer("{token.unknown}")),
        ),
        decides=(
            Decides(knob="no_bearer_status", at="a status check without a token", path="status"),
            Decides(knob="unknown_token_status", at="a status check by an unknown token", path="status"),
        ),
    ),
)

CASES = (*CREDENTIALS, *BEARER, *REUSE, *LIFE)
LAST = PURGES
"""Run after everything else: their token calls end the memory of whatever is old by then."""
