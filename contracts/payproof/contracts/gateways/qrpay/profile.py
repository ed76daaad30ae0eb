"""The same wire format as the family's servers really behave (QRPay, QRPay Pro, Walletium: sources C1 to C5).

Everything that is not named here is as in the ``quatapay`` profile.
"""

from __future__ import annotations

from dataclasses import replace

from payproof.contracts.gateways.quatapay.profile import PROFILE as QUATAPAY
from payproof.contracts.profile import Fact, Traits

PROFILE = replace(
    QUATAPAY,
    name="qrpay",
    title="The family's servers as observed: the access token is the payment",
    knobs={
        **QUATAPAY.knobs,
        "token_is_payment": Fact(True, "observed", "C1; 3.4", "issuing a token makes the payment row itself"),
        "purge": Fact(
            True, "observed", "C1; 3.4", "a token call deletes every row of 600 s or more, paid ones included"
        ),
        "payment_life_from": Fact("token", "observed", "C1; 3.4", "the page lives for the rest of the token's life"),
        "cancel_url_required": Fact(True, "observed", "C1; 3.5"),
        "custom_required": Fact(True, "inferred", "C1; 3.5", "500 when the key is absent; empty or null is fine"),
        "amount_must_be_string": Fact(True, "observed", "C1; 3.5"),
        "currency_case": Fact(
            False, "inferred", "C1; 3.5", "the look-up in the table of currencies ignores letter case"
        ),
        "cancelled_state": Fact(False, "observed", "C1; 3.6", "a cancel changes nothing on the server"),
        "raw_join": Fact(True, "observed", "C1; 3.8"),
        "rate_limit": Fact(60, "observed", "C1 C2 C3; 3.5", "requests a minute for each caller"),
        "csrf": Fact(True, "framework", "choice 17a"),
        "framework_errors": Fact(True, "framework", "choice 17a"),
        "escaped_slashes": Fact(True, "framework", "choice 17a"),
    },
    strict={"magic_values": False, "rate_limit": 1_000_000},
    traits=Traits(token_is_payment=True, cancel_url_optional=False, paid_survives_token=False),
    contradictions={
        "token.cached": (
            "The published advice says to cache the access token, but on this gateway the access token is the payment: "
            "two orders that share one share a payment, and the second overwrites the first. "
            "Checked instead: no access token is ever used for two orders."
        ),
        "token.no-stampede": (
            "The published advice says to share one access token, but on this gateway each payment needs a token of its own: "
            "simultaneous checkouts must each get one."
        ),
    },
)
