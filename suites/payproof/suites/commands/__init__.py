"""The commands of ``payproof``, one small module each; errors and interruptions end here."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator, Sequence

import click

from payproof.contracts import __version__
from payproof.contracts.model import PayproofError
from payproof.suites.commands.lazy import LazyGroup
from payproof.suites.commands.unsteered import guarded
from payproof.suites.commands.whole_help import SETTINGS
from payproof.suites.resources import lacking, raise_limits

NOT_SCORED = 2


_HERE = "payproof.suites.commands"
COMMANDS = {
    "run": f"{_HERE}.run:run",
    "explore": f"{_HERE}.explore:explore",
    "replay": f"{_HERE}.replay:replay",
    "init": f"{_HERE}.init:init",
    "check": f"{_HERE}.judging:check",
    "report": f"{_HERE}.judging:report",
    "compare": f"{_HERE}.compare:compare",
    "can-i-go-live": f"{_HERE}.go_live:can_i_go_live",
    "bundle": f"{_HERE}.bundle:bundle",
    "verify": f"{_HERE}.bundle:verify",
    "list": f"{_HERE}.listing:listing",
    "explain": f"{_HERE}.listing:explain",
    "serve": f"{_HERE}.serve:serve",
    "drift": f"{_HERE}.drift:drift",
    "contract": f"{_HERE}.contract:contract",
    "selftest": f"{_HERE}.selftest:selftest",
    "doctor": f"{_HERE}.doctor:doctor",
    "lint": f"{_HERE}.lint:lint",
    "schema": f"{_HERE}.schema:schema",
    "record": f"{_HERE}.record:record",
    "cassettes": f"{_HERE}.cassettes:cassettes",
}
"""Name of each command -> its function, which is imported when the command is called."""


@click.group(cls=LazyGroup, places=COMMANDS, context_settings=SETTINGS)
@click.version_option(__version__, prog_name="payproof", message="%(prog)s %(version)s")
def payproof() -> None:
    """Prove a payment integration before it goes live.

    Start with `payproof init` and `payproof run`.
    """


def command(arguments: Sequence[str] | None = None) -> int:
    """Parse and run; every error becomes a message on stderr and an exit code.

    Raises:
        KeyboardInterrupt: Ctrl-C, after everything was stopped.
    """
    raise_limits()
    with guarded():
        return _called(arguments)


def _called(arguments: Sequence[str] | None) -> int:
    try:
        return int(payproof.main(arguments, prog_name="payproof", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except BaseExceptionGroup as group:
        return _failed(group)
    except Exception as error:
        return _failed(error)


def _failed(error: BaseException) -> int:
    leaves = list(_leaves(error))
    if any(isinstance(leaf, KeyboardInterrupt) for leaf in leaves):
        raise KeyboardInterrupt from None
    if found := lacking(error):
        show(found)
        return NOT_SCORED
    known = [leaf for leaf in leaves if isinstance(leaf, PayproofError)]
    for leaf in known:
        show(leaf)
    if not known:
        _own_fault(leaves[0], error)
    return NOT_SCORED


def show(error: PayproofError) -> None:
    """Three lines on stderr: what, where, what to do."""
    _say(f"error: {error.message}")
    if error.place:
        _say(f"  at: {error.place}")
    if error.remedy:
        _say(f"  do: {error.remedy}")


def _own_fault(leaf: BaseException, whole: BaseException) -> None:
    if os.environ.get("PAYPROOF_DEBUG"):
        traceback.print_exception(whole, file=sys.stderr)
    name = type(leaf).__name__
    _say(f"error: payproof itself failed ({name}: {leaf}); nothing is said about the integration")
    _say("  do: run again with PAYPROOF_DEBUG=1 and report what it prints to the payproof project")


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
            yield from _leaves(inner)  # pyright: ignore[reportUnknownArgumentType]
    else:
        yield error


def _say(line: str) -> None:
    """On stderr. A message may quote what a stranger wrote: nothing of it may steer the terminal."""
    from payproof.contracts.reading import levels
    from payproof.reports.facts import clean

    click.echo(clean(levels.plain(line)), err=True)
