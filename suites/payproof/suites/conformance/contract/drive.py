"""Schemathesis, driven: one phase at a time on one operation at a time, so that a small budget reaches all of them.

The only module that knows schemathesis' engine. Every request of it goes through our channel, which is its WSGI application.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any, cast

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder

from payproof.contracts.contract import Operation
from payproof.contracts.model import PayproofError
from payproof.suites.conformance.contract import checks
from payproof.suites.conformance.contract.channel import Channel, ContractExchange
from payproof.suites.conformance.contract.rules import RULES, Bench
from payproof.suites.conformance.contract.values import BUILT_IN

MOST_STEPS = 6
"""Requests of one stateful story."""


class Seen:
    """One broken rule as schemathesis met it."""

    def __init__(self, check: str, operation: str, message: str, chain: tuple[ContractExchange, ...]) -> None:
        self.check, self.operation, self.message, self.chain = check, operation, message, chain


def drive(
    bench: Bench, phase: str, operation: Operation | None, *, seed: int, told: Callable[[], None]
) -> Iterator[Seen]:
    """One phase, on one operation or (stateful) on all, until the pace's part is spent or the phase is over. ``told`` is called
    after each scenario.

    Raises:
        PayproofError: the server cannot be reached, or the generator could not do its work.
        KeyboardInterrupt: somebody interrupted it.
    """
    handle = checks.BenchHandle(f"{phase}-{operation.id if operation else 'all'}-{id(bench)}", bench)
    schema = _schema(bench.channel, handle.key, phase, seed)
    chosen = schema.include(operation_id=operation.id) if operation else schema
    for event in from_schema(chosen).execute():
        if isinstance(event, events.ScenarioFinished):
            yield from _failures(bench, event.recorder)
            told()
        elif isinstance(event, events.Interrupted):
            if bench.channel.down is not None:
                raise bench.channel.down
            if bench.channel.left > 0:
                raise KeyboardInterrupt
        elif isinstance(event, events.NonFatalError):
            _broken(event.value, phase, operation)
        elif isinstance(event, events.FatalError):
            raise event.exception


def _schema(channel: Channel, key: str, phase: str, seed: int) -> Any:
    document = cast("dict[str, Any]", copy.deepcopy(channel.contract.document))
    document[checks.KEY] = key
    schema: Any = schemathesis.openapi.from_dict(document, config=SchemathesisConfig(seed=seed))
    schema.app = channel
    config = schema.config
    config.update(continue_on_failure=True)
    config.phases.update(phases=[phase])
    config.phases.stateful.max_steps = MOST_STEPS
    config.phases.stateful.inference.algorithms = []
    config.checks.update(included_check_names=[*RULES, *BUILT_IN])
    config.generation.update(
        max_examples=max(1, channel.left), no_shrink=True, database="none", with_security_parameters=False
    )

    @schema.auth(refresh_interval=None)
    class Bearer:
        """A young access token, where a link has not brought one already; the credentials, where they travel in this header."""

        def get(self, case: Any, context: Any) -> str | None:
            raw = case.operation.definition.raw
            if raw.get("security") == []:
                return channel.where.basic(str(raw.get("x-operation", raw["operationId"]))) or None
            return f"Bearer {channel.token()}"

        def set(self, case: Any, data: str | None, context: Any) -> None:
            if data is not None:
                case.headers.setdefault("Authorization", data)

    return schema


def _failures(bench: Bench, recorder: ScenarioRecorder) -> Iterator[Seen]:
    for case_id, nodes in recorder.checks.items():
        for node in nodes:
            if node.status is not Status.FAILURE or node.failure_info is None:
                continue
            failure = node.failure_info.failure
            own = node.name in RULES
            chain = _chain(bench, recorder, failure.case_id or case_id)
            if not own and chain and chain[-1].response is None:
                continue  # it judged the stand-in for an answer that never came
            message = failure.message if own else f"{failure.title}: {_short(failure.message)}"
            yield Seen(node.name, _operation_id(recorder.cases[case_id]), message, chain)


def _operation_id(node: Any) -> str:
    return str(node.value.operation.definition.raw["operationId"])


def _short(message: str) -> str:
    """The first paragraph, and the value that was found; the schema between them stands in the document."""
    first, _, rest = message.partition("\n\n")
    value = rest.partition("Value:")[2].strip()
    return " ".join(f"{first} (found: {value})".split()) if value else " ".join(first.split())


def _chain(bench: Bench, recorder: ScenarioRecorder, case_id: str) -> tuple[ContractExchange, ...]:
    """The exchange, after those that it builds on."""
    chain: list[ContractExchange] = []
    at: str | None = case_id
    while at is not None and at in recorder.cases:
        if (exchange := checks.exchange_of(bench, recorder.find_response(case_id=at))) is not None:
            chain.insert(0, exchange)
        at = recorder.cases[at].parent_id
    return tuple(chain)


def _broken(error: Exception, phase: str, operation: Operation | None) -> None:
    known = error if isinstance(error, PayproofError) else error.__cause__
    if isinstance(known, PayproofError):
        raise known
    raise PayproofError(
        f"schemathesis could not do its work: {type(error).__name__}: {error}",
        place=f"{phase} {operation.id if operation else ''}".strip(),
        remedy="see docs/contract.md for the versions that it was tried with",
    )
