"""``payproof selftest``: shows that payproof works on this machine."""

from __future__ import annotations

import contextlib
import sys

import click
from rich.console import Console


@click.command()
@click.option("--seed", type=int, default=None, help="Repeat a selftest.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def selftest(seed: int | None, quiet: bool) -> int:
    """Test payproof itself: a careful shop must be clean, a careless one caught in each of its mistakes."""
    from payproof.suites.commands.loop import run_async
    from payproof.suites.selftest.selftest import trials
    from payproof.suites.session.progress import progress

    with contextlib.closing(progress(Console(file=sys.stderr), quiet=quiet)) as shown:
        both = run_async(trials(shown, seed))
    invalid = False
    for trial in both:
        click.echo(f"{trial.name} shop: {'as it should be' if not trial.problems else 'NOT as it should be'}")
        for line in trial.notes:
            click.echo(f"  {line}")
        for line in trial.problems:
            click.echo(f"  ! {line}")
        invalid = invalid or bool(trial.problems)
    click.echo("the instrument is NOT valid on this machine" if invalid else "the instrument is valid")
    return 2 if invalid else 0
