"""QuataPay's token API as its documents describe it; the gaps are filled from the family's servers, and say so.

Sources (Q, C, K, F keys) and the numbered choices are listed in docs/profiles.md.
"""

from __future__ import annotations

from payproof.contracts.gateways.quatapay import wire
from payproof.contracts.gateways.quatapay.checklist import CHECKLIST
from payproof.contracts.profile import Credential, Fact, Origin, Payer, Profile, Traits, WireError

_TOKEN, _CREATE, _BOTH = ("token",), ("create",), ("create", "status")

ERRORS = {
    "client-id": WireError(400, ("Invalid client ID",), "observed", "C1", _TOKEN),
    "secret-id": WireError(400, ("Invalid secret ID",), "observed", "C1 Q5 Q6", _TOKEN),
    "credentials": WireError(400, ("Requested credentials is invalid",), "observed", "C1", _TOKEN),
    "no-merchant": WireError(404, ("Merchant doesn't exists or credentials is invalid",), "observed", "C1", _TOKEN),
    "token-storage": WireError(500, ("Failed to create access token. Please try again",), "observed", "C1", _TOKEN),
    "no-bearer": WireError(403, ("Access denied! Token not found",), "observed", "C1 C2", _BOTH),
    "invalid-token": WireError(403, ("Requested with invalid token!",), "observed", "C1 P1", _BOTH),
    "expired-token": WireError(401, ("Request token is expired",), "documented", "Q1 Q2; text C1", _BOTH),
    "paid-token": WireError(400, ("Requested with invalid token!",), "observed", "C1", _CREATE),
    "merchant-row": WireError(400, ("Merchant does't exists",), "observed", "C1", _CREATE),
    "wrong-environment": WireError(400, ("Requested with invalid credentials",), "observed", "C1", _CREATE),
    "create-storage": WireError(500, ("Failed to create payment! Please try again",), "observed", "C1", _CREATE),
    "amount-required": WireError(400, ("The amount field is required.",), "observed", "C1", _CREATE),
    "amount-string": WireError(400, ("The amount must be a string.",), "observed", "C1", _CREATE),
    "amount-number": WireError(
        400, ("The amount must be a number.", "The amount must be greater than 0."), "observed", "C1 F", _CREATE
    ),
    "amount-positive": WireError(400, ("The amount must be greater than 0.",), "observed", "C1", _CREATE),
    "amount-decimals": WireError(
        400, ("The amount must not have more than 2 decimal places.",), "assumed", "choice 9", _CREATE
    ),
    "currency-required": WireError(400, ("The currency field is required.",), "observed", "C1", _CREATE),
    "currency": WireError(400, ("The selected currency is invalid.",), "observed", "C1", _CREATE),
    "return-url-required": WireError(400, ("The return url field is required.",), "observed", "C1", _CREATE),
    "return-url": WireError(400, ("The return url must be a valid URL.",), "observed", "C1", _CREATE),
    "cancel-url-required": WireError(400, ("The cancel url field is required.",), "observed", "C1", _CREATE),
    "cancel-url": WireError(400, ("The cancel url must be a valid URL.",), "observed", "C1", _CREATE),
    "custom-length": WireError(
        400, ("The custom must not be greater than 255 characters.",), "observed", "C1", _CREATE
    ),
    "currency-string": WireError(400, ("The currency must be a string.",), "framework", "F; 3.5", _CREATE),
    "return-url-string": WireError(400, ("The return url must be a string.",), "framework", "F; 3.5", _CREATE),
    "cancel-url-string": WireError(400, ("The cancel url must be a string.",), "framework", "F; 3.5", _CREATE),
    "custom-string": WireError(400, ("The custom must be a string.",), "framework", "F; 3.5", _CREATE),
    "missing-parameters": WireError(
        400,
        ("The amount field is required.", "The currency field is required.", "The return url field is required."),
        "observed",
        "C1",
        _CREATE,
    ),
    "insecure-return-url": WireError(
        400, ("The return url must use HTTPS.",), "assumed", "choice 10, text ours", _CREATE
    ),
    "insecure-cancel-url": WireError(
        400, ("The cancel url must use HTTPS.",), "assumed", "choice 10, text ours", _CREATE
    ),
    "token-required": WireError(400, ("The token field is required.",), "framework", "F; 3.5", ("status",)),
    "unknown-payment": WireError(404, ("Payment not found",), "assumed", "choice 6, text ours", ("status",)),
    "rate-limit": WireError(
        429, ("Too Many Attempts.",), "framework", "F; choice 16", ("token", *_BOTH), envelope=False
    ),
    "not-found": WireError(404, ("Not Found",), "framework", "F; choice 17", (), envelope=False),
    "method": WireError(405, ("Method Not Allowed",), "framework", "F; choice 17", (), envelope=False),
    "csrf": WireError(419, ("Page Expired",), "framework", "F M; choice 17a", (), envelope=False),
}

KNOBS = {
    "token_is_payment": Fact(False, "documented", "Q1 Q2; choice 1", "a token is independent of payments"),
    "token_life": Fact(600, "documented", "Q2", "seconds; exactly this age is still good"),
    "advertised_life": Fact(600, "documented", "Q2 Q5", "expire_time as answered"),
    "purge": Fact(False, "documented", "Q1 Q2; choice 2", "an expired token is forgotten at the next token call"),
    "unknown_token_status": Fact(403, "observed", "C1 P1; choice 2", "answer to a token that was never issued"),
    "no_bearer_status": Fact(403, "observed", "C1; choice 2"),
    "payment_life": Fact(600, "assumed", "choice 3", "seconds that the hosted checkout stays open"),
    "payment_life_from": Fact("create", "assumed", "choice 3", "create or token"),
    "status_routes": Fact(
        ["/payment/status/{token}", "/payment/status"],
        "assumed",
        "choice 4; K2 K3",
        "no route is documented: GET with the payment in the path or the query, or POST",
    ),
    "cancel_url_required": Fact(False, "documented", "Q3; choice 8"),
    "custom_required": Fact(False, "documented", "Q3; choice 8"),
    "amount_must_be_string": Fact(False, "documented", "Q3; choice 9"),
    "currency_case": Fact(True, "documented", "Q3; choice 11", "a currency in lower case is refused"),
    "strict_decimals": Fact(False, "assumed", "choice 9", "refuse more than two decimals"),
    "refuse_http_urls": Fact(
        False,
        "assumed",
        "choice 10",
        "the documents ask for HTTPS; a wrong scheme is noted, and refused when this is on",
    ),
    "cancelled_state": Fact(True, "assumed", "choice 13", "a cancelled payment says CANCELLED; it can still be paid"),
    "raw_join": Fact(False, "assumed", "choice 14", "join error and cancel redirects with ? always"),
    "rate_limit": Fact(0, "assumed", "3.5", "requests a minute for each caller; 0: none (not in QuataPay's documents)"),
    "otp": Fact(False, "observed", "C1; choice 18", "ask for the one-time code 123456"),
    "csrf": Fact(False, "assumed", "choice 17a", "hosted forms need their CSRF field, else 419"),
    "framework_errors": Fact(False, "framework", "choice 17a", "404, 405, 429 as HTML unless Accept asks for JSON"),
    "escaped_slashes": Fact(False, "framework", "choice 17a", "JSON writes / as \\/"),
    "magic_values": Fact(True, "assumed", "ours", "amounts and words in custom that ask for an outcome"),
    "return_fields": Fact(["amount", "custom"], "observed", "C1 C2; 3.8", "what the success redirect carries"),
}

PROFILE = Profile(
    name="quatapay",
    version="2026.11",
    title="QuataPay token API, as documented",
    checklist=CHECKLIST,
    origins=(Origin(name="api", base_path="/pay/sandbox/api/v1"), Origin(name="checkout", base_path="/pay/sandbox/v1")),
    operations=wire.OPERATIONS,
    credentials=(
        Credential(name="client-id", kind="id", placeholder="client_id", label="client_id (dashboard: Primary Key)"),
        Credential(
            name="secret-key", kind="secret", placeholder="secret_key", label="secret_id (dashboard: Secret Key)"
        ),
    ),
    knobs=KNOBS,
    calm={"rate_limit": 0},
    strict={"magic_values": False, "rate_limit": 0},
    errors=ERRORS,
    currencies=("XAF", "XOF", "USD", "EUR", "GBP"),
    default_currency="XAF",
    token_life=600,
    payment_life=600,
    payers={
        "paid": Payer("sandbox@appdevs.net", "appdevs", "paid", "Test User"),
        "refused": Payer("refused@payproof.test", "appdevs", "refused", "Refused User"),
        "insufficient": Payer("insufficient@payproof.test", "appdevs", "insufficient", "Poor User"),
        "slow": Payer("slow@payproof.test", "appdevs", "slow", "Slow User"),
    },
    traits=Traits(),
    hosted=wire.HOSTED,
    read=wire.read,
    read_answer=wire.read_answer,
    payment_of=wire.payment_of,
    forged_return=wire.forged_return,
    returned_query=wire.returned_query,
    read_return=wire.read_return,
    is_live=wire.is_live,
    raw_marks=('"message":{"code":', '"type":"error"'),
    faults={
        "errors.invalid-token": ("invalid-token", "no-bearer"),
        "errors.currency": ("currency",),
        "errors.missing-parameter": ("missing-parameters", "secret-id"),
        "errors.server-error": ("create-storage", "token-storage"),
    },
    settings=(
        ("base URL", "{gateway.base_url}"),
        ("client_id (dashboard: Primary Key)", "{gateway.client_id}"),
        ("secret_id (dashboard: Secret Key)", "{gateway.secret_key}"),
    ),
)
