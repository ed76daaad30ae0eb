"""The suite for people: what shows while it works, and what it says at its end."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.status import Status

from payproof.suites.conformance.contract.values import BrokenRule, SuiteResult

_MOST = 20
"""Failures that are shown in full."""
_LONGEST = 1_500
"""Characters of one cURL command."""


class ContractProgress:
    """One line that changes on a terminal; elsewhere a line for each phase when it is over, and the notes. Requests and failures are
    those so far."""

    def __init__(self, console: Console, *, quiet: bool) -> None:
        self._console, self._quiet, self._phase, self._line = console, quiet, "", ""
        self._live: Status | None = None
        if not quiet and console.is_terminal:
            self._live = console.status("examples")
            self._live.start()

    def part(self, phase: str, operation: str, sent: int, failures: int) -> None:
        so_far = f"{sent} requests", f"{failures} failures" if failures else ""
        if self._live is not None:
            self._live.update(" · ".join(filter(None, (phase, operation, *so_far))))
        elif phase != self._phase:
            self._over()
        self._phase, self._line = phase, " · ".join(filter(None, (phase, *so_far)))

    def _over(self) -> None:
        if self._line and not self._quiet:
            self._console.print(self._line, highlight=False)
        self._line = ""

    def note(self, text: str) -> None:
        if not self._quiet:
            self._console.print(text, highlight=False)

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
        else:
            self._over()


def lines(result: SuiteResult, *, verbose: bool = False) -> Iterator[str]:
    """The end's summary. ``verbose``: every finding, and every request to its end."""
    most, longest = (len(result.failures), 2**31) if verbose else (_MOST, _LONGEST)
    yield f"{result.gateway}: the {result.server} against its contract"
    yield f"  {result.requests} of at most {result.budget} requests in {result.seconds:.0f} s, seed {result.seed}"
    width = max(len(covered.operation) for covered in result.covered)
    for covered in result.covered:
        statuses = ", ".join(f"{count} × {status}" for status, count in covered.statuses.items()) or "never asked"
        yield f"  {covered.operation:<{width}}  {statuses}"
    yield from (f"  note: {note}" for note in result.notes)
    for failure in result.failures[:most]:
        yield ""
        yield from failure_lines(failure, longest)
    if len(result.failures) > most:
        yield f"... and {len(result.failures) - most} more: --verbose shows them all"
    yield ""
    yield _verdict(result)


def failure_lines(failure: BrokenRule, longest: int = _LONGEST) -> Iterator[str]:
    """One failure, line by line. ``longest``: characters of a request."""
    times = f", {failure.count} times" if failure.count > 1 else ""
    yield f"✗ {failure.check} · {failure.operation} ({failure.phase}{times})"
    yield from (f"    {line}" for line in failure.message.splitlines())
    for curl in failure.before:
        yield f"    after:  {_cut(curl, longest)}"
    if failure.curl:
        yield f"    repeat: {_cut(failure.curl, longest)}"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text)} characters)"


def _verdict(result: SuiteResult) -> str:
    if result.failures:
        return f"the contract is broken: {len(result.failures)} finding(s)"
    if not result.complete:
        return f"not scored: never seen to work: {', '.join(result.unseen)}"
    waiting = [covered.operation for covered in result.covered if not covered.succeeded]
    beside = f"; {', '.join(waiting)} only as far as it goes before a customer has paid" if waiting else ""
    return f"the contract is kept: {len(result.covered)} of {len(result.covered)} operations{beside}"
