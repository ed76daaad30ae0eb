"""Amounts as decimals in major units, and how people and gateways write them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

# ISO 4217 minor units that are not 2, for the currencies that gateways of this kind trade in.
_EXPONENTS = {"XAF": 0, "XOF": 0, "JPY": 0, "KRW": 0, "RWF": 0, "UGX": 0, "GNF": 0, "KWD": 3, "BHD": 3, "TND": 3}

_DIGITS, _LONGEST, _LARGEST = 30, 64, 10**22
"""Digits and decimals of an amount, characters of its text, and what no amount reaches."""


def exponent(currency: str) -> int:
    """Number of decimals of a currency (ISO 4217)."""
    return _EXPONENTS.get(currency.upper(), 2)


def parse(value: object) -> Decimal | None:
    """The amount that a wire value means, or None when it means none. Booleans, infinities and NaN mean none, and so does a number
    that nobody pays: "1e999999999" would be written with a billion digits."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    if (isinstance(value, int) and abs(value) >= _LARGEST) or (isinstance(value, str) and len(value) > _LONGEST):
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    if not amount.is_finite():
        return None
    _, digits, exponent = amount.as_tuple()
    small = len(digits) <= _DIGITS and isinstance(exponent, int) and abs(exponent) <= _DIGITS
    return amount if small and abs(amount) < _LARGEST else None


def show(amount: Decimal | str, currency: str, decimals: int | None = None) -> str:
    """``5,000.00 XAF``: for people. ``decimals``: how many are shown at least; None: as many as are written."""
    value = parse(amount)
    if value is None:
        return f"{amount} {currency}"
    shown = _places(value) if decimals is None else max(decimals, _places(value.normalize()))
    return f"{value:,.{shown}f} {currency}"


def text(amount: Decimal, decimals: int) -> str:
    """``5000.00``: for files. With at least so many decimals, and more where the amount has them."""
    return f"{amount:.{max(decimals, _places(amount.normalize()))}f}"


def _places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def spellings(amount: Decimal, currency: str) -> tuple[str, ...]:
    """How a log line may write the amount: 5000.00, 5000.0, 5000, 5,000.00, 5 000, 500000 (minor units) ..."""
    plain = amount.normalize()
    whole = f"{plain:f}"
    two = f"{amount:.2f}"
    minor = f"{amount.scaleb(exponent(currency)).normalize():f}"
    cents = f"{amount.scaleb(2).normalize():f}"
    grouped = {f"{amount:,.2f}", f"{plain:,f}"}
    groups = {g.replace(",", s) for g in grouped for s in (",", " ", "\u00a0", "\u202f", ".", "'")}
    return tuple(
        sorted(
            {whole, two, f"{amount:.1f}" if amount == amount.quantize(Decimal("0.1")) else two, minor, cents} | groups
        )
    )
