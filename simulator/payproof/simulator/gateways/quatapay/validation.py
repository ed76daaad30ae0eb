"""Which of the profile's errors a create call's fields deserve, all of them together (gateway-facts 3.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from payproof.contracts.model import Json

_NUMERIC = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_NO_URL = re.compile(r"[\s<>\"]")
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(:\d+)?(/[!#-;=?-Z_a-z~]*)?")
"""What most addresses look like, and needs no closer look."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
LARGEST = Decimal(10) ** 20
"""Amounts live in a DECIMAL(28,8) column; more than that is a storage error."""


def missing(value: object) -> bool:
    """What the framework's rule "required" takes for nothing; texts are trimmed and empty ones null before."""
    return value is None or (isinstance(value, list | dict) and not value)


def number(value: object) -> Decimal | None:
    """What PHP's is_numeric takes for a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value)
    return Decimal(text) if _NUMERIC.fullmatch(text) else None


def problems(
    fields: Mapping[str, Any], amount: Decimal | None, knobs: Mapping[str, Json], currencies: tuple[str, ...]
) -> list[str]:
    """Names of the profile's errors, in the order of the fields; empty when the call may go on. ``amount``: the field's ``number``."""
    return [
        *_amount(fields.get("amount"), amount, knobs),
        *_currency(fields.get("currency"), currencies, exact=bool(knobs["currency_case"])),
        *_url("return-url", fields.get("return_url"), required=True, https=bool(knobs["refuse_http_urls"])),
        *_url(
            "cancel-url", fields.get("cancel_url"),
            required=bool(knobs["cancel_url_required"]), https=bool(knobs["refuse_http_urls"]),
        ),
        *_custom(fields.get("custom")),
    ]  # fmt: skip


def _amount(value: object, found: Decimal | None, knobs: Mapping[str, Json]) -> Iterator[str]:
    if missing(value):
        yield "amount-required"
        return
    if knobs["amount_must_be_string"] and not isinstance(value, str):
        yield "amount-string"
    if found is None:
        yield "amount-number"
    elif found <= 0:
        yield "amount-positive"
    elif knobs["strict_decimals"] and found < LARGEST and found != round(found, 2):
        yield "amount-decimals"


def _currency(value: object, currencies: tuple[str, ...], *, exact: bool) -> Iterator[str]:
    if missing(value):
        yield "currency-required"
        return
    if not isinstance(value, str):
        yield "currency-string"
    elif (
        value if exact else value.upper()
    ) not in currencies:  # the framework looks nothing up for a field that failed
        yield "currency"


def _url(name: str, value: object, *, required: bool, https: bool) -> Iterator[str]:
    if required and missing(value):
        yield f"{name}-required"
        return
    if value is None:
        return
    if not isinstance(value, str):
        yield f"{name}-string"
    if not isinstance(value, str) or not _is_url(value):
        yield name
    elif https and not value.startswith("https://") and urlsplit(value).hostname not in _LOOPBACK:
        yield f"insecure-{name}"


def _is_url(text: str) -> bool:
    if _PLAIN_URL.fullmatch(text):
        return True
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not _NO_URL.search(text)
    except ValueError:
        return False


def _custom(value: object) -> Iterator[str]:
    if value is not None and not isinstance(value, str):
        yield "custom-string"
    elif isinstance(value, str) and len(value) > 255:
        yield "custom-length"
