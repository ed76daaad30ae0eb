"""What the suite found, each thing once: a rule, an operation, and what was wrong."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace

from payproof.suites.conformance.contract.channel import ContractExchange
from payproof.suites.conformance.contract.values import BrokenRule


class Findings:
    """``cover``: a text without secrets. ``notes``: what the suite could not do. ``untried``: check -> why nothing was tried for it."""

    def __init__(self, cover: Callable[[str], str]) -> None:
        self._cover = cover
        self._found: dict[tuple[str, str, str], BrokenRule] = {}
        self.notes: list[str] = []
        self.untried: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._found)

    @property
    def failures(self) -> tuple[BrokenRule, ...]:
        return tuple(self._found.values())

    def add(self, check: str, operation: str, phase: str, message: str, chain: tuple[ContractExchange, ...]) -> None:
        """Kept once for each rule, operation and first line of what is wrong. ``chain``: the exchange, after those that it builds on."""
        text = self._cover(message)
        key = (check, operation, text.partition("\n")[0][:120])
        if old := self._found.get(key):
            self._found[key] = replace(old, count=old.count + 1)
            return
        *before, curl = [self._cover(_curl(exchange)) for exchange in chain] or [""]
        self._found[key] = BrokenRule(
            check=check, operation=operation, phase=phase, message=text, curl=curl, before=tuple(before)
        )


def _curl(exchange: ContractExchange) -> str:
    request = exchange.request
    parts = ["curl", "-sS", "-X", request.method, request.url]
    for name, value in request.headers:
        parts += ["-H", f"{name}: {value}"]
    if request.body:
        parts += ["--data-raw", request.body]
    return shlex.join(parts)
