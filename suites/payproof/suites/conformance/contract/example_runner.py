"""The first phase: the document's own examples and links, so that every operation is seen to work before anything odd is tried."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from payproof.contracts.contract import ContractProblem, DocumentedOperation
from payproof.contracts.contract.examples import Example, examples_of, good_example, linked
from payproof.contracts.events import Opened, issued_by
from payproof.suites.conformance.contract.assumed import absence_note, is_assumed, is_missing, without
from payproof.suites.conformance.contract.channel import ContractExchange
from payproof.suites.conformance.contract.findings import Findings
from payproof.suites.conformance.contract.rules import Bench, broken
from payproof.suites.conformance.contract.values import APART
from payproof.suites.conformance.contract.where import Where


class ExampleRunner:
    """``missing``: operations that are only assumed, and not there; ``tried``: what is tried once, and was."""

    def __init__(self, bench: Bench, findings: Findings) -> None:
        self._bench, self._channel, self._where = bench, bench.channel, bench.channel.where
        self._findings = findings
        self.missing: dict[str, DocumentedOperation] = {}
        self.tried: set[str] = set()

    def run(self) -> None:
        """The document's own examples and links: every operation is seen to work before anything odd is tried."""
        for operation in self._channel.contract.operations:
            for example in examples_of(self._channel.contract, operation):
                exchange = self._judged(example)
                if exchange is None:
                    continue
                following = [
                    each
                    for each in linked(self._channel.contract, operation, exchange.response)
                    if self._judged(each, before=(exchange,)) is not None
                ]
                if following:
                    self._look_at_pages(exchange)
                    self._apart(following, exchange)
                if (odd := _mislabelled(example)) is not None:
                    self._judged(odd)
        if self.missing:
            self._channel.contract = without(self._channel.contract, self.missing)

    def _is_gone(self, example: Example, exchange: ContractExchange) -> bool:
        """Whether the server does not have an operation that is only assumed; found out at the first good request to it, and
        noted in one line."""
        operation = example.operation
        if operation.id in self.tried or example.error or not is_assumed(operation):
            return False
        self.tried.add(operation.id)
        response = exchange.response
        if response is None or not is_missing(self._where.profile, response):
            return False
        self.missing[operation.id] = operation
        self._findings.notes.append(self._channel.redactor.redact(absence_note(operation, response)))
        return True

    def _look_at_pages(self, exchange: ContractExchange) -> None:
        """Say so where the hosted checkout is at another host: nobody opens it from here, and settings must name it."""
        assert exchange.response
        event = exchange.event
        url = (event.payment_url or "") if isinstance(event, Opened) else ""
        host = urlsplit(url).netloc
        note = f"payment_url leads to {host}, which is not the server's own host"
        if host and host not in self._where.hosts and note not in self._findings.notes:
            self._findings.notes.append(note)

    def _apart(self, following: list[Example], opened: ContractExchange) -> None:
        """Another merchant is told nothing of this payment. Tried once, by every way to ask."""
        good = good_example(self._channel.contract, self._where.profile.named("authenticate"))
        token = self._where.key(self._where.other) if self._where.other else ""
        if not self._where.other or APART in self.tried or not (good or token):
            return
        self.tried.add(APART)
        exchanges = [opened]
        if good is not None:
            issued = self._channel.send_example(_as_another(good, self._where), merchant=self._where.other)
            token = issued_by(issued.event) if issued.response else ""
            exchanges.append(issued)
        if not token:
            self._findings.untried[APART] = "the second merchant gets no access token: check sandbox.other"
            return
        for example in following:
            exchange = self._channel.send_example(example, token=token)
            if exchange.response is not None and exchange.response.status not in (401, 403, 404, 429):
                message = f"HTTP {exchange.response.status} to another merchant who asks for this payment"
                self._findings.add(APART, example.operation.id, "examples", message, (*exchanges, exchange))

    def _judged(self, example: Example, *, before: tuple[ContractExchange, ...] = ()) -> ContractExchange | None:
        """An example sent and held to the rules; None where the server does not have its operation, which is only assumed."""
        if example.operation.id in self.missing:
            return None
        exchange = self._channel.send_example(example)
        if self._is_gone(example, exchange):
            return None
        for check, message in self._wrong(example, exchange):
            self._findings.add(check, example.operation.id, "examples", message, (*before, exchange))
        return exchange

    def _wrong(self, example: Example, exchange: ContractExchange) -> Iterator[tuple[str, str]]:
        yield from broken(self._bench, exchange)
        if exchange.response is None:
            return
        for problem in self._channel.contract.response_problems(exchange.request, exchange.response):
            yield "is_as_the_contract_says", _in_words(problem)
        if not example.error:
            return
        known = self._where.profile.errors[example.error]
        if exchange.response.status != known.status or not known.is_among(exchange.event.texts):
            yield (
                "answers_as_in_the_example",
                f'example "{example.name}": HTTP {exchange.response.status} {list(exchange.event.texts)}, '
                f"expected HTTP {known.status} {list(known.texts)} ({known.provenance}: {known.source})",
            )


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


def _in_words(problem: ContractProblem) -> str:
    known = f" ({problem.weight}: {problem.source})" if problem.source else ""
    return f"{problem}{known}"
