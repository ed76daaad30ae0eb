"""What the gateway's books hold: merchants, access tokens, payments. The store alone changes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Money, Payer, Profile
from payproof.simulator.clock import Clock

CLIENT_ID, SECRET_KEY = "client-id", "secret-key"
_OF_A_PAYMENT, _OF_A_TOKEN = 900, 400
"""Bytes that a row takes besides its longer texts, about."""
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Merchant:
    """A merchant as the integration is told about it. ``credentials``: by the names that the profile declares."""

    name: str
    credentials: Mapping[str, str]

    @property
    def client_id(self) -> str:
        """What tells merchants apart: the client id, or the merchant's name on gateways without one."""
        return self.credentials.get(CLIENT_ID, self.name)

    @property
    def secret_key(self) -> str:
        return self.credentials.get(SECRET_KEY, "")

    def plain(self) -> dict[str, str]:
        """For JSON: the name, and every credential under its name."""
        return {"name": self.name, **{name.replace("-", "_"): value for name, value in self.credentials.items()}}


def named(profile: Profile, given: Mapping[str, str]) -> dict[str, str]:
    """Credential -> value, where ``given`` calls the credentials by their placeholders (``webhook_secret``).

    Raises:
        PayproofError: the gateway has no such credential.
    """
    known = {each.placeholder: each.name for each in profile.credentials}
    for placeholder in given:
        if placeholder not in known:
            raise PayproofError(
                f"{profile.title} has no {placeholder.replace('_', ' ')}", place=placeholder,
                remedy=f"leave it out; it has {', '.join(known)}",
            )  # fmt: skip
    return {known[placeholder]: value for placeholder, value in given.items() if value}


def gateway_values(profile: Profile, merchant: Merchant) -> dict[str, str]:
    """Placeholder -> value of each credential that the integration is told (``gateway.secret_key``)."""
    return {f"gateway.{each.placeholder}": merchant.credentials.get(each.name, "") for each in profile.credentials}


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentView:
    """A payment as it stands now. ``amount``: decimal text in major units. ``charged``: how often money was taken."""

    payment: str
    transaction: str
    status: str
    amount: str
    currency: str
    reference: str
    return_url: str
    cancel_url: str
    paid: bool
    merchant: str
    charged: int


@dataclass(slots=True)
class MerchantRow:
    name: str
    credentials: dict[str, str]
    revoked: bool = False
    """Its secret is no longer good."""
    gone: bool = False
    """The keys exist, the merchant behind them does not."""
    former: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])
    """Credential -> its values that were replaced, and when by the gateway's clock; some gateways honour them for a while."""

    def value(self) -> Merchant:
        return Merchant(self.name, dict(self.credentials))

    def good(self, credential: str, grace: int, clock: Clock) -> tuple[str, ...]:
        """The values of a credential that are good now, the newest first; one that was replaced is for ``grace`` seconds more."""
        former = reversed(self.former.get(credential, {}).items())
        still = [value for value, since in former if clock.now() - since < grace]
        return (self.credentials[credential], *still)

    @property
    def client_id(self) -> str:
        return self.value().client_id

    @property
    def secret_key(self) -> str:
        return self.credentials.get(SECRET_KEY, "")


@dataclass(slots=True)
class Token:
    value: str
    merchant: MerchantRow
    issued: float
    payment: str
    """Id of the payment that this token is, on gateways where a token is a payment."""
    revoked: bool = False

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        return _OF_A_TOKEN + len(self.value)


@dataclass(slots=True, kw_only=True)
class Payment:
    """``status`` is the gateway's own word. ``opened``: the clock's time that the payment's life counts from."""

    payment: str
    merchant: MerchantRow
    status: str
    amount: Decimal
    currency: str
    reference: str | None
    return_url: str
    cancel_url: str | None
    opened: float
    transaction: str = ""
    charged: int = 0
    given_back: Decimal = Decimal(0)
    payer: Payer | None = None
    purged: bool = False
    told_amount: str | None = None
    """What status answers say instead of the truth."""
    told_currency: str | None = None
    page: str = ""
    """What ``Profile.payment_of`` reads off the address of its hosted page, where that is not the payment's id."""
    extra: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    """Whatever else a dialect keeps about a payment."""

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        return _OF_A_PAYMENT + len(self.return_url) + len(self.cancel_url or "") + len(self.reference or "")

    def forged(self, profile: Profile, transaction: str) -> str:
        """The success redirect that a customer could type by hand."""
        return profile.forged_return(
            return_url=self.return_url, payment=self.payment, transaction=transaction, amount=self.amount,
            currency=self.currency, reference=self.reference or "",
        )  # fmt: skip

    @property
    def paid(self) -> bool:
        return self.charged > 0

    def view(self, money: Money) -> PaymentView:
        return PaymentView(
            payment=self.payment, transaction=self.transaction, status=self.status,
            amount=money.text(self.amount, self.currency), currency=self.currency, reference=self.reference or "",
            return_url=self.return_url, cancel_url=self.cancel_url or "", paid=self.paid, merchant=self.merchant.name,
            charged=self.charged,
        )  # fmt: skip
