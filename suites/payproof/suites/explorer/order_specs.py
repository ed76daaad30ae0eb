"""Which orders the stories are about, and what the machine that invents stories may do to an integration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from payproof.suites.config import Config
from payproof.suites.explorer.fault_choices import Mishap, mishaps
from payproof.suites.explorer.story import OrderSpec
from payproof.suites.session.settings import settings_of


@dataclass(frozen=True, slots=True)
class Scope:
    """What stories of this integration are made of."""

    wishes: tuple[OrderSpec, ...]
    mishaps: Mapping[str, tuple[Mishap, ...]]
    """By kind: what is likelier is not what has more variants."""
    jumps: tuple[int, ...]
    life: int
    """Seconds that a hosted checkout stays open."""
    restarts: bool
    refuses: bool
    """The gateway has a payer whom it refuses."""
    tokens: bool


def separate(config: Config) -> bool:
    """The shop cannot be told which of a browser's orders is meant."""
    return not settings_of(config).addresses_orders


def scope(config: Config, *, restarts: bool) -> Scope:
    """What the configuration and the gateway's profile allow."""
    profile = config.profile
    return Scope(
        wishes=_wishes(config),
        mishaps=mishaps(profile),
        jumps=(profile.payment_life // 2, profile.payment_life + 1, 2 * profile.payment_life + 100),
        life=profile.payment_life,
        restarts=restarts,
        refuses="refused" in profile.payers,
        tokens=profile.has("authenticate"),
    )


def _wishes(config: Config) -> tuple[OrderSpec, ...]:
    """Two orders of the same price by two customers, and a third by the first of them, in another currency if there is
    one: mixing them up must not go unseen because the amounts agree, nor be seen only because they differ."""
    recipe, tried, money = config.integration.checkout, config.currencies, config.profile.money

    def wish(number: int, customer: str, currency: str, amount: str) -> OrderSpec:
        written = recipe.amount or f"{Decimal(amount):.{money.decimals(currency)}f}"
        return OrderSpec(number, written, currency, customer)

    third = "1234.56" if money.exponent(tried[-1]) >= 2 else "1234"
    return (
        wish(1, "A", tried[0], "5000"),
        wish(2, "B", tried[0], "5000"),
        wish(3, "C" if separate(config) else "A", tried[-1], third),
    )
