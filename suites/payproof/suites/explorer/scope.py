"""What stories of an integration are made of: who buys what, which faults may strike, what else may happen to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal

from payproof.contracts.events import VERIFYING, Role
from payproof.contracts.model import Json
from payproof.contracts.profile import Operation, Profile
from payproof.simulator.faults import registered
from payproof.simulator.faults.registry import Kind
from payproof.suites.config import Config
from payproof.suites.explorer.story import OrderSpec
from payproof.suites.session.settings import settings_of

HOLDING = frozenset({"never-answer", "stall", "endless", "silent", "tls-silence"})
"""Faults that hold a call, or a connection, until they are cleared. A story waits ``HELD`` seconds and then cuts the call off."""
HELD = 0.15
LATER = 1
"""Seconds that a rate limit asks for."""

_PARAMS: Mapping[str, tuple[dict[str, Json], ...]] = {
    "delay": ({"seconds": 0.2},),
    "drip": ({"seconds": 0.0},),
    "drip-headers": ({"seconds": 0.0},),
    "stall": ({}, {"keep": 0.5}),
    "tls-silence": ({}, {"keep": 0.5}),
    "rate-limit": ({"seconds": LATER},),
    "status": ({"status": 500}, {"status": 503}),
    "cut": ({"keep": 0.5}, {"keep": 0.97}),
}
_ONLY: Mapping[str, tuple[Role, ...]] = {"other-payment": VERIFYING, "unauthorized": ("open", *VERIFYING)}
"""Faults that only calls of some roles can meet."""
_BEFORE: tuple[Kind, ...] = ("connection", "handshake")
"""Kinds that act before a request is read. One of the port itself would shut out the customers, too."""


@dataclass(frozen=True, slots=True)
class Mishap:
    """One fault on one operation, or (``operation`` empty) before anybody knows which."""

    operation: str
    name: str
    params: tuple[tuple[str, Json], ...] = ()
    effect: bool = False
    """The call changes something at the gateway, whether its answer arrives or not."""


def mishaps(profile: Profile) -> Mapping[str, tuple[Mishap, ...]]:
    """Every mishap that a story may contain, by operation and name ("status dropped", "connection silent")."""
    found: dict[str, list[Mishap]] = {}
    for operation in sorted(profile.operations, key=lambda operation: operation.name):
        for mishap in _of(operation, profile):
            found.setdefault(f"{operation.name} {mishap.name}", []).append(mishap)
    for kind in _BEFORE:
        for name in registered(kind):
            found[f"{kind} {name}"] = [Mishap("", name, tuple(params.items())) for params in _PARAMS.get(name, ({},))]
    return {kind: tuple(variants) for kind, variants in found.items()}


def _of(operation: Operation, profile: Profile) -> Iterator[Mishap]:
    effect = operation.role in ("open", "settle")
    for name, cls in registered("call").items():
        if operation.role not in _ONLY.get(name, (operation.role,)):
            continue
        if "error" in {field.name for field in fields(cls)}:
            errors = _errors(operation, profile)
            yield from (Mishap(operation.name, name, (("error", error),), effect) for error in errors)
        else:
            choices = _PARAMS.get(name, ({},))
            yield from (Mishap(operation.name, name, tuple(params.items()), effect) for params in choices)


def _errors(operation: Operation, profile: Profile) -> Iterator[str]:
    """The gateway's own errors. "There is no such payment" would be a lie about money, which nobody can see through."""
    for name, error in profile.errors.items():
        if operation.name in error.operations and not (operation.role in VERIFYING and error.status == 404):
            yield name


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
    later: int = 0
    """Seconds until money comes that was promised; 0: there is no such thing."""


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
        later=profile.traits.decides_later,
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
