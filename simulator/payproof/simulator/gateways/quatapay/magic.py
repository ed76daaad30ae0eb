"""Magic values: outcomes that a shop's own checkout can ask for, without the control port.

A directive is written into the custom field (``order-17 payproof:pay=refused``) or stands for an amount.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from payproof.contracts.profile import Profile

DIRECTIVES: Mapping[str, str] = {
    "error": "create answers this error of the profile (payproof:error=currency)",
    "status": "create answers this HTTP status in the error envelope (payproof:status=500)",
    "html": "create answers this HTTP status with an HTML page (payproof:html=502)",
    "pay": "whoever pays ends like this payer: refused, insufficient, slow (payproof:pay=refused)",
    "check": "status checks answer this HTTP status in the error envelope (payproof:check=500)",
}

AMOUNTS: Mapping[str, tuple[str, str]] = {
    "4.01": ("error", "missing-parameters"),
    "4.02": ("pay", "refused"),
    "4.03": ("error", "invalid-token"),
    "4.05": ("pay", "insufficient"),
    "4.08": ("pay", "slow"),
    "4.29": ("error", "rate-limit"),
    "5.01": ("error", "create-storage"),
    "5.02": ("html", "502"),
    "5.03": ("check", "500"),
}

_DIRECTIVE = re.compile(rf"payproof:({'|'.join(DIRECTIVES)})=([\w-]+)")


def directive(amount: Decimal, custom: str | None) -> tuple[str, str]:
    """What a create call asks for: a directive and its value, empty when nothing."""
    if custom and (found := _DIRECTIVE.search(custom)):
        return found.group(1), found.group(2)
    return AMOUNTS.get(f"{amount:f}", ("", ""))


def status(value: str) -> int | None:
    """The HTTP status that a directive names; None for what is none, or allows no body."""
    number = int(value) if value.isascii() and value.isdigit() and len(value) == 3 else 0
    return number if 200 <= number <= 599 and number not in (204, 205, 304) else None


def table(profile: Profile) -> tuple[tuple[str, str], ...]:
    """Every magic value of a profile with what it does, for the documentation."""
    rows = [('currency "XTS"', "create answers that the currency is invalid")]
    rows += [(f'amount "{amount}"', f"as payproof:{name}={value}") for amount, (name, value) in AMOUNTS.items()]
    rows += [(f"custom with payproof:{name}=…", text) for name, text in DIRECTIVES.items()]
    for payer in profile.payers.values():
        rows.append((f"customer {payer.login}", f"password {payer.password}: {payer.outcome}"))
    return tuple(rows)
