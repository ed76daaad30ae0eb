"""``payproof explore``: invent long stories, play them, and look whether money is conserved."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from payproof.contracts.model import PayproofError
from payproof.suites.commands import options, verdict
from payproof.suites.commands.run import configuration
from payproof.suites.commands.short_forms import Flags

if TYPE_CHECKING:
    from payproof.suites.config import Config
    from payproof.suites.explorer.playing import RuleTally
    from payproof.suites.explorer.search import SearchLimits

HOLDS, BROKEN, NOT_SCORED = 0, 1, 2


@click.command()
@options.config
@click.option("--stories", type=click.IntRange(min=1), default=500, show_default=True, help="Stop after so many.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), default=None, help="Stop after so much time.")
@click.option("--first", is_flag=True, help="Stop at the first broken story.")
@click.option("--seed", type=int, default=None, help="The same seed, the same stories.")
@click.option(
    "--report-dir",
    type=click.Path(path_type=Path),
    default=Path("payproof-report"),
    show_default=True,
    help="Where broken stories are written, in its folder explore.",
)
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@options.recipe
def explore(
    config_path: Path | None,
    stories: int,
    seconds: float | None,
    first: bool,
    seed: int | None,
    report_dir: Path,
    quiet: bool,
    **flags: Any,
) -> int:
    """Play invented stories of many steps and check that no money is lost, doubled or made up.

    \b
    payproof explore [--config payproof.toml] [--stories 500] [--seconds N] [--seed N]

    A story that breaks a rule is made as small as possible, played again on a fresh instance and written to
    payproof-report/explore; `payproof replay story-1.json` repeats it.

    Exit codes: 0 nothing broken, 1 something broken, 2 not scored, 130 interrupted.
    """
    needs_hypothesis()
    config = configuration(config_path, Flags(**flags))
    verdict.writable(report_dir)
    from payproof.suites.explorer.search import SearchLimits

    tally, used_seed, notes = _searched(config, SearchLimits(stories, seconds, first), seed, quiet=quiet)
    given = Flags(**flags)
    source = config_path or (None if given.whole else config.folder)
    return _report(config, config_path, source, tally, used_seed, notes, report_dir)


def needs_hypothesis() -> None:
    """Refuse clearly where the extra is not installed."""
    try:
        import hypothesis as _  # noqa: F401
    except ImportError:
        raise PayproofError(
            "the explorer needs hypothesis, which is not installed",
            place="payproof explore",
            remedy="pip install 'payproof[suites]'",
        ) from None


def _searched(
    config: Config, limits: SearchLimits, seed: int | None, *, quiet: bool
) -> tuple[RuleTally, int, tuple[str, ...]]:
    from payproof.suites.commands.loop import run_async
    from payproof.suites.explorer import story_progress
    from payproof.suites.explorer.explorer_session import opened
    from payproof.suites.explorer.search import Search

    async def work() -> tuple[RuleTally, int, tuple[str, ...]]:
        async with opened(config, seed) as stage:
            tally = await Search(stage, limits, story_progress.progress(quiet=quiet)).run()
            return tally, stage.seed, tuple(stage.known.notes)

    try:
        return run_async(work())
    finally:
        story_progress.done(quiet=quiet)


def _report(
    config: Config,
    path: Path | None,
    source: Path | None,
    tally: RuleTally,
    seed: int,
    notes: tuple[str, ...],
    report_dir: Path,
) -> int:
    """``path``: the file that was named; ``source``: the file or folder that was read (none: the command line alone)."""
    from payproof.reports.text_output import TextOutput
    from payproof.suites.explorer import file, story_progress
    from payproof.suites.explorer.origin import origin

    output = TextOutput(Console(file=sys.stdout))
    for number, each in enumerate(tally.found, start=1):
        written = file.write(
            report_dir / "explore",
            number,
            each.played,
            name=config.integration.name,
            gateway=config.gateway,
            seed=seed,
            config=path,
            found_with=origin(config, source, report_dir / "explore"),
        )
        story_progress.found(output, each.played, after=each.after, files=f"{written} (.md, .html)")
    story_progress.summary(output, tally, seed=seed, notes=notes)
    return BROKEN if tally.found else HOLDS
