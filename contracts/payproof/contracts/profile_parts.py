"""What a gateway's profile is made of: one type for each thing that it declares."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

from payproof.contracts import money
from payproof.contracts.events import Notified, Role
from payproof.contracts.model import Json

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
    at pay.localhost); empty where it shares the API's. ``base_path``: what its addresses begin with. ``real``: scheme and host of the
    gateway's own sandbox, where a label before the API's does not make the checkout's (``https://pay.gateway.example``)."""

    name: Literal["api", "checkout"]
    base_path: str = ""
    host: str = ""
    real: str = ""


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
    """What a merchant is given. ``kind``: ``id``, ``publishable`` and ``webhook-id`` are no secrets; a ``webhook-id`` is what notices are
    signed for, where the gateway signs them with a key of its own. ``placeholder``: what a configuration calls it,
    ``{gateway.PLACEHOLDER}``. ``grace``: seconds that a replaced value is still good for."""

    name: str
    kind: Literal["id", "secret", "publishable", "webhook-secret", "webhook-id"]
    placeholder: str
    label: str = ""
    """What the gateway's own dashboard calls it."""
    travels: Literal["body", "basic", "bearer", "never"] = "body"
    grace: int = 0
    begins: tuple[str, ...] = ()
    """What its values begin with, where they have marks of their own (``sk_test_``): one in the source is then seen wherever it stands."""

    @property
    def secret(self) -> bool:
        return self.kind in ("secret", "webhook-secret")

    @property
    def signs(self) -> bool:
        """Its value goes into the signature of notices."""
        return self.kind in ("webhook-secret", "webhook-id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """How amounts stand on the wire. ``exponents``: decimals of a currency where they are not ISO 4217's."""

    spelling: Literal["text", "integer"] = "text"
    exponents: Mapping[str, int] = field(default_factory=dict[str, int])

    def decimals(self, currency: str) -> int:
        """Decimals that amounts are written and compared with: those of the wire."""
        declared = self.exponents.get(currency.upper())
        return (2 if self.spelling == "text" else money.exponent(currency)) if declared is None else declared

    def show(self, amount: Decimal | str, currency: str) -> str:
        """``5,000.00 XAF``: for people, with the decimals of the wire at least."""
        return money.show(amount, currency, self.decimals(currency))

    def text(self, amount: Decimal, currency: str) -> str:
        """``5000.00``: decimal text in major units, with the decimals of the wire at least."""
        return money.text(amount, self.decimals(currency))

    def exponent(self, currency: str) -> int:
        found = self.exponents.get(currency.upper())
        return money.exponent(currency) if found is None else found


def _with_grace(seconds: float) -> float:
    """Ten per cent, and at least the second to which a library may round up."""
    return round(max(seconds * 1.1, seconds + 1), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds that the gateway's guidance gives: for a call, for connecting, for reading a whole slow answer, and for answering a
    notice. ``longest_call``, ``longest_connect``: what nobody may wait for, where the guidance is no more than advice: whoever waits
    longer than advised is warned, and fails from there on; 0: the same. ``attempts``: times that a call which the gateway failed to
    answer may be sent in all, ``pause``: seconds before the second; 0: the guidance says nothing of sending calls again."""

    call: float = 30.0
    connect: float = 30.0
    whole: float = 60.0
    notice: float = 10.0
    longest_call: float = 0.0
    longest_connect: float = 0.0
    attempts: int = 0
    pause: float = 0.0

    @property
    def grace(self) -> float:
        """Seconds after which a call that should have been given up is held against somebody."""
        return _with_grace(self.call)

    @property
    def connect_grace(self) -> float:
        """The same for one attempt to connect."""
        return _with_grace(self.connect)

    @property
    def call_fails(self) -> float:
        """Seconds, grace included, after which a call that is still open fails; before that it warns."""
        return _with_grace(self.longest_call or self.call)

    @property
    def connect_fails(self) -> float:
        """The same for one attempt to connect."""
        return _with_grace(self.longest_connect or self.connect)

    @property
    def whole_grace(self) -> float:
        """The same for the reading of an answer that comes slowly; libraries round up to the next second."""
        return self.whole + 1

    @property
    def whole_longest(self) -> float:
        """The same where the integration gives up by itself: so late may a busy machine make it."""
        return _with_grace(self.whole)

    @property
    def slow(self) -> float:
        """Seconds that an answer may take and be waited for: ten, or less where a call has less than thirty."""
        return round(min(self.call / 3, 10.0), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """``header``: where the key travels (in the body, too, where ``read`` finds it there); ``life``: seconds that a key is
    remembered; ``longest``: characters. ``stands_for``: a ``payment``, so that whoever tries again sends it again; or one ``call``,
    with what the program repeats of it by itself, as where client libraries make the keys: the customer's next click may open another
    payment."""

    header: str
    life: int = 86_400
    longest: int = 255
    stands_for: Literal["payment", "call"] = "payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """Notices that the gateway sends. ``sign``: (secrets, body, real time in seconds since the epoch) -> headers of one attempt; the
    newest secret (or the webhook's id) is the first, and there are several only while one is rolled (``Credential.grace``). A header's
    value may hold ``{gateway.url}``, scheme and host of the API, and ``{stranger.url}``, those of somebody else: for a certificate's address.
    ``impostor``: the same as ``sign`` with a key that is not the gateway's, where signatures are checked with a public key; None
    where they are checked with the secret. ``other_mode``: the same body, said to be of live payments where this is a sandbox; None
    where notices say nothing of it. ``read``: what a delivery says, and never raises. ``retries``: seconds of the gateway's clock
    after which an attempt that was not answered 2xx is repeated. ``tolerance``:
    seconds that the signing time may be off the receiver's clock; 0: no time is signed. ``required``: the gateway's guidance
    asks every integration to take them."""

    sign: Callable[[tuple[str, ...], bytes, int], Fields]
    read: Callable[[Fields, bytes], Notified]
    retries: tuple[int, ...]
    tolerance: int = 0
    required: bool = False
    impostor: Callable[[tuple[str, ...], bytes, int], Fields] | None = None
    other_mode: Callable[[bytes], bytes] | None = None


@dataclass(frozen=True, slots=True)
class WireError:
    """An error answer of the gateway: HTTP status and literal texts; ``{…}`` in one stands for whatever the gateway names there.
    ``operations``: names of the calls that give it."""

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
    passes: bool = False
    """The same call may be answered otherwise a moment later: a lock is held, or another call with its key is still under way."""

    def says(self, texts: Sequence[str]) -> bool:
        """Whether these are its texts, and no others."""
        return len(self.texts) == len(texts) and all(map(_is_text, self.texts, texts))

    def known_as(self, text: str) -> str:
        """Its own text, with what the gateway names left open, where this is one that names something; else the text itself."""
        return next((known for known in self.texts if _NAMED.search(known) and _is_text(known, text)), text)

    def is_among(self, texts: Collection[str]) -> bool:
        """Whether each of its texts is one of these."""
        return all(any(_is_text(known, text) for text in texts) for known in self.texts)


_NAMED = re.compile(r"\{\w*\}")


def _is_text(known: str, text: str) -> bool:
    return known == text or re.fullmatch(".*".join(map(re.escape, _NAMED.split(known))), text, re.DOTALL) is not None


@dataclass(frozen=True, slots=True)
class Traits:
    """What a gateway can do at all; requirements that need a trait do not apply without it."""

    token_is_payment: bool = False
    """The access token is the payment: it must never be shared by two orders."""
    cancel_url_optional: bool = True
    paid_survives_token: bool = True
    """A paid payment can still be looked up after the token that made it has expired."""
    asks_for_reference: bool = True
    """Its guidance has the order's id travel in the call. False: who keeps the payment's id with the order does as well."""
    settles: bool = False
    """Approving is not paying: the integration takes the money, by a call of the role ``settle``."""
    returns_after_failure: bool = True
    """A customer whose payment was refused is sent to return_url."""
    decides_later: int = 0
    """Seconds of the gateway's clock until money comes, or does not, for which the customer has done their part: by bank debit, say.
    The payers ``pending`` and ``unsettled`` pay so. 0: a payment is decided at once."""


@dataclass(frozen=True, slots=True)
class Payer:
    """Somebody who can log in at the hosted checkout. ``pending``, ``unsettled``: they do their part, and their money comes later, or
    never does."""

    login: str
    password: str
    outcome: Literal["paid", "refused", "insufficient", "slow", "pending", "unsettled"]
    name: str = ""
    otp: str = "123456"
    """The one-time code that they type when they are asked for one."""


@dataclass(frozen=True, slots=True)
class HostedRecipe:
    """How the customer uses the gateway's hosted checkout by its forms.

    ``fill``: (a form's fields as (name, value) pairs, payer) -> the pairs to send, or None when the form is not one
    that leads to paying. ``cancel``: CSS selector of the link or button that cancels; ``paying``: one of the page where one pays,
    for gateways on which that page may have nothing that cancels. ``problem``: CSS selector that only a page
    saying "this payment cannot go on" has; its link leads back to the shop.
    """

    fill: Callable[[Fields, Payer], Fields | None]
    cancel: str
    problem: str
    paying: str = ""
