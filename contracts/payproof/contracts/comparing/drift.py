"""What a comparison of contract, simulator and gateway found: values for the reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from payproof.contracts.model import Json

Kind = Literal["difference", "assumption"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """The fact of the profile (or the place of the contract) that a difference is about.

    ``name``: ``knobs["..."]``, ``errors["..."]`` or ``openapi ...``.
    """

    name: str
    provenance: str = ""
    source: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftDifference:
    """One thing that is not the same on all sides. ``what`` is the step's label; ``path`` where in the answer.

    ``contract``, ``simulator`` and ``gateway`` are what each side says, in words or as JSON; empty: it says nothing of it.
    ``change`` is what would make the fact agree (``False -> True``), ``proposal`` the whole sentence, with where and when it was
    observed; both empty when it takes a person to see which.
    ``labels``: every step where the same difference was seen. ``kind``: an ``assumption`` is a text that was ours to choose.
    """

    kind: Kind
    operation: str
    what: str
    path: str
    contract: str
    simulator: str
    gateway: str
    fact: Touched
    change: str = ""
    proposal: str = ""
    cases: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fidelity:
    """How much of what was compared at an operation is the same on simulator and gateway."""

    operation: str
    title: str
    compared: int
    agreed: int

    @property
    def percent(self) -> float | None:
        """Rounded down to a tenth, so that 100 means all; None when nothing was compared."""
        return self.agreed * 1000 // self.compared / 10 if self.compared else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A case, or the rest of one, that was not compared, and why."""

    case: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A whole comparison. ``target``: ``sandbox`` or ``cassette``; ``where``: its host; ``observed``: date of the answers (ISO)."""

    gateway: str
    title: str
    version: str
    target: Literal["sandbox", "cassette"]
    where: str
    observed: str
    cases: int
    """Cases that were compared."""
    differences: tuple[DriftDifference, ...]
    fidelity: tuple[Fidelity, ...]
    left: tuple[Left, ...]
    facts: dict[str, Json]
    """requests, budget, rate, seconds, contract ..."""
    notes: tuple[str, ...] = ()

    def of(self, kind: Kind) -> tuple[DriftDifference, ...]:
        return tuple(found for found in self.differences if found.kind == kind)

    @property
    def proposals(self) -> tuple[str, ...]:
        """Each once, in the order of the differences."""
        return tuple(dict.fromkeys(difference.proposal for difference in self.differences if difference.proposal))
