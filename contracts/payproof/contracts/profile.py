"""A profile: one gateway's contract and behaviour, as data (``profile_parts``) plus a few functions that read its wire.

Each fact carries its provenance. Nothing outside a gateway's own folder names a field, a path or a status word of it: the
core asks by role and trait, checks see events, the customer sees forms through ``HostedRecipe``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import Literal

from payproof.contracts.checklist import Checklist
from payproof.contracts.entries import Request, Response
from payproof.contracts.events import ROLES, VERIFICATION, VERIFYING, AnyEvent, Role
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.profile_parts import (
    Credential,
    Fact,
    Fields,
    HostedRecipe,
    Idempotency,
    Limits,
    Money,
    Notices,
    Operation,
    Origin,
    Payer,
    Provenance,
    Traits,
    WireError,
)

__all__ = [
    "ENTRY_POINTS",
    "Credential",
    "Fact",
    "Fields",
    "HostedRecipe",
    "Idempotency",
    "Limits",
    "Money",
    "Notices",
    "Operation",
    "Origin",
    "Payer",
    "Profile",
    "Provenance",
    "Traits",
    "WireError",
    "load",
    "names",
    "package_of",
]


PARTS = ("idempotency", "notices", "request_id", "retries", "return_template", "version_header")
"""Parts of a profile that a gateway may lack."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One gateway. ``read`` turns an exchange into its meaning; ``forged_return`` writes the redirect that a customer
    could have forged; the rest is data."""

    name: str
    version: str
    title: str
    checklist: Checklist
    origins: tuple[Origin, ...]
    operations: tuple[Operation, ...]
    credentials: tuple[Credential, ...]
    knobs: Mapping[str, Fact]
    """Behaviour that can be set, each with its default and provenance."""
    errors: Mapping[str, WireError]
    currencies: tuple[str, ...]
    default_currency: str
    payment_life: int
    """Seconds that the hosted checkout stays open."""
    payers: Mapping[str, Payer]
    """Who can pay at the hosted checkout, each under its outcome."""
    traits: Traits
    hosted: HostedRecipe
    read: Callable[[Request, Response | None], AnyEvent]
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
    token_life: int = 0
    """Seconds of an access token, on gateways that have them."""
    raw_marks: tuple[str, ...] = ()
    """Texts that only the gateway's raw envelope holds; on a customer's page they are a raw API error."""
    contradictions: Mapping[str, str] = field(default_factory=dict[str, str])
    """Requirement -> why the gateway's advice and the gateway disagree, and what is checked instead."""
    faults: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Requirement ``errors.*`` -> names of the profile's own errors that provoke it."""
    settings: tuple[tuple[str, str], ...] = ()
    """(label, placeholder) of what an integration needs to know, for `payproof serve` and `payproof init`."""
    dialect: str = ""
    """Module with the gateway's dialect; empty: ``payproof.simulator.gateways.NAME``."""

    return_template: str = ""
    """What stands in return_url for the payment and is replaced by its id (``{CHECKOUT_SESSION_ID}``), on gateways that append
    nothing; empty: there is no such thing."""

    request_id: str = ""
    """Header of an answer that names the call, by which the gateway's people find it; empty: there is none."""

    version_header: str = ""
    """Header by which a call says which version of the API it was written for; empty: there is none."""

    read_answer: Callable[[AnyEvent, Response | None], AnyEvent] | None = None
    """(what ``read`` made of the request alone, answer) -> what it makes of both: so that nothing is read twice. None: it is."""

    calm: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Knobs as they are set where probes are run: no limit of rate gets between them."""
    strict: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Knobs as they are set for the contract suite: no outcome that is asked for, and the headers of a limit, where the gateway
    has one, that is never reached."""

    money: Money = field(default_factory=Money)
    limits: Limits = field(default_factory=Limits)
    idempotency: Idempotency | None = None
    notices: Notices | None = None

    @property
    def base_path(self) -> str:
        """Path that the API's base URL ends in."""
        return self.origin("api").base_path

    def origin(self, name: Literal["api", "checkout"]) -> Origin:
        return next(origin for origin in self.origins if origin.name == name)

    def filled(self, return_url: str, payment: str) -> str:
        """The address of a return, its template filled in."""
        return return_url.replace(self.return_template, payment) if self.return_template else return_url

    def site(self, api: str, name: Literal["api", "checkout"]) -> str:
        """Scheme and host of an origin, where ``api`` is the API's: its label stands before the same host."""
        label = self.origin(name).host
        scheme, _, host = api.partition("://")
        if label and host.startswith(("127.", "[")):
            host = f"localhost:{host.rpartition(':')[2]}"
        return f"{scheme}://{label}.{host}" if label else api

    def api_site(self, site: str) -> str:
        """Scheme and host of the API, where ``site`` is any origin's."""
        scheme, _, host = site.partition("://")
        labels = (f"{origin.host}." for origin in self.origins if origin.host)
        return f"{scheme}://{next((host.removeprefix(each) for each in labels if host.startswith(each)), host)}"

    @property
    def local_names(self) -> tuple[str, ...]:
        """Names of its hosts beside ``localhost``, where it is served here."""
        return tuple(f"{origin.host}.localhost" for origin in self.origins if origin.host)

    def is_page(self, host: str, path: str) -> bool:
        """Whether a request belongs to the hosted checkout: by its host, where the checkout has one of its own, else by its path: it is
        not the API's, or, where the API has none, it is the checkout's."""
        checkout = self.origin("checkout")
        if checkout.host:
            return host.startswith(f"{checkout.host}.")
        if self.base_path:
            return not path.startswith(f"{self.base_path}/")
        return bool(checkout.base_path) and f"{path}/".startswith(f"{checkout.base_path}/")

    def has(self, need: str) -> bool:
        """Whether the gateway has a role, a trait, or one of ``PARTS``: what requirements may need."""
        return bool(getattr(self if need in PARTS else self.traits, need, False)) or need in self.roles

    @property
    def retries(self) -> bool:
        """Whether its guidance says something of sending calls again."""
        return self.limits.attempts > 0

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that its calls have, in the order of a payment."""
        return tuple(role for role in ROLES if any(operation.role == role for operation in self.operations))

    def operation(self, role: Role) -> Operation | None:
        """The first call of a role."""
        return next((operation for operation in self.operations if operation.role == role), None)

    @property
    def paying(self) -> tuple[str, ...]:
        """The gateway's own names of the calls that every payment needs, in their order."""
        return tuple(self.named(role) for role in self.roles if role in ("authenticate", "open", *VERIFYING))

    def verifies(self, operation: str) -> bool:
        """Whether a call, by its role or the gateway's own name, tells how a payment stands."""
        return operation == VERIFICATION or self.role_of(operation) in VERIFYING

    @property
    def verification(self) -> str:
        """One word for all calls whose answers tell how a payment stands: the gateway's own name where it has one such call."""
        found = [operation.name for operation in self.operations if operation.role in VERIFYING]
        return found[0] if len(found) == 1 else VERIFICATION

    def named(self, role: Role) -> str:
        """The gateway's own name for the call of a role; the role where it has none."""
        found = self.operation(role)
        return found.name if found else role

    def role_of(self, operation: str) -> Role | None:
        """The role of a call by the gateway's own name, or by its role."""
        return next((each.role for each in self.operations if operation in (each.name, each.role)), None)

    def knob(self, name: str) -> Json:
        return self.knobs[name].value


ENTRY_POINTS = "payproof.gateways"
"""Group of entry points under which other packages offer gateways: NAME = "package.module:PROFILE"."""


@cache
def _ours() -> dict[str, str]:
    """Name of a gateway that has a folder here -> where its profile is."""
    import payproof.contracts.gateways as folder

    ours = [found.name for found in pkgutil.iter_modules(folder.__path__) if not found.name.startswith("_")]
    return {name.replace("_", "-"): f"{folder.__name__}.{name}.profile:PROFILE" for name in ours}


@cache
def offered() -> dict[str, str]:
    """The same for those that other packages offer: whoever asks for one of ours does not wait for all packages to be looked through."""
    from importlib.metadata import entry_points

    return {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}


def _place(name: str) -> str | None:
    """Where the profile of that name is. A package cannot put its own in the place of ours."""
    return _ours().get(name) or offered().get(name)


def names() -> tuple[str, ...]:
    """The gateways that are known here."""
    return tuple(sorted({*_ours(), *offered()}))


def package_of(name: str) -> str:
    """The package of a gateway's folder, where its contract, the rules of its envelope and its catalogue of cases lie beside its
    profile. A gateway that nobody knows would have it among ours."""
    ours = f"payproof.contracts.gateways.{name.replace('-', '_')}.profile"
    return (_place(name) or ours).partition(":")[0].rpartition(".")[0]


def module(name: str) -> ModuleType | None:
    """The module of that name; None where there is none, since a gateway need not bring every part."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None


def load(name: str) -> Profile:
    """The profile of that name.

    Raises:
        PayproofError: there is none, and the message lists those that exist; or what another package offers cannot be loaded.
    """
    place = _place(name)
    if place is None:
        raise PayproofError(
            f'unknown gateway "{name}"',
            place='key "gateway"',
            remedy=f"payproof knows: {', '.join(names())}",
        )
    path, _, attribute = place.partition(":")
    try:
        profile: Profile = getattr(importlib.import_module(path), attribute)
    except Exception as error:
        raise PayproofError(
            f'gateway "{name}" cannot be loaded ({type(error).__name__}: {error})',
            place=place,
            remedy="mend or remove the package that offers it",
        ) from error
    return profile
