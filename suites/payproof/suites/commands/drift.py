"""``payproof drift``: is the simulator still like the real thing?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from payproof.contracts.model import PayproofError
from payproof.suites.commands import options, verdict

if TYPE_CHECKING:
    from payproof.contracts.comparing.catalogue import DriftCase

_FORMATS = ("text", "json", "markdown")
_PATH = click.Path(path_type=Path)


@click.command()
@options.config
@click.option("--gateway", default="", metavar="NAME", help="Compare with another profile than the file's.")
@click.option(
    "--target",
    type=click.Choice(("sandbox", "cassette")),
    default="sandbox",
    show_default=True,
    help="What the simulator is compared with.",
)
@click.option("--cassette", type=_PATH, default=None, metavar="FILE", help="A recording of these cases.")
@click.option("--record", type=_PATH, default=None, metavar="FILE", help="Write the sandbox's answers as a cassette.")
@click.option("--force", is_flag=True, help="--record may replace a file.")
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=0,
    metavar="SECONDS",
    help="Wait so long for tokens and payments to expire, where the sandbox's clock cannot be moved.",
)
@click.option("--only", multiple=True, metavar="CASE", help="Only this case, or all that begin so; repeatable.")
@click.option("--strict", is_flag=True, help="Texts that were ours to choose count too.")
@click.option("--list", "listed", is_flag=True, help="Name the cases and do nothing.")
@click.option("--format", "formats", multiple=True, type=click.Choice(_FORMATS), help="Only these reports; repeatable.")
@click.option("--report-dir", type=_PATH, default=Path("payproof-report"), show_default=True, help="Where reports go.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def drift(
    config_path: Path | None, gateway: str, target: Literal["sandbox", "cassette"], cassette: Path | None,
    record: Path | None, force: bool, patience: float, only: tuple[str, ...], strict: bool, listed: bool,
    formats: tuple[str, ...], report_dir: Path, quiet: bool,
) -> int:  # fmt: skip
    """Compare contract, simulator and gateway on the same requests.

    \b
    Against the sandbox:   payproof drift
    Record it:             payproof drift --record cassettes/drift.yaml
    Against a recording:   payproof drift --target cassette --cassette cassettes/drift.yaml

    Exit codes: 0 no difference, 1 differences, 2 not comparable, 130 interrupted.
    """
    from rich.console import Console

    from payproof.reports.drift import console, write
    from payproof.suites.commands.loop import run_async
    from payproof.suites.config import load_config
    from payproof.suites.conformance.drift.comparison import DriftOptions, compare

    if record and target != "sandbox":
        raise PayproofError("only the sandbox can be recorded", place="--record", remedy="leave --target out")
    config = load_config(config_path, overrides={"gateway": gateway} if gateway else {})
    if listed:
        return _list(config.gateway)
    verdict.writable(report_dir)
    chosen = DriftOptions(
        target="cassette" if cassette and not record else target, cassette=cassette, record=record, force=force,
        patience=patience, only=only,
    )  # fmt: skip
    found = run_async(compare(config, chosen, _Progress(quiet=quiet)))
    console.show(found, Console(file=sys.stdout))
    for name, path in write(found, report_dir, formats).items():
        click.echo(f"  {name:<9} {path}")
    return 1 if found.of("difference") or (strict and found.differences) else 0


def _list(gateway: str) -> int:
    from payproof.contracts.comparing.catalogue import catalogue_of
    from payproof.contracts.profile import load

    cases = catalogue_of(load(gateway)).cases
    width = max(len(case.id) for case in cases)
    for case in cases:
        waits = f" (the clock moves by {case.seconds} s)" if case.seconds else ""
        click.echo(f"{case.id:<{width}}  {case.text}{waits}")
    return 0


class _Progress:
    """Lines on stderr; on a terminal, how many cases are left."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._live = sys.stderr.isatty()

    def note(self, text: str) -> None:
        if not self._quiet:
            click.echo(f"\r\x1b[K{text}" if self._live else text, err=True)

    def case(self, case: DriftCase, left: int) -> None:
        if self._live and not self._quiet:
            click.echo(f"\r\x1b[K{left} cases left: {case.id}" if left else "\r\x1b[K", nl=False, err=True)
