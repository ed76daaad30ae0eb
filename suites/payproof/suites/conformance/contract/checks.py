"""The rules as schemathesis checks. They speak up in our own runs only: whoever has payproof installed and runs schemathesis
otherwise hears nothing of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

import schemathesis
from schemathesis.checks import CheckContext
from schemathesis.core.transport import Response as Answer

from payproof.suites.conformance.contract.channel import MARK, ContractExchange
from payproof.suites.conformance.contract.rules import RULES, Bench, Rule

KEY = "x-payproof-run"
"""Key of a document that says whose run it is."""
_RUNS: WeakValueDictionary[str, BenchHandle] = WeakValueDictionary()


class BenchHandle:
    """A run that checks can find by the key in its document."""

    def __init__(self, key: str, bench: Bench) -> None:
        self.key, self.bench = key, bench
        _RUNS[key] = self


def exchange_of(bench: Bench, response: Answer | None) -> ContractExchange | None:
    """Our own record of an answer that schemathesis holds."""
    marks = response.headers.get(MARK) if response is not None else None
    return bench.channel.exchanges[int(marks[0])] if marks else None


def _registered(name: str, rule: Rule) -> Callable[..., Any]:
    def check(ctx: CheckContext, response: Answer, case: Any) -> bool | None:
        handle = _RUNS.get(str(case.operation.schema.raw_schema.get(KEY, "")))
        exchange = exchange_of(handle.bench, response) if handle else None
        if handle is not None and exchange is not None and (wrong := list(rule(handle.bench, exchange))):
            raise AssertionError("\n".join(wrong))
        return None

    check.__name__ = name
    return schemathesis.check(check)


CHECKS: dict[str, Callable[..., Any]] = {name: _registered(name, rule) for name, rule in RULES.items()}
