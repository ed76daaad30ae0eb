"""QuataPay's published best practices (developer/best-practices, v1): sixteen guidelines and the go-live list."""

from payproof.contracts.checklist import Checklist, Item

_FLOW = tuple(
    "flow.success flow.cancelled flow.failed flow.network-error flow.recovers flow.late-success flow.slow-success "
    "flow.abandoned amount.sent currency.sent".split()
)

CHECKLIST = Checklist(
    source="QuataPay developer documentation, Best Practices",
    golive=(
        Item(
            "G1",
            "credentials-in-environment",
            "Credentials in the environment",
            "Client id and secret key come from environment variables, not from the code.",
            items=("1", "5"),
        ),
        Item(
            "G2",
            "token-is-cached",
            "Access token cached",
            "The access token is kept for its life, renewed when the gateway refuses it, and asked for once.",
            items=("6", "7"),
        ),
        Item(
            "G3",
            "verified-from-server",
            "Payment verified from the server",
            "An order is paid when the gateway says so to the server, never because a redirect does.",
            items=("3",),
        ),
        Item(
            "G4",
            "urls-are-https",
            "return_url and cancel_url are HTTPS",
            "Every API call and both redirect addresses use HTTPS.",
            items=("2",),
        ),
        Item(
            "G5",
            "flows-tested-end-to-end",
            "All payment flows tested end to end",
            "Success, cancel, refusal, network error and error answers each end as they should.",
            items=("13", "14"),
        ),
        Item(
            "G6",
            "friendly-errors",
            "Friendly error messages, no raw API errors",
            "A customer never reads the gateway's error text, a stack trace or a library's message.",
            requirements=("errors.friendly",),
        ),
        Item(
            "G7",
            "duplicate-protection",
            "Duplicate order protection",
            "Going back, retrying and double clicks neither charge nor deliver twice.",
            items=("11",),
        ),
    ),
    guidelines=(
        Item(
            "1",
            "credentials-server-side",
            "Credentials stay on the server",
            "Client id and secret key never reach front-end code, apps or public repositories.",
            ("credentials.not-served", "credentials.not-in-frontend-source"),
        ),
        Item(
            "2",
            "https-everywhere",
            "HTTPS everywhere",
            "API calls, return_url and cancel_url use HTTPS.",
            ("https.return-url", "https.cancel-url", "https.api", "https.certificate-verified"),
        ),
        Item(
            "3",
            "verify-server-side",
            "Verify on the server",
            "After the return, ask the gateway; the redirect's parameters prove nothing.",
            (
                "verify.status-checked",
                "verify.forged-return",
                "verify.failed-return",
                "verify.other-payment",
                "verify.amount",
                "verify.currency",
                "verify.unreachable",
            ),
        ),
        Item(
            "4",
            "rotate-credentials",
            "Credentials can be rotated",
            "A compromised secret can be replaced.",
            ("credentials.rotation", "credentials.revoked"),
        ),
        Item(
            "5",
            "environment-variables",
            "Credentials from the environment",
            "Credentials come from the environment.",
            ("credentials.from-environment", "credentials.not-in-source"),
        ),
        Item("6", "token-cached", "Cache the access token", "No new token for every call.", ("token.cached",)),
        Item(
            "7",
            "token-expiry",
            "Handle token expiry",
            "On 401: authenticate again and retry the request once.",
            ("token.renewed", "token.retried-once", "token.no-stampede"),
        ),
        Item(
            "8",
            "tokens-not-logged",
            "Tokens stay out of the logs",
            "Authorization values are never logged.",
            ("logs.no-access-token", "logs.no-secret-key"),
        ),
        Item(
            "9",
            "custom-field",
            "The order's id travels in custom",
            "custom carries the merchant's order id.",
            ("custom.order-id", "custom.distinct"),
        ),
        Item(
            "10",
            "timeouts",
            "Timeouts",
            "API calls are given up after 30 seconds.",
            ("timeout.response", "timeout.connect", "timeout.drip"),
        ),
        Item(
            "11",
            "idempotency",
            "No duplicate orders",
            "Going back and retrying make no duplicate orders.",
            (
                "idempotency.double-submit",
                "idempotency.back-and-retry",
                "idempotency.paid-order",
                "idempotency.return-twice",
                "idempotency.lost-answer",
            ),
        ),
        Item(
            "12",
            "interactions-logged",
            "Interactions are logged",
            "Requests (without secrets) and full responses are logged.",
            ("logs.requests", "logs.responses"),
        ),
        Item("13", "flows-tested", "Flows are tested", "Success, cancel and network error.", _FLOW),
        Item(
            "14",
            "errors-tested",
            "Errors are tested",
            "Invalid token, wrong currency, missing parameter.",
            (
                "errors.invalid-token",
                "errors.currency",
                "errors.missing-parameter",
                "errors.server-error",
                "errors.not-json",
                "errors.rate-limit",
            ),
        ),
        Item(
            "15",
            "manual-testing",
            "Endpoints can be tried by hand",
            "Each endpoint can be tried by Postman or cURL.",
            ("manual.exported",),
        ),
        Item(
            "16",
            "monitoring",
            "Monitoring",
            "Alerts on payment errors and failed verifications.",
            ("alerts.payment-error", "alerts.failed-verification"),
        ),
    ),
)
