"""A profile: one gateway's contract and behaviour, as data plus two or three functions that read its wire.

Each fact carries its provenance. Nothing outside a gateway's own folder names a field, a path or a status word of it: the
core asks by role and trait, checks see events, the customer sees forms through ``HostedRecipe``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Literal, TypeAlias

from payproof.contracts import money
from payproof.contracts.checklist import Checklist
from payproof.contracts.entries import Request, Response
from payproof.contracts.events import ROLES, VERIFICATION, VERIFYING, AnyEvent, Notified, Role
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One of a gateway's hosts. ``host``: the label before the API's host name where it has one of its own (``pay`` is served
    at pay.localhost); empty where it shares the API's. ``base_path``: what its addresses begin with."""

    name: Literal["api", "checkout"]
    base_path: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One call of the gateway's API. ``path`` follows the origin's base path; ``{payment}`` stands for a payment's id."""

    name: str
    role: Role
    method: str
    path: str
    origin: Literal["api", "checkout"] = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a merchant is given. ``kind``: ``id`` and ``publishable`` are no secrets. ``placeholder``: what a configuration calls
    it, ``{gateway.PLACEHOLDER}``. ``grace``: seconds that a replaced value is still good for."""

    name: str
    kind: Literal["id", "secret", "publishable", "webhook-secret"]
    placeholder: str
    label: str = ""
    """What the gateway's own dashboard calls it."""
    travels: Literal["body", "basic", "bearer", "never"] = "body"
    grace: int = 0

    @property
    def secret(self) -> bool:
        return self.kind in ("secret", "webhook-secret")


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """How amounts stand on the wire. ``exponents``: decimals of a currency where they are not ISO 4217's."""

    spelling: Literal["text", "integer"] = "text"
    exponents: Mapping[str, int] = field(default_factory=dict[str, int])

    def decimals(self, currency: str) -> int:
        """Decimals that amounts are written and compared with: those of the wire."""
        return 2 if self.spelling == "text" else self.exponent(currency)

    def exponent(self, currency: str) -> int:
        found = self.exponents.get(currency.upper())
        return money.exponent(currency) if found is None else found


def _with_grace(seconds: float) -> float:
    """Ten per cent, and at least the second to which a library may round up."""
    return round(max(seconds * 1.1, seconds + 1), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds that the gateway's guidance gives: for a call, for connecting, for reading a whole slow answer, and for answering a
    notice."""

    call: float = 30.0
    connect: float = 30.0
    whole: float = 60.0
    notice: float = 10.0

    @property
    def grace(self) -> float:
        """Seconds after which a call that should have been given up is held against somebody."""
        return _with_grace(self.call)

    @property
    def connect_grace(self) -> float:
        """The same for one attempt to connect."""
        return _with_grace(self.connect)

    @property
    def whole_grace(self) -> float:
        """The same for the reading of an answer that comes slowly; libraries round up to the next second."""
        return self.whole + 1

    @property
    def slow(self) -> float:
        """Seconds that an answer may take and be waited for."""
        return round(self.call / 3, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """``header``: where the key travels; ``life``: seconds that a key is remembered; ``longest``: characters."""

    header: str
    life: int = 86_400
    longest: int = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """Notices that the gateway sends. ``sign``: (secrets, body, real time in seconds since the epoch) -> headers of one attempt; the
    newest secret is the first, and there are several only while one is rolled (``Credential.grace``). ``read``: what a delivery
    says, and never raises. ``retries``: seconds of the gateway's clock after which an attempt that was not answered 2xx is repeated. ``tolerance``:
    seconds that the signing time may be off the receiver's clock; 0: no time is signed. ``required``: the gateway's guidance
    asks every integration to take them."""

    sign: Callable[[tuple[str, ...], bytes, int], Fields]
    read: Callable[[Fields, bytes], Notified]
    retries: tuple[int, ...]
    tolerance: int = 0
    required: bool = False


@dataclass(frozen=True, slots=True)
class WireError:
    """An error answer of the gateway: HTTP status and literal texts. ``operations``: names of the calls that give it."""

    status: int
    texts: tuple[str, ...]
    provenance: Provenance
    source: str
    operations: tuple[str, ...]
    envelope: bool = True
    """False: answered in the framework's own shape, outside the gateway's envelope."""
    name: str = ""
    issue: str = ""
    field: str = ""
    """Words for programs, on gateways whose problems have them."""
    shown: bool = False
    """The text is meant for the customer, who may read it."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a gateway can do at all; requirements that need a trait do not apply without it."""

    token_is_payment: bool = False
    """The access token is the payment: it must never be shared by two orders."""
    cancel_url_optional: bool = True
    paid_survives_token: bool = True
    """A paid payment can still be looked up after the token that made it has expired."""
    settles: bool = False
    """Approving is not paying: the integration takes the money, by a call of the role ``settle``."""
    returns_after_failure: bool = True
    """A customer whose payment was refused is sent to return_url."""


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
    origins: tuple[Origin, ...]
    operations: tuple[Operation, ...]
    credentials: tuple[Credential, ...]
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

    tell: Callable[[AnyEvent, Response | None], AnyEvent] | None = None
    """(what ``read`` made of the request alone, answer) -> what it makes of both: so that nothing is read twice. None: it is."""

    calm: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Knobs as they are set where stories are told: no limit of rate gets between them."""
    strict: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Knobs as they are set for the contract suite: no outcome that is asked for, and the headers of a limit, where the gateway
    has one, that is never reached."""

    money: Money = Money()
    limits: Limits = Limits()
    idempotency: Idempotency | None = None
    notices: Notices | None = None

    @property
    def base_path(self) -> str:
        """Path that the API's base URL ends in."""
        return self.origin("api").base_path

    def origin(self, name: Literal["api", "checkout"]) -> Origin:
        return next(origin for origin in self.origins if origin.name == name)

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
        """Whether a request belongs to the hosted checkout: by its host, where the checkout has one of its own, else by its path."""
        label = self.origin("checkout").host
        return host.startswith(f"{label}.") if label else not path.startswith(f"{self.base_path}/")

    def has(self, need: str) -> bool:
        """Whether the gateway has a role, a trait, or ``idempotency``, ``notices``: what requirements may need."""
        if need in ("idempotency", "notices"):
            return getattr(self, need) is not None
        return bool(getattr(self.traits, need, False)) or need in self.roles

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


def _modules() -> dict[str, str]:
    """Name of a gateway -> where its profile is, for those that have a folder here and those that other packages offer."""
    import payproof.contracts.gateways as folder

    ours = [found.name for found in pkgutil.iter_modules(folder.__path__) if not found.name.startswith("_")]
    known = {name.replace("_", "-"): f"{folder.__name__}.{name}.profile:PROFILE" for name in ours}
    return known | {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}


def names() -> tuple[str, ...]:
    """The gateways that are known here."""
    return tuple(sorted(_modules()))


def package_of(name: str) -> str:
    """The package of a gateway's folder, where its contract, the rules of its envelope and its catalogue of cases lie beside its
    profile. A gateway that nobody knows would have it among ours."""
    ours = f"payproof.contracts.gateways.{name.replace('-', '_')}.profile"
    return _modules().get(name, ours).partition(":")[0].rpartition(".")[0]


def load(name: str) -> Profile:
    """The profile of that name.

    Raises:
        PayproofError: there is none; the message lists those that exist.
    """
    known = _modules()
    if name not in known:
        raise PayproofError(
            f'unknown gateway "{name}"',
            place='key "gateway"',
            remedy=f"payproof knows: {', '.join(sorted(known))}",
        )
    module, _, attribute = known[name].partition(":")
    profile: Profile = getattr(importlib.import_module(module), attribute)
    return profile
