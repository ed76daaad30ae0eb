"""The contract suite: the phases one after the other, and what they found."""

from __future__ import annotations

import importlib.util
import json
import random
import shlex
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol
from urllib.parse import urlsplit

from payproof.contracts.contract import ContractProblem, Operation
from payproof.contracts.contract.examples import Example, examples_of, good_example, linked
from payproof.contracts.events import Opened, issued_by
from payproof.contracts.model import PayproofError
from payproof.simulator.relay.rate_budget import RateBudget
from payproof.suites.conformance.contract.assumed import is_assumed, is_missing, told_of, without
from payproof.suites.conformance.contract.channel import Channel, ContractExchange, Spent
from payproof.suites.conformance.contract.document import prepared
from payproof.suites.conformance.contract.rules import RULES, Bench
from payproof.suites.conformance.contract.values import APART, PHASES, Covered, Failure, SuiteResult
from payproof.suites.conformance.contract.where import Where

DEFAULT_BUDGETS = {True: 300, False: 1500}
"""Requests, for a server whose rate is limited and for one that is ours."""
_SHARES = {"coverage": 0.45, "fuzzing": 0.55, "stateful": 1.0}
"""Which part of what is left a phase may use; what it does not need is the next one's."""


class SuiteProgress(Protocol):
    """Told while the suite works."""

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
        return run.told()
    finally:
        run.channel.close()


class _Run:
    def __init__(self, where: Where, budget: int, seed: int, progress: SuiteProgress) -> None:
        self.where, self.seed, self.progress = where, seed, progress
        self.budget = RateBudget(where.rate, budget, note=progress.note)
        self.channel = Channel(where, self.budget, prepared(where))
        self.bench = Bench(self.channel)
        self.found: dict[tuple[str, str, str], Failure] = {}
        self.notes: list[str] = []
        self.untried: dict[str, str] = {}
        self.missing: dict[str, Operation] = {}
        """Operations that are only assumed, and not there."""
        self._tried: set[str] = set()

    def told(self) -> SuiteResult:
        began = time.monotonic()
        self._token_first()
        for phase in PHASES:
            if phase == "examples":
                self._part(phase, None, self.budget.budget)
            elif self.budget.sent >= self.budget.budget:
                self.notes.append(f"{phase} was left out: the budget of {self.budget.budget} requests is spent")
            elif phase == "stateful":
                self._part(phase, None, self.budget.budget)
            else:
                self._each(phase)
        words = {operation.word for operation in self.channel.contract.operations}
        # Where nothing is left of what the gateway must be able to do, that was never seen to work.
        gone = {id for id, operation in self.missing.items() if operation.word in words}
        if APART not in self._tried:
            self.untried[APART] = (
                "it was not reached" if self.where.other else "it needs a second merchant: [sandbox.other]"
            )
        self.notes += [f"{check} was not tried: {why}" for check, why in self.untried.items() if self.where.rate]
        statuses = {id: seen for id, seen in self.channel.statuses.items() if id not in gone}
        return SuiteResult(
            gateway=self.where.profile.name,
            server=self.where.name,
            seed=self.seed,
            requests=self.budget.sent,
            budget=self.budget.budget,
            seconds=time.monotonic() - began,
            covered=tuple(Covered(operation=id, statuses=dict(sorted(seen.items()))) for id, seen in statuses.items()),
            failures=tuple(self.found.values()),
            notes=tuple(self.notes),
            untried=self.untried,
        )

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

    def _part(self, phase: str, operation: Operation | None, requests: int) -> None:
        self.channel.part(requests)
        name = operation.id if operation else ""
        self.progress.part(phase, name, self.budget.sent, len(self.found))
        try:
            if phase == "examples":
                self._examples()
            else:
                self._driven(phase, operation)
        except Spent:
            if self.channel.down is not None:
                raise self.channel.down from None
        self.progress.part(phase, name, self.budget.sent, len(self.found))

    # The two ways of making requests

    def _driven(self, phase: str, operation: Operation | None) -> None:
        from payproof.suites.conformance.contract.drive import drive

        name = operation.id if operation else ""

        def tick() -> None:
            self.progress.part(phase, name, self.budget.sent, len(self.found))

        for seen in drive(self.bench, phase, operation, seed=self.seed, told=tick):
            self._note_failure(seen.check, seen.operation, phase, seen.message, seen.chain)

    def _examples(self) -> None:
        """The document's own examples and links: every operation is seen to work before anything odd is tried."""
        for operation in self.channel.contract.operations:
            for example in examples_of(self.channel.contract, operation):
                exchange = self._judged(example)
                if exchange is None:
                    continue
                following = [
                    each
                    for each in linked(self.channel.contract, operation, exchange.response)
                    if self._judged(each, before=(exchange,)) is not None
                ]
                if following:
                    self._look_at_pages(exchange)
                    self._apart(following, exchange)
                if (odd := _mislabelled(example)) is not None:
                    self._judged(odd)
        if self.missing:
            self.channel.contract = without(self.channel.contract, self.missing)

    def _is_gone(self, example: Example, exchange: ContractExchange) -> bool:
        """Whether the server does not have an operation that is only assumed; found out at the first good request to it, and
        said in one line."""
        operation = example.operation
        if operation.id in self._tried or example.error or not is_assumed(operation):
            return False
        self._tried.add(operation.id)
        response = exchange.response
        if response is None or not is_missing(self.where.profile, response):
            return False
        self.missing[operation.id] = operation
        self.notes.append(self.channel.redactor.redact(told_of(operation, response)))
        return True

    def _look_at_pages(self, exchange: ContractExchange) -> None:
        """Say so where the hosted checkout is at another host: nobody opens it from here, and settings must name it."""
        assert exchange.response
        said = self.where.profile.read(exchange.request, exchange.response)
        url = (said.payment_url or "") if isinstance(said, Opened) else ""
        host = urlsplit(url).netloc
        note = f"payment_url leads to {host}, which is not the server's own host"
        if host and host not in self.where.hosts and note not in self.notes:
            self.notes.append(note)

    def _apart(self, following: list[Example], opened: ContractExchange) -> None:
        """Another merchant is told nothing of this payment. Tried once, by every way to ask."""
        good = good_example(self.channel.contract, self.where.profile.named("authenticate"))
        if not self.where.other or good is None or APART in self._tried:
            return
        self._tried.add(APART)
        issued = self.channel.tell(_as_another(good, self.where), merchant=self.where.other)
        token = issued_by(self.where.profile.read(issued.request, issued.response)) if issued.response else ""
        if not token:
            self.untried[APART] = "the second merchant gets no access token: check sandbox.other"
            return
        for example in following:
            exchange = self.channel.tell(example, token=token)
            if exchange.response is not None and exchange.response.status not in (401, 403, 404, 429):
                message = f"HTTP {exchange.response.status} to another merchant who asks for this payment"
                self._note_failure(APART, example.operation.id, "examples", message, (opened, issued, exchange))

    def _judged(self, example: Example, *, before: tuple[ContractExchange, ...] = ()) -> ContractExchange | None:
        """An example told and held to the rules; None where the server does not have its operation, which is only assumed."""
        if example.operation.id in self.missing:
            return None
        exchange = self.channel.tell(example)
        if self._is_gone(example, exchange):
            return None
        for check, message in self._wrong(example, exchange):
            self._note_failure(check, example.operation.id, "examples", message, (*before, exchange))
        return exchange

    def _wrong(self, example: Example, exchange: ContractExchange) -> Iterator[tuple[str, str]]:
        for name, rule in RULES.items():
            yield from ((name, message) for message in rule(self.bench, exchange))
        if exchange.response is None:
            return
        for problem in self.channel.contract.response_problems(exchange.request, exchange.response):
            yield "is_as_the_contract_says", _said(problem)
        said = self.where.profile.read(exchange.request, exchange.response)
        if not example.error:
            return
        known = self.where.profile.errors[example.error]
        if exchange.response.status != known.status or not set(known.texts) <= set(said.texts):
            yield (
                "answers_as_in_the_example",
                f'example "{example.name}": HTTP {exchange.response.status} {list(said.texts)}, '
                f"expected HTTP {known.status} {list(known.texts)} ({known.provenance}: {known.source})",
            )

    def _note_failure(
        self, check: str, operation: str, phase: str, message: str, chain: tuple[ContractExchange, ...]
    ) -> None:
        """Kept once for each rule, operation and first line of what is wrong."""
        text = self.channel.cover(message)
        key = (check, operation, text.partition("\n")[0][:120])
        if old := self.found.get(key):
            self.found[key] = Failure(
                check=check, operation=operation, phase=old.phase, message=old.message,
                curl=old.curl, before=old.before, count=old.count + 1,
            )  # fmt: skip
            return
        curls = [self.channel.cover(_curl(exchange)) for exchange in chain]
        self.found[key] = Failure(
            check=check, operation=operation, phase=phase, message=text,
            curl=curls[-1] if curls else "", before=tuple(curls[:-1]),
        )  # fmt: skip


def _mislabelled(example: Example) -> Example | None:
    """The same JSON without saying that it is JSON: nothing that a server should read."""
    request = example.request
    if request.json is None or example.error:
        return None
    headers = {**request.headers, "Content-Type": "text/plain"}
    odd = replace(request, json=None, raw=json.dumps(request.json), headers=headers)
    return replace(example, name=f"{example.name} as text/plain", request=odd)


def _as_another(example: Example, where: Where) -> Example:
    """A token call's example as the second merchant would make it."""
    assert where.other
    theirs = dict(zip((where.client_id, where.secret_key), where.other, strict=True))
    fields = {name: theirs.get(str(value), value) for name, value in (example.request.json or {}).items()}
    return replace(example, request=replace(example.request, json=fields))


def _said(problem: ContractProblem) -> str:
    known = f" ({problem.weight}: {problem.source})" if problem.source else ""
    return f"{problem}{known}"


def _curl(exchange: ContractExchange) -> str:
    request = exchange.request
    parts = ["curl", "-sS", "-X", request.method, request.url]
    for name, value in request.headers:
        parts += ["-H", f"{name}: {value}"]
    if request.body:
        parts += ["--data-raw", request.body]
    return shlex.join(parts)
