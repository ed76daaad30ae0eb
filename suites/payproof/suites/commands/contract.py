"""``payproof contract``: a server held to its gateway's contract."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from payproof.contracts import profile
from payproof.contracts.model import PayproofError
from payproof.suites.commands import options
from payproof.suites.config import load_config

if TYPE_CHECKING:
    from payproof.suites.conformance.contract import SuiteResult

KEPT, BROKEN, NOT_SCORED = 0, 1, 2


@click.command()
@options.config
@click.option("--target", type=click.Choice(("simulator", "sandbox")), default="simulator", show_default=True)
@click.option(
    "--gateway", default="", metavar="NAME", help="The simulator to play; default: the file's, else quatapay."
)
@click.option("--budget", type=click.IntRange(1), default=None, help="Requests; default 300 at a sandbox, 1500 else.")
@click.option(
    "--rate", type=click.IntRange(1), default=None, help="Requests a minute at a sandbox; default: the file's, 50."
)
@click.option("--seed", type=int, default=None, help="Repeat a run: it tells its seed.")
@click.option("--verbose", "-v", is_flag=True, help="Every finding, and every request to its end.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def contract(
    config_path: Path | None,
    target: str,
    gateway: str,
    budget: int | None,
    rate: int | None,
    seed: int | None,
    verbose: bool,
    quiet: bool,
) -> int:
    """Hold a server to the gateway's contract: examples, coverage, fuzzing, stateful, odd data.

    The server is the simulator, or the sandbox of the configuration file; the integration is not started.

    Exit codes: 0 the contract is kept, 1 it is broken, 2 not scored, 130 interrupted.
    """
    from payproof.suites.conformance.contract import perform, sandbox, simulated
    from payproof.suites.conformance.contract.showing import ContractProgress, lines

    shown = ContractProgress(Console(file=sys.stderr), quiet=quiet)
    with tempfile.TemporaryDirectory(prefix="payproof-contract-") as folder, contextlib.closing(shown):
        os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", folder)  # nothing is left behind where it was called
        if target == "sandbox":
            if gateway:
                raise PayproofError("the sandbox is the file's gateway", place="--gateway", remedy="leave it out")
            result = perform(sandbox(load_config(config_path), rate=rate), budget=budget, seed=seed, progress=shown)
        else:
            name = gateway or (load_config(config_path).gateway if config_path else "quatapay")
            with simulated(profile.load(name)) as where:
                result = perform(where, budget=budget, seed=seed, progress=shown)
    for line in lines(result, verbose=verbose):
        click.echo(line)
    return exit_code(result)


def exit_code(result: SuiteResult) -> int:
    """Without a failure it counts only when every operation was seen to work."""
    if result.failures:
        return BROKEN
    return KEPT if result.complete else NOT_SCORED
