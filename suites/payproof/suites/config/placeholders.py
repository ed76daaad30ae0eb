"""Placeholders in configuration texts: ``{port}``, ``{order.id}``, ``{order.amount:minor}``.

``{{`` stands for one brace, and in a text that has one, ``}}`` does too. Braces around anything that is not a name are
left alone, so a JSON text needs no escaping.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from difflib import get_close_matches

from payproof.contracts import money
from payproof.contracts.model import Json, PayproofError

INSTANCE = ("port", "public_url", "instance.dir")
ORDER = ("order.id", "order.amount", "order.currency")
REFUND = (*ORDER, "refund.amount")
GATEWAY = ("gateway.base_url", "gateway.url")
"""Those of every gateway; each credential of its profile has one beside."""
FORMATS = ("number", "minor")

_NAME = r"\{(?P<name>[A-Za-z_][A-Za-z0-9_.]*)(?::(?P<format>[a-z]*))?\}"
_PLAIN = re.compile(_NAME)
_ESCAPED = re.compile(r"\{\{|\}\}|" + _NAME)


def fill(text: str, values: Mapping[str, str], place: str = "") -> str:
    """``text`` with each placeholder replaced by its value.

    Raises:
        PayproofError: a placeholder that ``values`` does not have; the message suggests the nearest.
    """

    def value(match: re.Match[str]) -> str:
        if match["name"] is None:
            return match[0][0]
        return str(_value(match, values, place))

    return _pattern(text).sub(value, text)


def fill_each(texts: Mapping[str, str], values: Mapping[str, str], place: str = "") -> dict[str, str]:
    """Headers, or the fields of a form, each text filled."""
    return {name: fill(text, values, place) for name, text in texts.items()}


def fill_json(data: Json, values: Mapping[str, str], place: str = "") -> Json:
    """``data`` with every text in it filled, keys too. A text that is nothing but ``{order.amount:number}`` (or
    ``:minor``) becomes a JSON number."""
    if isinstance(data, str):
        whole = _PLAIN.fullmatch(data)
        return _value(whole, values, place) if whole else fill(data, values, place)
    if isinstance(data, list):
        return [fill_json(item, values, place) for item in data]
    if isinstance(data, dict):
        return {fill(key, values, place): fill_json(item, values, place) for key, item in data.items()}
    return data


def names(text: str) -> Iterator[str]:
    """The placeholders of a text."""
    return (match["name"] for match in _pattern(text).finditer(text) if match["name"])


def unknown(name: str, known: Collection[str]) -> tuple[str, str]:
    """(message, remedy) for a placeholder that does not exist here."""
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = (
        f'did you mean "{{{near[0]}}}"?' if near else f"known here: {' '.join(f'{{{each}}}' for each in sorted(known))}"
    )
    return f'unknown placeholder "{{{name}}}"', f"{hint} (a literal brace is written {{{{)"


def _pattern(text: str) -> re.Pattern[str]:
    return _ESCAPED if "{{" in text else _PLAIN


def _value(match: re.Match[str], values: Mapping[str, str], place: str) -> str | int | float:
    name, form = match["name"], match["format"]
    if name not in values:
        message, remedy = unknown(name, values)
        raise PayproofError(message, place=place, remedy=remedy)
    return values[name] if form is None else _number(name, form, values, place)


def _number(name: str, form: str, values: Mapping[str, str], place: str) -> int | float:
    amount = money.parse(values[name])
    if form not in FORMATS or amount is None:
        raise PayproofError(
            f'"{{{name}:{form}}}" cannot be written as a number',
            place=place,
            remedy="use {order.amount:number} (a number) or {order.amount:minor} (an integer in minor units)",
        )
    if form == "minor":
        amount = (amount * Decimal(10) ** money.exponent(values.get("order.currency", ""))).to_integral_value()
    return int(amount) if amount == amount.to_integral_value() else float(amount)
