"""``payproof record``: run the flows against the sandbox and keep what it said, redacted."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from payproof.contracts.model import PayproofError
from payproof.suites.commands import options as flags
from payproof.suites.commands.run import performed
from payproof.suites.config import load_config

if TYPE_CHECKING:
    from payproof.simulator.cassettes import Stamp

FLOWS = ("steady", "cancelled", "refused", "forged-return")
"""Probes that a recording holds beside the control payment; one that the sandbox has no power for is left out by the plan."""


@click.command()
@flags.config
@click.option("--out", type=click.Path(path_type=Path), default=None, help="File; default: [cassettes] path.")
@click.option("--force", is_flag=True, help="Replace a cassette that is there already.")
@click.option("--seed", type=int, default=None, help="Orders as in another recording.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def record(config_path: Path | None, out: Path | None, force: bool, seed: int | None, quiet: bool) -> int:
    """Record the sandbox: pay, cancel, be refused, forge a return; keep every exchange, without its secrets.

    \b
    Replay it with  payproof run --target cassette
    Look at it with payproof cassettes inspect FILE
    """
    from payproof.simulator.cassettes import CassetteWriter
    from payproof.simulator.cassettes.library import vcr
    from payproof.simulator.cassettes.writer import refuse_existing
    from payproof.suites.run.plan import Options
    from payproof.suites.session.cassette_source import path_of
    from payproof.suites.session.sandbox import checkout_of, known_secrets

    config = load_config(config_path)
    path = out or path_of(config)
    refuse_existing(path, force=force)
    vcr("serialize")  # better told before a recording than after it
    number = secrets.randbelow(2**31) if seed is None else seed
    if config.sandbox is None:
        raise PayproofError(
            "there is no sandbox to record",
            place="payproof.toml",
            remedy="describe it in [sandbox]: docs/configuration.md",
        )
    writer = CassetteWriter(
        config.profile,
        base_url=config.sandbox.base_url,
        seed=number,
        known=tuple(known_secrets(config)),
        checkout=checkout_of(config),
    )
    options = Options(target="sandbox", seed=number, probes=FLOWS)
    run = performed(config, options, quiet=quiet, on_exchange=writer.take)
    if not run.scored:
        raise PayproofError(
            "the control payment did not end in a paid order, so nothing was recorded: "
            + (" ".join(run.diagnosis) or "the run does not say why"),
            place="payproof run --target sandbox",
            remedy="make the control payment work first",
        )
    sandbox = run.facts.get("sandbox")
    unwell = sandbox.get("unwell") if isinstance(sandbox, dict) else None
    if isinstance(unwell, list) and unwell:
        raise PayproofError(
            f"the sandbox was unwell while it was recorded, and nothing was written: {unwell[0]}",
            place=config.sandbox.base_url,
            remedy="record again when it is well: a replay would repeat its trouble as if it were the gateway's answer",
        )
    written = writer.write(path, force=force)
    _print_summary(written.path, written.stamp)
    return 0


def _print_summary(path: Path, stamp: Stamp) -> None:
    click.echo(f"recorded {stamp.exchanges} exchanges with {stamp.upstream}: {', '.join(stamp.stories)}")
    for kind, redacted in stamp.redacted.items():
        click.echo(f"  {kind:<16} {redacted.count} replaced by __{kind}-1__{' …' if redacted.count > 1 else ''}")
    click.echo(f"cassette: {path}")
