"""``payproof run``: start the integration, provoke, judge, report."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from payproof.contracts.model import PayproofError
from payproof.contracts.run import Run
from payproof.suites.commands import baseline, options, verdict
from payproof.suites.commands.short_forms import Flags, tables
from payproof.suites.config import Config, load_config, make_config, with_baseline

if TYPE_CHECKING:
    from payproof.simulator.relay.sandbox_exchange import OnExchange
    from payproof.simulator.target import TargetKind
    from payproof.suites.run.plan import Options

TARGETS = ("simulator", "sandbox", "cassette")


@click.command()
@options.config
@click.option("--target", type=click.Choice(TARGETS), default="simulator", show_default=True, help="What it talks to.")
@click.option(
    "--only",
    multiple=True,
    metavar="ID",
    shell_complete=options.ids,
    help="Requirement, group or checklist item; repeatable.",
)
@click.option("-k", "expression", default="", metavar="EXPR", help='Like pytest: "token and not stampede".')
@click.option("--quick", is_flag=True, help="Leave out the probes that wait for real seconds; end after half a minute.")
@click.option(
    "--worlds", type=click.IntRange(2), default=8, show_default=True, help="Instances of the integration at a time."
)
@click.option("--seed", type=int, default=None, help="Repeat a run: its report names its seed.")
@options.reports
@click.option(
    "--show-env", is_flag=True, help="Print an instance's environment and command, to start it by hand; run nothing."
)
@options.write_baseline
@click.option("--skip-unconfigured", is_flag=True, help="Without a sandbox's credentials: one line, and exit 0.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@click.option("--verbose", "-v", is_flag=True, help="Show every requirement, also those that passed.")
@options.recipe
def run(
    config_path: Path | None,
    target: TargetKind,
    only: tuple[str, ...],
    expression: str,
    quick: bool,
    worlds: int,
    seed: int | None,
    report_dir: Path,
    formats: tuple[str, ...],
    show_env: bool,
    write_baseline: bool,
    skip_unconfigured: bool,
    quiet: bool,
    verbose: bool,
    **flags: Any,
) -> int:
    """Test an integration and write the go-live report.

    \b
    With a file:     payproof run [--config payproof.toml]
    Without a file:  payproof run --env PAY_BASE_URL={gateway.base_url} ... \\
                       --checkout 'POST /checkout' \\
                       --order '/orders/{order.id} json:/status=paid' -- python app.py

    Exit codes: 0 ready (or the selection has no failure), 1 not ready, 2 not scored, 130 interrupted.
    """
    from payproof.suites.run.selection import select

    config = configuration(config_path, Flags(**flags), drafts=write_baseline)
    if show_env:
        from payproof.suites.commands.by_hand import script

        click.echo(script(config), nl=False)
        return 0
    if skip_unconfigured and target == "sandbox" and (missing := unconfigured(config)):
        click.echo(f"skipped: {missing}")
        return 0
    chosen = select(config.profile.checklist, only, expression)
    verdict.writable(report_dir)
    from payproof.reports.folder import RUN_FILE
    from payproof.suites.run.plan import Options, quick_seconds

    seconds = quick_seconds(quick=quick, target=target)
    wanted = Options(only=chosen, quick=quick, worlds=worlds, seed=seed, target=target, seconds=seconds)
    performed_run = performed(config, wanted, quiet=quiet, run_file=report_dir / RUN_FILE)
    result = verdict.judged(performed_run, config)
    lines: list[str] = []
    if write_baseline:
        result, lines = baseline.write(performed_run, config, result)
    return verdict.delivered(result, performed_run, lines, report_dir, formats, verbose=verbose)


def unconfigured(config: Config) -> str:
    """What is to be set before a sandbox can be used, in one line; empty when all is there."""
    if config.sandbox is None:
        return "there is no [sandbox] in the configuration (its base_url and credentials)"
    return f"set {', '.join(config.sandbox.missing)} to use the sandbox" if config.sandbox.missing else ""


def configuration(path: Path | None, flags: Flags, *, drafts: bool = False) -> Config:
    """From the file, with the flags over it; from the flags alone when they describe an integration without a file. ``drafts``: see
    ``load_config``."""
    if path is None and flags.whole:
        if not (flags.checkout and flags.order):
            missing = "--order" if flags.checkout else "--checkout"
            there = Path("payproof.toml").exists()
            raise PayproofError(
                f"without a file, {missing} is needed too",
                place="the command line",
                remedy="to change what the payproof.toml of this folder says, name it too: --config payproof.toml"
                if there
                else "payproof run --checkout 'POST /checkout' "
                "--order '/orders/{order.id} json:/status=paid' -- COMMAND",
            )
        bare = make_config(tables(flags, defaults=True), folder=Path.cwd(), place="the command line")
        return with_baseline(bare, drafts=drafts)
    return load_config(path, overrides=tables(flags, defaults=False), drafts=drafts)


def performed(
    config: Config,
    options: Options,
    *,
    quiet: bool,
    run_file: Path | None = None,
    on_exchange: OnExchange | None = None,
) -> Run:
    """The run itself, with its progress on stderr, and its journals in a file as they grow."""
    from payproof.suites.commands.loop import run_async
    from payproof.suites.run.runner import perform
    from payproof.suites.session.progress import progress

    with contextlib.closing(progress(Console(file=sys.stderr), quiet=quiet)) as shown:
        return run_async(perform(config, options, shown, run_file=run_file, on_exchange=on_exchange))
