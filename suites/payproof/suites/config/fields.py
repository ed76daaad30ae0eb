"""What a value of payproof.toml may be: each kind with its check, and what to say of a wrong one."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from payproof.contracts import money
from payproof.contracts.reading import addresses
from payproof.suites.config import pointers

NOT_ZERO, NOT_EMPTY = "not zero", "not empty"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


def wrong(message: str, remedy: str = "") -> PydanticCustomError:
    """A problem in plain words, with what to do about it."""
    return PydanticCustomError("payproof", "{message}", {"message": message, "remedy": remedy})


def _pointer(*kinds: pointers.Kind) -> AfterValidator:
    def check(value: str) -> str:
        try:
            kind = pointers.split(value).kind
        except ValueError as error:
            raise wrong(str(error)) from None
        if kinds and kind not in kinds:
            raise wrong(f'"{kind}" cannot be used here', f"use one of {', '.join(kinds)}")
        return value

    return AfterValidator(check)


def _like(pattern: str, what: str, remedy: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise wrong(f'"{value}" is not {what}', remedy)
        return value

    return AfterValidator(check)


def _method(value: str) -> str:
    if value.upper() not in METHODS:
        raise wrong(f'"{value}" is not an HTTP method', f"one of {', '.join(METHODS)}")
    return value.upper()


def _visit(value: str) -> str:
    method, _, rest = value.partition(" ")
    if method not in METHODS or not rest.startswith("/"):
        raise wrong(f'"{value}" is not a page to open', 'write "GET /cart/add/1" or "POST /cart sku=1&quantity=2"')
    return value


def _amount(value: str) -> str:
    amount = money.parse(value)
    if amount is None or amount <= 0:
        raise wrong(f'"{value}" is not an amount', 'write it in major units, like "5000.00"')
    return value


def _address(value: str) -> str:
    if "${" in value:
        raise wrong(f'"{value}" takes a part of an address from the environment', "write the address")
    if not re.match(r"https?://[^/\s]+", value):
        raise wrong(f'"{value}" is not an address', "it begins with http:// or https:// and a host")
    return value


def _https(value: str) -> str:
    if "${" in value and not re.fullmatch(r"\$\{\w+\}", value):
        raise wrong(
            f'"{value}" takes a part of an address from the environment',
            "write the address, or one variable that holds the whole of it",
        )
    loopback = re.match(r"http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/|$)", value)
    if "${" in value:
        return value
    if not re.match(r"https://[^/\s]+", value, re.IGNORECASE) and not loopback:
        raise wrong(f'"{value}" is not an https address', "a sandbox is reached over https://")
    try:
        return addresses.plain(value)
    except ValueError as error:
        raise wrong(f'"{value}" cannot be used: {error}', "write the address without it") from None


def _origin(value: str) -> str:
    value = _https(value)
    if "/" in value.partition("://")[2]:
        raise wrong(f'"{value}" has a path', 'name the host alone, like "https://pay.example.com"')
    return value


def _driver(value: str) -> str:
    where, colon, name = value.rpartition(":")
    if not (colon and where and name.isidentifier()):
        raise wrong(f'"{value}" does not name a driver', 'write "drive.py:Shop": a file and the class in it')
    return value


def _flag(value: object) -> object:
    if isinstance(value, str) and value not in (NOT_ZERO, NOT_EMPTY):
        raise wrong(
            f'"{value}" is not how a flag is declared',
            f'write a list of texts, ["{value}"], or "{NOT_ZERO}" or "{NOT_EMPTY}"',
        )
    return value


Flag = Annotated[Literal["not zero", "not empty"] | tuple[str, ...], BeforeValidator(_flag)]
AnyPointer = Annotated[str, _pointer()]
ValuePointer = Annotated[str, _pointer("json", "header", "html", "cookie")]
RedirectPointer = Annotated[str, _pointer("location", "json", "header", "html")]
UrlPath = Annotated[
    str, _like(r"(?s)/.*", "a path", "a path begins with a slash and is asked for below integration.url")
]
ReadyPath = Annotated[
    str, _like(r"(?s)(/.*)?", "a path", "a path begins with a slash; empty: there is no port to ask at")
]
HostName = Annotated[
    str,
    _like(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", "a host's name", 'write the name alone, like "api.gateway.example"'),
]
Method = Annotated[str, AfterValidator(_method)]
Visit = Annotated[str, AfterValidator(_visit)]
Amount = Annotated[str, AfterValidator(_amount)]
Currency = Annotated[str, _like("[A-Z]{3}", "a currency code", 'three capital letters, like "XAF"')]
Fee = Annotated[str, _like(r"\d+(\.\d+)?%?", "a fee", 'write an amount like "150.00" or a share like "1.5%"')]
Span = Annotated[str, _like(r"\d{1,5}[hdw]", "an age", "write a number of hours, days or weeks: 12h, 90d, 8w")]
Address = Annotated[str, AfterValidator(_address)]
HttpsAddress = Annotated[str, AfterValidator(_https)]
Host = Annotated[str, AfterValidator(_origin)]
DriverName = Annotated[str, AfterValidator(_driver)]
