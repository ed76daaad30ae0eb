"""Schemathesis, driven: one phase at a time on one operation at a time, so that a small budget reaches all of them.

The only module that knows schemathesis' engine. Every request of it goes through our channel.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, cast

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.transport import Response as Answer
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder

from payproof.contracts.contract import DocumentedOperation
from payproof.contracts.model import PayproofError
from payproof.suites.conformance.contract.channel import SILENT, ContractExchange
from payproof.suites.conformance.contract.rules import Bench, broken
from payproof.suites.conformance.contract.values import BUILT_IN

_MARK = "x-payproof-exchange"
"""Header by which an answer that the generator holds is known to be one of ours."""
_THEIRS = {"content-length", "content-encoding", "transfer-encoding", "connection", "keep-alive", _MARK}
MOST_STEPS = 6
"""Requests of one stateful scenario."""


class Seen(NamedTuple):
    """One broken rule as it was met."""

    check: str
    operation: str
    message: str
    chain: tuple[ContractExchange, ...]


class _Server:
    """A WSGI application: what the generator takes for the server. Each exchange is held to our own rules at once."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.channel = bench, bench.channel
        self.broken: dict[int, tuple[tuple[str, str], ...]] = {}
        """Number of an exchange -> (rule, what is wrong), until it is reported."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        headers = [
            (key[5:].replace("_", "-").title(), value) for key, value in environ.items() if key.startswith("HTTP_")
        ]
        headers += [("Content-Type", environ["CONTENT_TYPE"])] if environ.get("CONTENT_TYPE") else []
        target = environ.get("REQUEST_URI") or environ["PATH_INFO"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        exchange = self.channel.send(environ["REQUEST_METHOD"], target, headers, body)
        self.broken[exchange.n] = tuple(broken(self.bench, exchange))
        response = exchange.response
        back = [(name, value) for name, value in (response.headers if response else ()) if name.lower() not in _THEIRS]
        start_response(f"{response.status if response else SILENT} answer", [*back, (_MARK, str(exchange.n))])
        return [exchange.raw[1]]

    def exchange_of(self, answer: Answer | None) -> ContractExchange | None:
        """Our own record of an answer that the generator holds."""
        marks = answer.headers.get(_MARK) if answer is not None else None
        return self.channel.exchanges[int(marks[0])] if marks else None


def drive(
    bench: Bench, phase: str, operation: DocumentedOperation | None, *, seed: int, on_scenario: Callable[[], None]
) -> Iterator[Seen]:
    """One phase, on one operation or (stateful) on all, until the budget's part is spent or the phase is over. ``on_scenario`` is called
    after each scenario.

    Raises:
        PayproofError: the server cannot be reached, or the generator could not do its work.
        KeyboardInterrupt: somebody interrupted it.
    """
    server = _Server(bench)
    schema = _schema(server, phase, seed)
    chosen = schema.include(operation_id=operation.id) if operation else schema
    for event in from_schema(chosen).execute():
        if isinstance(event, events.ScenarioFinished):
            yield from _failures(server, event.recorder)
            on_scenario()
        elif isinstance(event, events.Interrupted):
            if bench.channel.down is not None:
                raise bench.channel.down
            if bench.channel.left > 0:
                raise KeyboardInterrupt
        elif isinstance(event, events.NonFatalError):
            _failed(event.value, phase, operation)
        elif isinstance(event, events.FatalError):
            raise event.exception
    yield from _unreported(server)


def _checks(document: dict[str, Any]) -> list[str]:
    """The generator's own checks. A gateway that answers otherwise than 405 to a method that it does not have says so."""
    otherwise = "405" not in document.get("x-other-method", {"405": {}})
    return [name for name in BUILT_IN if not (otherwise and name == "unsupported_method")]


def _schema(server: _Server, phase: str, seed: int) -> Any:
    channel = server.channel
    document = cast("dict[str, Any]", copy.deepcopy(channel.contract.document))
    schema: Any = schemathesis.openapi.from_dict(document, config=SchemathesisConfig(seed=seed))
    schema.app = server
    config = schema.config
    config.update(continue_on_failure=True)
    config.phases.update(phases=[phase])
    config.phases.stateful.max_steps = MOST_STEPS
    config.phases.stateful.inference.algorithms = []
    config.checks.update(included_check_names=_checks(document))
    config.generation.update(
        max_examples=max(1, channel.left), no_shrink=True, database="none", with_security_parameters=False
    )

    @schema.auth(refresh_interval=None)
    class Bearer:
        """A young access token, where a link has not brought one already; the credentials, where they travel in this header."""

        def get(self, case: Any, context: Any) -> str | None:
            raw = case.operation.definition.raw
            word = str(raw.get("x-operation", raw["operationId"]))
            if raw.get("security") == [] or channel.where.issues(word):
                return channel.where.basic(word) or None
            return f"Bearer {channel.token()}"

        def set(self, case: Any, data: str | None, context: Any) -> None:
            if data is not None:
                case.headers.setdefault("Authorization", data)

    return schema


def _failures(server: _Server, recorder: ScenarioRecorder) -> Iterator[Seen]:
    for case_id, case in recorder.cases.items():
        chain = _chain(server, recorder, case_id)
        for rule, message in server.broken.pop(chain[-1].n, ()) if chain else ():
            yield Seen(rule, _operation_id(case), message, chain)
    for case_id, nodes in recorder.checks.items():
        for node in nodes:
            if node.status is not Status.FAILURE or node.failure_info is None:
                continue
            failure = node.failure_info.failure
            chain = _chain(server, recorder, failure.case_id or case_id)
            if chain and chain[-1].response is None:
                continue  # it judged the stand-in for an answer that never came
            message = f"{failure.title}: {_short(failure.message)}"
            yield Seen(node.name, _operation_id(recorder.cases[case_id]), message, chain)


def _unreported(server: _Server) -> Iterator[Seen]:
    """Of exchanges after which the generator was broken off."""
    for n, wrong in server.broken.items():
        exchange = server.channel.exchanges[n]
        operation = server.channel.contract.match(exchange.request).operation
        for rule, message in wrong:
            yield Seen(rule, operation.id if operation else "", message, (exchange,))


def _operation_id(node: Any) -> str:
    return str(node.value.operation.definition.raw["operationId"])


def _short(message: str) -> str:
    """The first paragraph, and the value that was found; the schema between them stands in the document."""
    first, _, rest = message.partition("\n\n")
    value = rest.partition("Value:")[2].strip()
    return " ".join(f"{first} (found: {value})".split()) if value else " ".join(first.split())


def _chain(server: _Server, recorder: ScenarioRecorder, case_id: str) -> tuple[ContractExchange, ...]:
    """The exchange, after those that it builds on."""
    chain: list[ContractExchange] = []
    at: str | None = case_id
    while at is not None and at in recorder.cases:
        if (exchange := server.exchange_of(recorder.find_response(case_id=at))) is not None:
            chain.insert(0, exchange)
        at = recorder.cases[at].parent_id
    return tuple(chain)


def _failed(error: Exception, phase: str, operation: DocumentedOperation | None) -> None:
    known = error if isinstance(error, PayproofError) else error.__cause__
    if isinstance(known, PayproofError):
        raise known
    raise PayproofError(
        f"schemathesis could not do its work: {type(error).__name__}: {error}",
        place=f"{phase} {operation.id if operation else ''}".strip(),
        remedy="see docs/contract.md for the versions that it was tried with",
    )
