"""An answer of the sandbox that tells another amount or currency than it did, in the spelling that it uses itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from payproof.contracts import money


def misreported(answer: Response, real: Decimal, known: str, amount: str | None, currency: str | None) -> Response:
    """``answer`` with ``amount`` and ``currency`` wherever it tells the real ones (``real``, ``known``). An answer that is
    not JSON, or tells neither, stays as it is: what was said is judged, never what was meant to be said."""
    try:
        found: Any = json.loads(bytes(answer.body))
    except ValueError:
        return answer
    before = found
    if amount is not None and real > 0:
        found = _other_amount(found, real, Decimal(amount), known, answer.status_code)
    if currency is not None and known:
        found = _replaced(found, lambda value: _recoded(value, known, currency))
    if found == before:
        return answer
    changed = Response(json.dumps(found).encode(), status_code=answer.status_code)
    length = (b"content-length", str(len(changed.body)).encode())
    changed.raw_headers = [pair for pair in answer.raw_headers if pair[0] != b"content-length"] + [length]
    return changed


def _recoded(value: Any, known: str, currency: str) -> str | None:
    """``currency`` in the letter case of a value that is the ``known`` one; None when it is another value."""
    if not isinstance(value, str) or value.upper() != known.upper():
        return None
    return currency.lower() if value.islower() else currency


def _other_amount(body: Any, real: Decimal, amount: Decimal, currency: str, status: int) -> Any:
    """In major units; only where nothing tells those, in the currency's smallest, or in hundredths."""
    for scale in dict.fromkeys((0, money.exponent(currency), 2)):

        def other(value: Any, scale: int = scale) -> Any:
            # The status code may stand in the envelope as a number, and be what the order costs.
            code = value == status and not isinstance(value, str)
            return None if code else _respelt(value, real, amount, scale)

        if (changed := _replaced(body, other)) != body:
            return changed
    return body


def _respelt(value: Any, real: Decimal, amount: Decimal, scale: int) -> Any:
    """``amount`` as this value spells ``real``; None when it spells something else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    plain = value.strip().replace(",", "").replace(" ", "").replace("\u00a0", "") if isinstance(value, str) else value
    if money.parse(plain) != real.scaleb(scale):
        return None
    other = amount.scaleb(scale)
    if isinstance(plain, str):
        return (
            f"{other:.{len(plain.partition('.')[2])}f}"
            if other == other.to_integral() or "." in plain
            else f"{other:f}"
        )
    return float(other) if isinstance(plain, float) else int(other)


def _replaced(value: Any, other: Callable[[Any], Any]) -> Any:
    """The same value with every leaf for which ``other`` knows one replaced."""
    if isinstance(value, dict):
        return {key: _replaced(item, other) for key, item in value.items()}  # pyright: ignore
    if isinstance(value, list):
        return [_replaced(item, other) for item in value]  # pyright: ignore
    new = other(value)
    return value if new is None else new
