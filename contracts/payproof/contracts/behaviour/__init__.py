"""How an integration behaves, in figures that were taken at the socket and at the customer's side; never a verdict."""

from __future__ import annotations

from dataclasses import dataclass

from payproof.contracts import profile
from payproof.contracts.behaviour.connections import KeptAlive, Refusal, Tls, kept_alive, refusals, tls
from payproof.contracts.behaviour.failures import Failing, Failure, RetryAfter, failures, retry_after
from payproof.contracts.behaviour.patience import Patience, Stall, patience
from payproof.contracts.behaviour.tokens import TokenUse, token_use
from payproof.contracts.entries import Call
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Limits
from payproof.contracts.run import Run

__all__ = [
    "Behaviour", "Failing", "Failure", "KeptAlive", "Patience", "Refusal", "RetryAfter", "Stall", "Tls", "TokenUse",
    "behaviour", "operations_of",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """``operations``: the gateway's own names of the calls that there are figures for, in the order of a payment.
    ``tokens``: None where the gateway has no token call."""

    operations: tuple[str, ...]
    patience: tuple[Patience, ...]
    failures: tuple[Failure, ...]
    retry_after: tuple[RetryAfter, ...]
    tokens: TokenUse | None
    tls: Tls
    refusals: tuple[Refusal, ...]
    kept_alive: KeptAlive
    late: float = 0.0
    """Seconds by which payproof itself was late at the worst, on a machine with too much to do; 0 where that was nothing to speak of."""


def behaviour(run: Run) -> Behaviour:
    """The figures of a run, live or saved. What it did not measure says why."""
    operations = operations_of(run)
    return Behaviour(
        operations=operations,
        patience=patience(run, operations, _limits(run.gateway)),
        failures=failures(run, operations),
        retry_after=retry_after(run),
        tokens=token_use(run) if _has_tokens(run) else None,
        tls=tls(run),
        refusals=refusals(run),
        kept_alive=kept_alive(run),
        late=_late(run),
    )


def operations_of(run: Run) -> tuple[str, ...]:
    """Every call that a payment needs, and the others that were made; of a gateway that is not known here, those alone."""
    made = {call.event.operation for world in run.worlds for call in world.of(Call)} - {""}
    found = _profile(run.gateway)
    if found is None:
        return tuple(sorted(made))
    return tuple(each.name for each in found.operations if each.name in found.paying or each.name in made)


def _profile(name: str) -> profile.Profile | None:
    try:
        return profile.load(name)
    except PayproofError:
        return None


def _limits(gateway: str) -> Limits:
    found = _profile(gateway)
    return found.limits if found else Limits()


def _late(run: Run) -> float:
    late = run.facts.get("late")
    return float(late) if isinstance(late, int | float) else 0.0


def _has_tokens(run: Run) -> bool:
    found = _profile(run.gateway)
    return found is not None and found.has("authenticate")
