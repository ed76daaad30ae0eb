"""What is asked of the family's gateways, and of the simulator, to see where they differ.

Covers the choices of gateway-facts section 7, the error catalogues of 3.3 and 3.5, the redirects of 3.8, and the
framework's habits.
"""

from __future__ import annotations

from payproof.contracts.comparing.catalogue import Catalogue, Decides
from payproof.contracts.gateways.quatapay.drift import checking, creating, paying, tokens

_QUERY = "redirect.query"

CATALOGUE = Catalogue(
    operations={
        "token": "POST /authentication/token",
        "create": "POST /payment/create",
        "status": "GET, POST /payment/status",
        "checkout": "hosted checkout and the way back",
        "framework": "outside the API's routes",
    },
    cases=(*tokens.CASES, *creating.CASES, *checking.CASES, *paying.CASES, *tokens.LAST),
    ids={
        "body.data.access_token": "access token",
        "body.data.token": "payment",
        "body.data.trx_id": "transaction",
        f"{_QUERY}.data[token]": "payment",
        f"{_QUERY}.data[trx_id]": "transaction",
        f"{_QUERY}.token": "payment",
    },
    texts=(
        "Process Error",
        "Payment request is invalid!",
        "Session Expired!",
        "Authentication Failed!",
        "Requested with invalid credentials!",
        "Payment gateway no longer available",
        "Insufficient balance!",
        "Wallet not found!",
        "Virtual Card Not Found!",
        "Credentials didn't match.",
        "The verification code does not match",
        "The selected trx type is invalid.",
    ),
    decides=(
        Decides(knob="otp", path="asked"),
        Decides(knob="otp", values={paying.CODE: True, "leaves": False}),
        Decides(knob="advertised_life", path="body.data.expire_time"),
        Decides(knob="escaped_slashes", path="json.slashes", values={"escaped": True, "plain": False}),
        Decides(knob="rate_limit", path="headers.x-ratelimit-limit", absent=0),
        Decides(knob="rate_limit", path="headers.x-ratelimit-remaining", values={"*": None}),
        Decides(knob="return_fields", path=f"{_QUERY}.data[amount]", member="amount"),
        Decides(knob="return_fields", path=f"{_QUERY}.data[custom]", member="custom"),
    ),
)
