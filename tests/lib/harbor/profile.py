"""What Harbor's wire says, and what Harbor declares."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any, Literal, cast
from urllib.parse import parse_qs, urlsplit

from payproof.contracts.checklist import Checklist, Item
from payproof.contracts.entries import Request, Response, header
from payproof.contracts.events import (
    AnyEvent,
    Authenticated,
    Confirmed,
    Notified,
    Opened,
    Problem,
    Refunded,
    Settled,
    Unknown,
)
from payproof.contracts.judging.requirements import requirements
from payproof.contracts.profile import (
    Credential,
    Fact,
    Fields,
    HostedRecipe,
    Idempotency,
    Limits,
    Money,
    Notices,
    Operation,
    Origin,
    Payer,
    Profile,
    Traits,
    WireError,
)

MONEY = Money(spelling="integer", exponents={"TND": 3})
OPERATIONS = (
    Operation(name="grant", role="authenticate", method="POST", path="/oauth/token"),
    Operation(name="order", role="open", method="POST", path="/orders"),
    Operation(name="look", role="confirm", method="GET", path="/orders/{payment}"),
    Operation(name="take", role="settle", method="POST", path="/orders/{payment}/taking"),
    Operation(name="return", role="refund", method="POST", path="/orders/{payment}/returns"),
)


def minor(amount: Decimal, currency: str) -> int:
    return int(amount.scaleb(MONEY.exponent(currency)))


def _major(total: Any) -> dict[str, Any]:
    total = _table(total)
    whole = total.get("minor")
    whole = int(whole) if isinstance(whole, float) and whole.is_integer() else whole
    if not isinstance(whole, int):
        return {}
    code = str(total.get("code", ""))
    return {"amount": f"{Decimal(whole).scaleb(-MONEY.exponent(code)):f}", "spelled": str(whole), "currency": code}


def _object(text: str) -> dict[str, Any]:
    try:
        return _table(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _table(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def read(request: Request, response: Response | None) -> AnyEvent:
    path = urlsplit(request.url).path.rstrip("/")
    asked, answer = _object(request.body), _object(response.body) if response else {}
    common: dict[str, Any] = {
        "sent": _sent(header(request.headers, "authorization")),
        "idempotency_key": header(request.headers, "harbor-key") or None,
        "ok": response is not None and response.status < 300 and bool(answer),
    }
    if fault := _table(answer.get("fault")):
        problem = Problem(
            text=str(fault.get("note", "")), name=str(fault.get("code", "")), field=str(fault.get("at", ""))
        )
        common["problems"] = (problem,)
    if path == "/oauth/token":
        return Authenticated(operation="grant", **common, issued=answer.get("access_token"))
    if path == "/orders" and request.method == "POST":
        order = _table(asked.get("order"))
        links = {link.get("rel"): link.get("href") for link in map(_table, answer.get("links", ()))}
        return Opened(
            operation="order", **common, **_major(order.get("total")), reference=_text(order.get("ref")), return_url=_text(asked.get("back")),
            cancel_url=_text(asked.get("abort")), payment=answer.get("id"), payment_url=links.get("pay"),
        )  # fmt: skip
    parts = path.split("/")
    if parts[1:2] == ["orders"] and len(parts) in (3, 4):
        taking = _table(answer.get("taking"))
        state: dict[str, Any] = {} if "id" not in answer else {
            **_major(answer.get("total")), "answered": answer["id"], "reference": answer.get("ref"), "transaction": taking.get("id"),
            "paid": taking.get("state") == "taken", "outcome": str(taking.get("state") or answer.get("state", "")),
        }  # fmt: skip
        if parts[3:] == ["taking"]:
            return Settled(operation="take", **common, payment=parts[2], **state)
        if parts[3:] == ["returns"]:
            back = _major(asked.get("total"))
            return Refunded(operation="return", **common, payment=parts[2], **back, refund=_text(answer.get("return")))
        if len(parts) == 3:
            return Confirmed(operation="look", **common, payment=parts[2], **state)
    return Unknown(**common)


def _sent(authorization: str) -> dict[str, str]:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return {"access-token": value.strip()}
    try:
        name, _, secret = base64.b64decode(value).decode().partition(":")
    except ValueError:
        return {}
    return {"client-id": name, "secret-key": secret} if scheme.lower() == "basic" else {}


def sign(secrets: tuple[str, ...], body: bytes, at: int) -> Fields:
    macs = (hmac.new(each.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest() for each in secrets)
    return (("Content-Type", "application/json"), ("Harbor-Sign", ";".join((f"t={at}", *(f"h={mac}" for mac in macs)))))


def other_mode(body: bytes) -> bytes:
    return json.dumps(_object(body.decode()) | {"trial": False}).encode()


def read_notice(headers: Fields, body: bytes) -> Notified:
    notice = _object(body.decode("utf-8", "replace"))
    order = _table(notice.get("order"))
    about = {name: value for name, value in _major(order.get("total")).items() if name != "spelled"}
    paid = notice.get("kind") == "order.taken"
    return Notified(
        event=str(notice.get("kind", "")),
        id=str(notice.get("nr", "")),
        payment=str(order.get("id", "")),
        paid=paid,
        **about,
    )


def forged_return(*, return_url: str, payment: str, **_: object) -> str:
    return f"{return_url}{'&' if '?' in return_url else '?'}harbor={payment}"


def read_return(url: str) -> tuple[Literal["paid", "refused", ""], str, str]:
    return "", parse_qs(urlsplit(url).query).get("harbor", [""])[0], ""


def _fill(form: Fields, payer: Payer) -> Fields | None:
    answers = {"who": payer.login, "pin": payer.password}
    known = answers.keys() <= {name for name, _ in form}
    return tuple((name, answers.get(name, value)) for name, value in form) if known else None


def _error(status: int, name: str, *operations: str, field: str = "") -> WireError:
    return WireError(status, (f"Harbor: {name}",), "assumed", "invented", operations, name=name, field=field)


NOT_HERE = {"verify.failed-return", "contract.request"}
PROFILE = Profile(
    name="harbor",
    version="1",
    title="Harbor, an invented gateway",
    dialect="harbor.dialect",
    checklist=Checklist(
        source="invented",
        golive=(Item("A", "all", "All of it", "Everything that holds on every gateway.", items=("1",)),),
        guidelines=(
            Item("1", "everything", "Everything", "Everything.", tuple(sorted(requirements().keys() - NOT_HERE))),
        ),
    ),
    origins=(Origin(name="api"), Origin(name="checkout", host="pay")),
    operations=OPERATIONS,
    credentials=(
        Credential(name="client-id", kind="id", placeholder="client_id", travels="basic"),
        Credential(name="secret-key", kind="secret", placeholder="secret_key", travels="basic"),
        Credential(
            name="notice-secret", kind="webhook-secret", placeholder="notice_secret", travels="never", grace=86_400
        ),
    ),
    money=MONEY,
    limits=Limits(call=10.0, connect=4.0, whole=20.0, notice=5.0, attempts=3, pause=0.3),
    idempotency=Idempotency(header="Harbor-Key"),
    notices=Notices(sign=sign, read=read_notice, retries=(10, 60, 600), tolerance=300, other_mode=other_mode),
    knobs={"life": Fact(1800, "assumed", "invented", "seconds of an access token")},
    errors={
        "bad-client": _error(401, "bad_client", "grant"),
        "token-ended": _error(401, "token_ended", "order", "look", "take"),
        "no-token": _error(403, "no_token", "order", "look", "take"),
        "total": _error(422, "total", "order", field="/order/total/minor"),
        "currency": _error(422, "currency_unknown", "order", field="/order/total/code"),
        "missing": _error(422, "missing", "order", field="/order"),
        "broken": _error(500, "broken", "grant", "order", "look", "take"),
        "too-many": _error(429, "too_many", "grant", "order", "look", "take"),
        "unknown-order": _error(404, "unknown_order", "look", "take"),
        "not-approved": _error(409, "not_approved", "take"),
        "funds": _error(402, "funds", "take"),
    },
    currencies=("EUR", "JPY", "TND"),
    default_currency="EUR",
    token_life=1800,
    payment_life=3600,
    payers={
        "paid": Payer("ada@harbor.test", "1234", "paid"),
        "refused": Payer("rob@harbor.test", "1234", "refused"),
        "insufficient": Payer("ina@harbor.test", "1234", "insufficient"),
        "slow": Payer("sam@harbor.test", "1234", "slow"),
    },
    traits=Traits(settles=True, returns_after_failure=False),
    hosted=HostedRecipe(fill=_fill, cancel="a.abort", problem=".ended"),
    read=read,
    payment_of=lambda url: urlsplit(url).path.removeprefix("/p/") if urlsplit(url).path.startswith("/p/") else "",
    forged_return=forged_return,
    read_return=read_return,
    returned_query=lambda url: f"harbor={read_return(url)[1]}",
    is_live=lambda url, key: (urlsplit(url).hostname or "").endswith("harbor.example"),
    request_id="Harbor-Call",
    raw_marks=('{"fault":',),
    faults={
        "errors.invalid-token": ("no-token",),
        "errors.currency": ("currency",),
        "errors.missing-parameter": ("missing", "bad-client"),
        "errors.server-error": ("broken",),
    },
    settings=(
        ("base URL", "{gateway.base_url}"),
        ("client", "{gateway.client_id}"),
        ("secret", "{gateway.secret_key}"),
    ),
)
