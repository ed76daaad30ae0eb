"""A gateway's catalogue of cases: short sequences of calls made to it and to the simulator alike, to see where the two differ.

Cases are data in the gateway's own folder (``payproof.contracts.gateways.NAME.drift``). Texts in requests may hold
``{name}`` for a value: ``{client_id}``, ``{secret_key}``, ``{site}``, ``{checkout}`` (the hosted checkout's origin), ``{fresh}`` (a word that
no other case and no other run has, for an idempotency key), and whatever an earlier step saved; ``{name.unknown}`` is a value of the same
shape that nobody was given, ``{name.swapcase}`` the same letters in the other case. ``Basic {client_id}:{secret_key}`` is encoded when it
travels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from payproof.contracts.model import Json, PayproofError
from payproof.contracts.profile import Profile, module, package_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRequest:
    """One request to the API. What is compared counts once for each ``label``, however many cases ask the same.

    ``path`` is below the API's base URL. One of ``json``, ``form`` and ``raw`` is the body. ``saves``: name -> path into the
    answer's JSON (``data.links[1].href``).
    """

    label: str
    operation: str
    method: str
    path: str
    json: Mapping[str, Json] | None = None
    form: Mapping[str, str] | None = None
    raw: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    saves: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """The customer opens a page of the hosted checkout, in a new browser. ``{site}`` is the gateway's origin."""

    label: str
    url: str = "{payment_url}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """The customer fills in the form of the page they see. ``bare``: without its hidden fields. ``wrong``: with a password
    or a code that is not theirs. ``payer``: who it is, from now on in this case. ``asked``: only when a page still asks for
    something; whether it did is compared too."""

    label: str
    payer: str = ""
    bare: bool = False
    wrong: bool = False
    asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """The customer uses the page's way to cancel."""

    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """The address that the customer was sent back to; it is not opened."""

    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """The gateway's clock goes on by so many seconds."""

    seconds: int


Step: TypeAlias = CaseRequest | Open | Submit | Cancel | Back | Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Decides:
    """What an outcome says about a knob of the profile.

    ``at``: label of the step; empty: any step. ``path``: what was observed there (``answer``: the name of the profile's
    error, or ``ok``). ``values``: what was observed -> the knob's value, None where it is this knob and nobody can say which value;
    ``*`` stands for any refusal, and for any other value elsewhere; left out: the value is what was observed. ``member``:
    the knob is a list, which has this member when the path is there (or the answer is ok). ``absent``: the knob's value when the
    path is not there.
    """

    knob: str
    at: str = ""
    path: str = "answer"
    values: Mapping[str, Json] | None = None
    member: str = ""
    absent: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftCase:
    """A sequence of steps. ``text`` is the sentence that a report shows. ``needs``: what nobody can do or may do from outside, for
    a case that is only here so that a report says that it was not compared."""

    id: str
    text: str
    steps: tuple[Step, ...] = ()
    decides: tuple[Decides, ...] = ()
    needs: str = ""

    @property
    def seconds(self) -> int:
        """How far the gateway's clock must move."""
        return sum(step.seconds for step in self.steps if isinstance(step, Wait))

    @property
    def requests(self) -> int:
        """API requests that it takes."""
        return sum(isinstance(step, CaseRequest) for step in self.steps)

    @property
    def payers(self) -> frozenset[str]:
        return frozenset(step.payer for step in self.steps if isinstance(step, Submit) and step.payer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All cases of a gateway.

    ``operations``: name -> title, in the order of the report. ``ids``: observed path (``body.links[0].id``, ``headers.request-id``) ->
    what is identified there: values that are fresh each time, of which only shape and sameness are compared; of numbers (a time in
    seconds, say) only that they are there. ``texts``: what hosted pages may say that a customer
    must be able to tell apart. ``decides``: what holds at every step.
    """

    operations: Mapping[str, str]
    cases: tuple[DriftCase, ...]
    ids: Mapping[str, str]
    texts: tuple[str, ...] = ()
    decides: tuple[Decides, ...] = ()


def catalogue_of(profile: Profile) -> Catalogue:
    """The catalogue of the profile's gateway.

    Raises:
        PayproofError: it has none.
    """
    drift = module(f"{package_of(profile.name)}.drift")
    if drift is None:
        raise PayproofError(
            f'the gateway "{profile.name}" has no catalogue of cases to compare',
            place='key "gateway"',
            remedy="write one in its folder (drift), or choose another gateway",
        )
    found: Catalogue = drift.CATALOGUE
    return found
