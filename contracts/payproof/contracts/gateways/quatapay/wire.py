"""Reads the family's v1 wire: what a request asks, what an answer says, what a hosted page's form wants."""

from __future__ import annotations

import base64
import contextlib
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal, cast
from urllib.parse import parse_qs, quote, urlsplit

from payproof.contracts import money
from payproof.contracts.entries import Request, Response, header
from payproof.contracts.events import AnyEvent, Authenticated, Confirmed, Opened, Problem, Unknown
from payproof.contracts.profile import Fields, HostedRecipe, Operation, Payer
from payproof.contracts.reading import addresses, form_data
from payproof.contracts.reading.json_text import table_of

API = ("/pay/sandbox/api/v1", "/pay/api/v1")
PAYMENT_PAGE = "/user/authentication/form/"
OPERATIONS = (
    Operation(name="token", role="authenticate", method="POST", path="/authentication/token"),
    Operation(name="create", role="open", method="POST", path="/payment/create"),
    Operation(name="status", role="confirm", method="GET", path="/payment/status/{payment}"),
)


def operation_of(path: str) -> tuple[str, str]:
    """(operation, payment in the path) of an address; empty for a path that the family does not have."""
    for base in API:
        if path.startswith(base + "/"):
            rest = path[len(base) :].rstrip("/")
            if rest == "/authentication/token":
                return "token", ""
            if rest == "/payment/create":
                return "create", ""
            if rest == "/payment/status":
                return "status", ""
            if rest.startswith("/payment/status/"):
                return "status", rest.rsplit("/", 1)[1]
    return "", ""


def fields_of(request: Request) -> dict[str, Any]:
    """A request's fields, from JSON, from a form or from the query: what a PHP framework would see."""
    query: dict[str, Any] = dict(form_data.pairs(urlsplit(request.url).query))
    body = table_of(request.body)
    if body is None:
        body = dict(form_data.pairs(request.body)) if "=" in request.body else {}
    return {**query, **body}


def read(request: Request, response: Response | None) -> AnyEvent:
    """What an exchange says."""
    return read_answer(_asked(request), response)


def _asked(request: Request) -> AnyEvent:
    operation, payment = operation_of(urlsplit(request.url).path)
    fields = fields_of(request)
    sent = _sent(request, fields)
    if operation == "token":
        return Authenticated(operation=operation, sent=sent)
    if operation == "create":
        return Opened(
            operation=operation,
            sent=sent,
            amount=_amount(fields.get("amount")),
            spelled=_text(fields.get("amount")),
            currency=_text(fields.get("currency")),
            return_url=_text(fields.get("return_url")) or None,
            cancel_url=_text(fields.get("cancel_url")) or None,
            reference=_text(fields.get("custom")),
        )
    if operation == "status":
        return Confirmed(operation=operation, sent=sent, payment=payment or _text(fields.get("token")))
    return Unknown(operation=operation, sent=sent)


def read_answer(asked: AnyEvent, response: Response | None) -> AnyEvent:
    """What the request asked for, and what was answered."""
    if response is None:
        return asked
    common, data = _answer(response)
    if isinstance(asked, Authenticated):
        return replace(asked, **common, issued=_text(data.get("access_token")))
    if isinstance(asked, Opened):
        return replace(asked, **common, payment=_text(data.get("token")), payment_url=_text(data.get("payment_url")))
    if isinstance(asked, Confirmed):
        return replace(asked, **common, **_payment_state(data))
    return replace(asked, **common)


def _sent(request: Request, fields: dict[str, Any]) -> dict[str, str]:
    """The credentials of a request, wherever it carries them."""
    sent = {"client-id": _text(fields.get("client_id")) or "", "secret-key": _text(fields.get("secret_id")) or ""}
    scheme, _, value = header(request.headers, "authorization").partition(" ")
    if scheme.lower() == "bearer":
        sent["access-token"] = value.strip()
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError):
            sent["client-id"], _, sent["secret-key"] = base64.b64decode(value).decode().partition(":")
    return {name: value for name, value in sent.items() if value}


def _answer(response: Response) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what every answer says, the data of a success)."""
    body = table_of(response.body)
    if body is None:
        return {}, {}
    message: Any = body.get("message")
    data: Any = body.get("data")
    texts: list[Any] = []
    if isinstance(message, dict):
        found: Any = cast("dict[str, Any]", message).get("error")
        texts = found if isinstance(found, list) else []  # pyright: ignore[reportUnknownVariableType]
    elif isinstance(message, str):
        texts = [message]
    if response.status != 200 or body.get("type") != "success" or not isinstance(data, dict):
        return {"problems": tuple(Problem(text=str(text)) for text in texts)}, {}
    return {"ok": True}, cast("dict[str, Any]", data)


def _payment_state(data: dict[str, Any]) -> dict[str, Any]:
    """How a payment stands, by the data of a status answer."""
    if not data:
        return {}
    paid = data.get("paid")
    return {
        "paid": paid if isinstance(paid, bool) else data.get("status") == "SUCCESS",
        "outcome": str(data.get("status", "")),
        "transaction": _text(data.get("trx_id")),
        "amount": _amount(data.get("amount")),
        "spelled": _text(data.get("amount")),
        "currency": _text(data.get("currency")),
        "reference": _text(data.get("custom")),
        "answered": _text(data.get("token")),
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _amount(value: object) -> str | None:
    amount = money.parse(value)
    # A hostile "1e999999" must not become a million digits.
    return _text(value) if amount is None or abs(amount.adjusted()) > 40 else f"{amount:f}"


def payment_of(url: str) -> str:
    """The payment that a ``payment_url`` opens."""
    path = urlsplit(url).path
    return path.split(PAYMENT_PAGE, 1)[1].strip("/") if PAYMENT_PAGE in path else ""


def success_query(
    *, payment: str, transaction: str, amount: Decimal | None, reference: str | None, payer: str, email: str
) -> str:
    """The query of the success redirect, brackets percent-encoded (gateway-facts 3.8)."""
    pairs = [
        ("message[code]", "200"),
        ("message[success][0]", "SUCCESS"),
        ("data[token]", payment),
        ("data[trx_id]", transaction),
        ("data[payer][username]", payer),
        ("data[payer][email]", email),
    ]
    if amount is not None:
        pairs.append(("data[amount]", f"{amount:.8f}"))
    if reference is not None:
        pairs.append(("data[custom]", reference))
    return encode([*pairs, ("type", "success")])


def failure_query() -> str:
    """The query of the redirect to return_url when the platform failed while booking (gateway-facts 3.8)."""
    text = "Failed to create payment! Please try again"
    return encode([("message[code]", "500"), ("message[error][0]", text), ("type", "error")])


def encode(pairs: list[tuple[str, str]]) -> str:
    """A query as PHP's http_build_query writes it."""
    return "&".join(f"{quote(key, safe='')}={quote(value, safe='-_.').replace('%20', '+')}" for key, value in pairs)


def join(url: str, query: str, *, raw: bool = False) -> str:
    """``url`` with ``query``; ``raw`` always joins with a question mark, as the family's servers do for some redirects."""
    if not query:
        return url
    return f"{url}{'&' if '?' in url and not raw else '?'}{query}"


def forged_return(
    *, return_url: str, payment: str, transaction: str, amount: Decimal, currency: str, reference: str
) -> str:
    query = success_query(
        payment=payment,
        transaction=transaction,
        amount=amount,
        reference=reference,
        payer="appdevs",
        email="sandbox@appdevs.net",
    )
    return join(return_url, query)


def read_return(url: str) -> tuple[Literal["paid", "refused", ""], str, str]:
    """(outcome, payment, transaction) of one of the gateway's own redirects (gateway-facts 3.8)."""
    kind = query_value(url, "type")
    outcome: Literal["paid", "refused", ""] = "paid" if kind == "success" else "refused" if kind == "error" else ""
    return outcome, query_value(url, "data[token]"), query_value(url, "data[trx_id]")


def returned_query(url: str) -> str:
    """The part of a return address that the gateway added, to be replayed elsewhere."""
    query = urlsplit(url).query
    start = query.find("message%5B")
    return query[start:] if start >= 0 else query


def _fill(form: Fields, payer: Payer) -> Fields | None:
    names = {name for name, _ in form}
    if {"email", "password"} <= names:
        answers = {"email": payer.login, "password": payer.password}
        return tuple((name, answers.get(name, value)) for name, value in form)
    if "code[]" in names:
        digits = iter(payer.otp)  # one field a digit (gateway-facts 3.7)
        return tuple((name, next(digits, "") if name == "code[]" else value) for name, value in form)
    if "trx_type" in names:
        return tuple((name, value or "WALLET" if name == "trx_type" else value) for name, value in form)
    return None


HOSTED = HostedRecipe(
    fill=_fill,
    cancel="[data-cancel], a.cancel, a[href*='?token='], a[href*='&token=']",
    problem="[data-problem], .process-error",
)


SITES = ("quatapay.com",)
_LIVE_KEY = re.compile(r"\b[a-z]{1,12}_live_[A-Za-z0-9]{8,}")
"""``qpay_live_...`` (gateway-facts 5), as most gateways write it. Keys of this wire itself have no documented shape."""
_VERSION = re.compile(r"v\d+")


def is_live(url: str, key: str) -> bool:
    """The live API has no sandbox in its path, at any site of the family (gateway-facts 1); however it is spelled."""
    return bool(_LIVE_KEY.search(key)) or any(map(_live, addresses.readings(url)))


def _live(reading: addresses.Reading) -> bool:
    if any(map(reading.at, SITES)) and "sandbox" not in reading.segments:
        return True
    if reading.host:
        return reading.has("pay", "api")
    # A path alone may be a file's: only what ends here or goes on with a version is the API's.
    names = [segment.casefold() for segment in reading.segments]
    return any(
        names[n : n + 2] == ["pay", "api"] and (len(names) == n + 2 or _VERSION.fullmatch(names[n + 2]))
        for n in range(len(names))
    )


def query_value(url: str, name: str) -> str:
    """One value of an address's query, brackets decoded."""
    return parse_qs(urlsplit(url).query).get(name, [""])[0]
