"""Cases of the hosted checkout and the way back (gateway-facts 3.7, 3.8; choices 3, 12 to 14, 17a, 18)."""

from __future__ import annotations

from payproof.contracts.comparing.catalogue import Back, Cancel, Decides, DriftCase, Open, Submit, Wait
from payproof.contracts.gateways.quatapay.drift.steps import (
    LOGGED_IN,
    PAID,
    STARTED,
    TOKEN,
    WITH_QUERY,
    create,
    status,
)  # fmt: skip

LOGIN, CONFIRM, CODE = "asks for email, password", "asks for trx_type", "asks for code[]"
_QUERY = create("a payment whose URLs have a query", fields=WITH_QUERY)
_REFUSED = (
    Open(label="the hosted checkout"),
    Submit(label="logging in as the refused payer", payer="refused"),
    Submit(label="confirming as the refused payer"),
    Submit(label="the refused payer's one-time code", asked=True),
)
_CANCELLED = (*LOGGED_IN, Cancel(label="cancelling"))
_CANCEL_STATE = Decides(
    knob="cancelled_state", at="the status after a cancel", path="body.data.status",
    values={"CANCELLED": True, "CREATED": False, "*": None},
)  # fmt: skip
_JOIN = {"?": True, "&": False}

WAYS = (
    DriftCase(
        id="checkout.paid",
        text="A customer pays.",
        steps=(*STARTED, *PAID),
        decides=(
            Decides(knob="otp", at="confirming", values={"leaves": False, CODE: True}),
            Decides(knob="otp", at="the one-time code", path="asked"),
        ),
    ),
    DriftCase(
        id="checkout.paid-query",
        text="A customer pays, and the return URL has a query.",
        steps=(TOKEN, _QUERY, *PAID[:-1], Back(label="the way back after paying, with a query")),
    ),
    DriftCase(
        id="checkout.refused",
        text="The gateway refuses the customer's payment.",
        steps=(*STARTED, *_REFUSED, Back(label="the way back after a refusal"), status("the status after a refusal")),
    ),
    DriftCase(
        id="checkout.refused-query",
        text="The gateway refuses, and the return URL has a query.",
        steps=(TOKEN, _QUERY, *_REFUSED, Back(label="the way back after a refusal, with a query")),
        decides=(
            Decides(
                knob="raw_join", at="the way back after a refusal, with a query", path="redirect.join", values=_JOIN
            ),
        ),
    ),
    DriftCase(
        id="checkout.cancelled",
        text="A customer cancels, then comes back and pays after all.",
        steps=(
            *STARTED, *_CANCELLED, Back(label="the way back after a cancel"), status("the status after a cancel"),
            Open(label="the hosted checkout after a cancel"), Submit(label="logging in after a cancel", payer="paid"),
            Submit(label="confirming after a cancel"), Submit(label="the one-time code after a cancel", asked=True),
            status("the status after cancelling and paying"),
        ),
        decides=(_CANCEL_STATE,),
    ),
    DriftCase(
        id="checkout.cancelled-query",
        text="A customer cancels, and the cancel URL has a query.",
        steps=(TOKEN, _QUERY, *_CANCELLED, Back(label="the way back after a cancel, with a query")),
        decides=(
            Decides(
                knob="raw_join", at="the way back after a cancel, with a query", path="redirect.join", values=_JOIN
            ),
        ),
    ),
)  # fmt: skip

_PAGES = "{site}/pay/sandbox/v1/user/authentication/form/"

HINDRANCES = (
    DriftCase(
        id="checkout.wrong-password",
        text="A customer mistypes the password.",
        steps=(*STARTED, Open(label="the hosted checkout"),
               Submit(label="logging in with a wrong password", payer="paid", wrong=True)),
    ),
    DriftCase(
        id="checkout.wrong-code",
        text="A customer mistypes the one-time code, where there is one.",
        steps=(*STARTED, *PAID[:-2], Submit(label="a wrong one-time code", wrong=True, asked=True)),
        decides=(Decides(knob="otp", at="a wrong one-time code", path="asked"),),
    ),
    DriftCase(
        id="checkout.no-csrf",
        text="A form is sent without its hidden fields.",
        steps=(*STARTED, Open(label="the hosted checkout"),
               Submit(label="logging in without the hidden fields", payer="paid", bare=True)),
        decides=(
            Decides(
                knob="csrf", at="logging in without the hidden fields", values={"csrf": True, CONFIRM: False, "*": True}
            ),
        ),
    ),
    DriftCase(
        id="checkout.unknown",
        text="A customer opens the checkout of a payment that does not exist.",
        steps=(*STARTED, Open(label="the checkout of an unknown payment", url=_PAGES + "{payment.unknown}")),
    ),
    DriftCase(
        id="checkout.no-page",
        text="A customer opens a page that does not exist.",
        steps=(Open(label="a hosted page that does not exist", url="{site}/pay/sandbox/v1/user/nothing"),),
    ),
    DriftCase(
        id="checkout.paid-again",
        text="A customer opens the checkout of a payment that was paid.",
        steps=(*STARTED, *PAID, Open(label="the checkout of a paid payment")),
    ),
)  # fmt: skip


def _life(
    id: str, text: str, label: str, before: int, after: int, values: dict[str, str | int | None], knob: str
) -> DriftCase:
    """The checkout, opened ``after`` seconds after a create call that came ``before`` seconds after the token."""
    return DriftCase(
        id=f"checkout.{id}", text=text,
        steps=(TOKEN, Wait(seconds=before), create(), Wait(seconds=after), Open(label=label)),
        decides=(Decides(knob=knob, at=label, values=dict(values)),),
    )  # fmt: skip


LIFE = (
    _life("life-start", "The checkout is opened long after the token, shortly after the create.",
          "the checkout, 603 s after the token and 303 s after the create", 300, 303,
          {LOGIN: "create", "says Session Expired!": "token"}, "payment_life_from"),
    _life("life-open", "The checkout is opened before its life is over.",
          "the checkout, 590 s after the token", 0, 590, {LOGIN: 600, "*": None}, "payment_life"),
    _life("life-over", "The checkout is opened after its life.",
          "the checkout, 602 s after the token", 0, 602, {"says Session Expired!": 600, "*": None}, "payment_life"),
)  # fmt: skip

CASES = (*WAYS, *HINDRANCES, *LIFE)
