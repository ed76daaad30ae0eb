"""A profile: one gateway's contract and behaviour, as data plus two or three functions that read its wire.

Each fact carries its provenance. Nothing outside a gateway's own folder names a field, a path or a status word of it:
checks see ``Meaning``, the customer sees forms through ``HostedRecipe``, the simulator asks for knobs.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from payproof.contracts.checklist import Checklist
from payproof.contracts.entries import Meaning, Request, Response
from payproof.contracts.model import Json, PayproofError

Fields: TypeAlias = tuple[tuple[str, str], ...]
Provenance = Literal["documented", "observed", "client", "framework", "inferred", "memory", "assumed"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact with its weight and where it was found."""

    value: Json
    provenance: Provenance
    source: str
    """Key of a source (Q1, C1, K2 ...) or the number of a choice, see docs/profiles.md."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class WireError:
    """An error answer of the gateway: HTTP status and literal texts."""

    status: int
    texts: tuple[str, ...]
    provenance: Provenance
    source: str
    operations: tuple[str, ...]
    envelope: bool = True
    """False: answered in the framework's own shape, outside the gateway's envelope."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a gateway can do at all; requirements that need a trait do not apply without it."""

    tokens: bool = True
    """Access tokens that expire, got with a client id and a secret."""
    token_is_payment: bool = False
    """The access token is the payment: it must never be shared by two orders."""
    idempotency_key: bool = False
    webhooks: bool = False
    cancel_url_optional: bool = True
    paid_survives_token: bool = True
    """A paid payment can still be looked up after the token that made it has expired."""
    cancel_is_final: bool = False


@dataclass(frozen=True, slots=True)
class Payer:
    """Somebody who can log in at the hosted checkout."""

    login: str
    password: str
    outcome: Literal["paid", "refused", "insufficient", "slow"]
    name: str = ""
    otp: str = "123456"
    """The one-time code that they type when they are asked for one."""


@dataclass(frozen=True, slots=True)
class HostedRecipe:
    """How the customer uses the gateway's hosted checkout by its forms.

    ``fill``: (a form's fields as (name, value) pairs, payer) -> the pairs to send, or None when the form is not one
    that leads to paying. ``cancel``: CSS selector of the link or button that cancels. ``problem``: CSS selector that only a page
    saying "this payment cannot go on" has; its link leads back to the shop.
    """

    fill: Callable[[Fields, Payer], Fields | None]
    cancel: str
    problem: str


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One gateway. ``read`` turns an exchange into its meaning; ``forged_return`` writes the redirect that a customer
    could have forged; the rest is data."""

    name: str
    version: str
    title: str
    checklist: Checklist
    base_path: str
    """Path that the API's base URL ends in."""
    knobs: Mapping[str, Fact]
    """Behaviour that can be set, each with its default and provenance."""
    errors: Mapping[str, WireError]
    currencies: tuple[str, ...]
    default_currency: str
    token_life: int
    """Seconds."""
    payment_life: int
    """Seconds that the hosted checkout stays open."""
    payers: Mapping[str, Payer]
    traits: Traits
    hosted: HostedRecipe
    read: Callable[[Request, Response | None], Meaning]
    payment_of: Callable[[str], str]
    """The payment that a ``payment_url`` belongs to; empty for any other address."""
    forged_return: Callable[..., str]
    """(return_url, payment, transaction, amount, currency, reference) -> the success redirect's full address."""
    read_return: Callable[[str], tuple[Literal["paid", "refused", ""], str, str]]
    """An address that the gateway sends a customer back to -> (outcome, payment, transaction); empty where it tells nothing.
    For the gateway's own redirects only: anybody can write such an address."""
    returned_query: Callable[[str], str]
    """The part of a return address that the gateway added."""
    is_live: Callable[[str, str], bool]
    """(base URL, key) -> whether this is a live gateway or a live key, which payproof refuses."""
    raw_marks: tuple[str, ...] = ()
    """Texts that only the gateway's raw envelope holds; on a customer's page they are a raw API error."""
    contradictions: Mapping[str, str] = field(default_factory=dict[str, str])
    """Requirement -> why the gateway's advice and the gateway disagree, and what is checked instead."""
    faults: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Requirement ``errors.*`` -> names of the profile's own errors that provoke it."""
    settings: tuple[tuple[str, str], ...] = ()
    """(label, placeholder) of what an integration needs to know, for `payproof serve` and `payproof init`."""

    @property
    def operations(self) -> tuple[str, ...]:
        """The calls that every payment needs."""
        return ("token", "create", "status") if self.traits.tokens else ("create", "status")

    def knob(self, name: str) -> Json:
        return self.knobs[name].value


def names() -> tuple[str, ...]:
    """The gateways that have a folder here."""
    import payproof.contracts.gateways as folder

    return tuple(
        sorted(module.name for module in pkgutil.iter_modules(folder.__path__) if not module.name.startswith("_"))
    )


def load(name: str) -> Profile:
    """The profile of that name.

    Raises:
        PayproofError: there is none; the message lists those that exist.
    """
    known = {module.replace("_", "-"): module for module in names()}
    if name not in known:
        raise PayproofError(
            f'unknown gateway "{name}"',
            place='key "gateway"',
            remedy=f"payproof knows: {', '.join(sorted(known))}",
        )
    module = importlib.import_module(f"payproof.contracts.gateways.{known[name]}.profile")
    profile: Profile = module.PROFILE
    return profile
