"""The suite's own rules: what must hold of an exchange, whatever was sent. Each yields what is wrong, in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeAlias

from payproof.contracts import money
from payproof.contracts.comparing import fields
from payproof.contracts.contract.document import lineage
from payproof.contracts.contract.problems import ContractProblem
from payproof.contracts.entries import Response, header
from payproof.contracts.events import Confirmed, Opened, Role, issued_by
from payproof.contracts.profile import Profile, module, package_of
from payproof.suites.conformance.contract.channel import SILENT, Channel, ContractExchange

AFTER_PAYING: tuple[Role, ...] = ("settle", "refund", "verify-notice")
"""Roles of calls that work only once a customer has agreed to pay; the suite has none, and is refused."""


@dataclass(slots=True)
class Bench:
    """What the rules know of a run. ``asked``: payment -> what the create call that opened it asked for. ``guarded``: operations
    that were tried without a good access token. ``keys``: idempotency key -> the request that had it first."""

    channel: Channel
    asked: dict[str, Opened] = field(default_factory=dict[str, Opened])
    guarded: set[str] = field(default_factory=set[str])
    keys: dict[str, tuple[str, bytes]] = field(default_factory=dict[str, tuple[str, bytes]])

    @property
    def profile(self) -> Profile:
        return self.channel.where.profile


Rule: TypeAlias = Callable[[Bench, ContractExchange], Iterator[str]]


def envelope(bench: Bench, exchange: ContractExchange) -> Iterator[str]:
    """Every answer of an operation is in the gateway's envelope and keeps its rules."""
    match, response = bench.channel.contract.match(exchange.request), exchange.response
    if match.operation is None or response is None:
        return
    outside = {
        error.status for error in bench.profile.errors.values() if not error.envelope and match.word in error.operations
    }
    if response.status not in outside:
        yield from envelope_of(bench.profile)(response)


def envelope_of(profile: Profile) -> Callable[[Response], Iterator[str]]:
    """The gateway's own rules, or those of the gateway that it extends."""
    for gateway in lineage(profile.name):
        if (found := module(f"{package_of(gateway)}.envelope")) is not None:
            broken: Callable[[Response], Iterator[str]] = found.broken
            return broken
    return lambda response: iter(())


def no_secret(bench: Bench, exchange: ContractExchange) -> Iterator[str]:
    """No answer repeats a credential; the answer that issues an access token holds that one."""
    response = exchange.response
    if response is None:
        return
    issued = issued_by(exchange.event)
    text = "\n".join((*(f"{name}: {value}" for name, value in response.headers), response.body))
    text = text.replace(issued, "") if issued else text
    if (covered := bench.channel.redactor.redact(text)) != text:
        start = max(0, next(i for i, (a, b) in enumerate(zip(covered, text, strict=False)) if a != b) - 60)
        yield f"HTTP {response.status} repeats a credential: …{covered[start : start + 200]}"


def reads(bench: Bench, exchange: ContractExchange) -> Iterator[str]:
    """A status check changes nothing: asked again it is answered alike, and it tells what create was asked for, unpaid."""
    response = exchange.response
    if response is None or not 200 <= response.status < 300:
        return
    event = exchange.event
    if isinstance(event, Opened) and event.payment:
        bench.asked[event.payment] = event
    if not isinstance(event, Confirmed):
        return
    if event.paid:
        yield "a payment that nobody has paid is said to be paid"
    created = bench.asked.get(event.payment or "")
    if created is not None:
        yield from _otherwise(bench.profile, created, event)
    yield from _again(bench, exchange, response)


def _otherwise(profile: Profile, created: Opened, confirmed: Confirmed) -> Iterator[str]:
    asked, amount = money.parse(created.amount), money.parse(confirmed.amount)
    unit = Decimal(1).scaleb(-profile.money.decimals(created.currency or ""))
    rounded = None if asked is None else asked.quantize(unit, rounding=ROUND_HALF_UP)
    if rounded is not None and amount != rounded:
        yield f"the amount is {confirmed.amount}, create asked for {created.amount}"
    if (confirmed.currency or "").upper() != (created.currency or "").strip().upper():
        yield f"the currency is {confirmed.currency}, create asked for {created.currency}"
    if (confirmed.reference or "").strip() != (created.reference or "").strip():
        yield f"the order id is {confirmed.reference!r}, create gave {created.reference!r}"


def _again(bench: Bench, exchange: ContractExchange, response: Response) -> Iterator[str]:
    request = exchange.request
    target = request.url.removeprefix(bench.channel.where.origin)
    second = bench.channel.send(request.method, target, request.headers, exchange.raw[0]).response
    if second is None:
        yield "asked again, it is not answered"
    elif second.status not in (response.status, 429):
        yield f"HTTP {response.status}, and HTTP {second.status} when asked again"
    elif second.status == response.status and _parsed(second) != _parsed(response):
        yield f"{response.body[:300]}, and when asked again {second.body[:300]}"


def _parsed(response: Response) -> Any:
    found = fields.of_body(response.body, response.headers)
    return response.body if found is None else found


def refuses(bench: Bench, exchange: ContractExchange) -> Iterator[str]:
    """What the contract says a server must refuse is refused, JSON that does not call itself JSON included."""
    response = exchange.response
    if response is not None and response.status < 400:
        for problem in bench.channel.contract.refused(exchange.request):
            yield f"HTTP {response.status} although {_shown(problem)}"


def takes(bench: Bench, exchange: ContractExchange) -> Iterator[str]:
    """A request that is as the contract says is not refused, with an access token that this server gave."""
    contract, response = bench.channel.contract, exchange.response
    match, event = contract.match(exchange.request), exchange.event
    asked = (exchange.request.url, exchange.raw[0])
    key_used = bool(event.idempotency_key) and bench.keys.setdefault(event.idempotency_key or "", asked) != asked
    if match.operation is None or response is None or response.status in (429, SILENT) or response.status < 400:
        return
    if contract.request_problems(exchange.request) or contract.refused(exchange.request):
        return
    if contract.needs_bearer(match.operation) and not bench.channel.bearer(exchange):
        return
    role = bench.profile.role_of(match.word)
    # An id that somebody made up is as the contract says, too; and what depends on the payment's state cannot be told from outside.
    made_up = response.status == 404 and (role == "confirm" or "{" in match.operation.path)
    made_up |= response.status < 500 and contract.names_something(exchange.request)
    by_state = (role is None or role in AFTER_PAYING) and response.status < 500
    if not made_up and not by_state and not key_used:
        texts = list(event.texts) or response.body[:200]
        yield f"HTTP {response.status} {texts} to a request that is as the contract says"


def guards(bench: Bench, exchange: ContractExchange) -> Iterator[str]:
    """What went well with an access token is refused without one, and with one that nobody was given. Tried once each."""
    contract, request = bench.channel.contract, exchange.request
    operation = contract.match(request).operation
    went_well = exchange.response is not None and exchange.response.status < 300 and bench.channel.bearer(exchange)
    if operation is None or not went_well or operation.id in bench.guarded:
        return
    rest = tuple((name, value) for name, value in request.headers if name.lower() != "authorization")
    if not any(p.place == "header authorization" for p in contract.request_problems(replace(request, headers=rest))):
        return  # it may go without
    bench.guarded.add(operation.id)
    foreign = header(request.headers, "authorization").partition(" ")[2][::-1]
    target = request.url.removeprefix(bench.channel.where.origin)
    for what, headers in (
        ("no credentials", rest),
        ("made-up ones", (*rest, ("Authorization", f"Bearer {foreign}"))),
    ):
        answer = bench.channel.send(request.method, target, headers, exchange.raw[0]).response
        if answer is not None and answer.status not in (401, 403, 429):
            yield f"HTTP {answer.status} to a call with {what}"


def answers(bench: Bench, exchange: ContractExchange) -> Iterator[str]:
    """Every request is answered."""
    if exchange.response is None and exchange.sent:
        yield "there was no answer"


def _shown(problem: ContractProblem) -> str:
    return f"{problem.place} is {json.dumps(problem.actual)}"


RULES: Mapping[str, Rule] = {
    "keeps_the_envelope": envelope,
    "repeats_no_credential": no_secret,
    "changes_nothing_when_read": reads,
    "refuses_what_it_must": refuses,
    "takes_what_it_must": takes,
    "asks_for_the_token": guards,
    "answers": answers,
}


def broken(bench: Bench, exchange: ContractExchange) -> Iterator[tuple[str, str]]:
    """(rule, what is wrong) of an exchange."""
    for name, rule in RULES.items():
        yield from ((name, message) for message in rule(bench, exchange))
