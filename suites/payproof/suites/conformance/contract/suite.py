"""The contract suite: the phases one after the other, and what they found."""

from __future__ import annotations

import importlib.util
import random
import time
from collections.abc import Iterator
from typing import Protocol

from payproof.contracts.contract import Contract, DocumentedOperation
from payproof.contracts.contract.examples import led_to
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Profile
from payproof.simulator.relay.rate_budget import RateBudget
from payproof.suites.conformance.contract.channel import Channel, Spent
from payproof.suites.conformance.contract.document import prepared
from payproof.suites.conformance.contract.example_runner import ExampleRunner
from payproof.suites.conformance.contract.findings import Findings
from payproof.suites.conformance.contract.rules import AFTER_PAYING, Bench
from payproof.suites.conformance.contract.values import APART, PHASES, Covered, SuiteResult
from payproof.suites.conformance.contract.where import Where

DEFAULT_BUDGETS = {True: 300, False: 1500}
"""Requests, for a server whose rate is limited and for one that is ours."""
_SHARES = {"coverage": 0.45, "fuzzing": 0.55}
"""Which part of what is left a phase may use that looks at one operation after the other; what it does not need is the next one's."""


class SuiteProgress(Protocol):
    """Called while the suite works."""

    def part(self, phase: str, operation: str, sent: int, failures: int) -> None: ...

    def note(self, text: str) -> None: ...


class SilentSuite:
    """Says nothing."""

    def part(self, phase: str, operation: str, sent: int, failures: int) -> None: ...

    def note(self, text: str) -> None: ...


def perform(
    where: Where, *, budget: int | None = None, seed: int | None = None, progress: SuiteProgress | None = None
) -> SuiteResult:
    """Hold a server to its contract.

    Args:
        budget: requests altogether; left out: 300 where the rate is limited, else 1500.
        seed: repeats a run on the same server.

    Raises:
        PayproofError: the server cannot be reached or gives no access token, or schemathesis is not installed.
    """
    if importlib.util.find_spec("schemathesis") is None:
        raise PayproofError(
            "schemathesis is not installed", place="payproof contract", remedy="pip install 'payproof[suites]'"
        )
    run = _Run(
        where,
        DEFAULT_BUDGETS[where.rate > 0] if budget is None else budget,
        random.randrange(2**32) if seed is None else seed,
        progress or SilentSuite(),
    )
    try:
        return run.perform()
    finally:
        run.channel.close()


class _Run:
    def __init__(self, where: Where, budget: int, seed: int, progress: SuiteProgress) -> None:
        self.where, self.seed, self.progress = where, seed, progress
        self.budget = RateBudget(where.rate, budget, note=progress.note)
        self.channel = Channel(where, self.budget, prepared(where))
        self.bench = Bench(self.channel)
        self.found = Findings(self.channel.cover)
        self.examples = ExampleRunner(self.bench, self.found)

    def perform(self) -> SuiteResult:
        began = time.monotonic()
        self._token_first()
        for phase in PHASES:
            if self.budget.sent >= self.budget.budget and phase != "examples":
                self.found.notes.append(f"{phase} was left out: the budget of {self.budget.budget} requests is spent")
            elif phase in _SHARES:
                self._each(phase)
            else:
                self._part(phase, None, self.budget.budget)
        self._note_what_was_not_tried()
        return SuiteResult(
            gateway=self.where.profile.name,
            server=self.where.name,
            seed=self.seed,
            requests=self.budget.sent,
            budget=self.budget.budget,
            seconds=time.monotonic() - began,
            covered=tuple(self._covered()),
            failures=self.found.failures,
            notes=tuple(self.found.notes),
            untried=self.found.untried,
        )

    def _note_what_was_not_tried(self) -> None:
        if APART not in self.examples.tried:
            why = "it was not reached" if self.where.other else "it needs a second merchant: [sandbox.other]"
            self.found.untried[APART] = why
        if self.where.rate:
            self.found.notes += [f"{check} was not tried: {why}" for check, why in self.found.untried.items()]

    def _covered(self) -> Iterator[Covered]:
        """Without what is only assumed and not there; but where nothing is left of what the gateway must be able to do, that was
        never seen to work."""
        words = {operation.word for operation in self.channel.contract.operations}
        later = needing_a_payer(self.channel.contract, self.where.profile)
        gone = {id for id, operation in self.examples.missing.items() if operation.word in words}
        for id, seen in self.channel.statuses.items():
            if id not in gone:
                yield Covered(operation=id, statuses=dict(sorted(seen.items())), needs_payer=id in later)

    def _token_first(self) -> None:
        """Where not even the plainest call works, nothing else is asked.

        Raises:
            PayproofError: no access token, or nobody there.
        """
        try:
            self.channel.token()
        except Spent:
            if self.channel.down is not None:
                raise self.channel.down from None

    def _each(self, phase: str) -> None:
        """The phase's share, by operation: one with many fields gets more."""
        operations = self.channel.contract.operations
        weights = [3 if self.where.profile.role_of(operation.word) == "open" else 1 for operation in operations]
        share = (self.budget.budget - self.budget.sent) * _SHARES[phase]
        for n, operation in enumerate(operations):
            before = self.budget.sent
            self._part(phase, operation, round(share * weights[n] / sum(weights[n:])))
            share -= self.budget.sent - before

    def _part(self, phase: str, operation: DocumentedOperation | None, requests: int) -> None:
        self.channel.part(requests)
        name = operation.id if operation else ""
        self._tick(phase, name)
        try:
            if phase == "examples":
                self.examples.run()
            else:
                self._driven(phase, operation, name)
        except Spent:
            if self.channel.down is not None:
                raise self.channel.down from None
        self._tick(phase, name)

    def _tick(self, phase: str, operation: str) -> None:
        self.progress.part(phase, operation, self.budget.sent, len(self.found))

    def _driven(self, phase: str, operation: DocumentedOperation | None, name: str) -> None:
        from payproof.suites.conformance.contract.drive import drive

        for seen in drive(self.bench, phase, operation, seed=self.seed, on_scenario=lambda: self._tick(phase, name)):
            self.found.add(seen.check, seen.operation, phase, seen.message, seen.chain)


def needing_a_payer(contract: Contract, profile: Profile) -> set[str]:
    """Ids of the operations that work only once a customer has paid: by their role, or because no answer to who has not paid holds the
    id that their address is made of."""
    later = {each.id for each in contract.operations if profile.role_of(each.word) in AFTER_PAYING}
    while True:
        reached = led_to(contract, later)
        more = {each.id for each in contract.operations if "{" in each.path and each.id not in reached}
        if more <= later:
            return later
        later |= more
