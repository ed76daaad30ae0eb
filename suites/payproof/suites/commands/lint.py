"""``payproof lint``: what can be told from the source alone, without starting anything; for a pre-commit hook."""

from __future__ import annotations

from pathlib import Path

import click

from payproof.contracts.model import PayproofError
from payproof.suites.commands import options
from payproof.suites.config import Config, config_in, load_config


@click.command()
@options.config
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
def lint(config_path: Path | None, paths: tuple[Path, ...]) -> int:
    """Look for literal credentials in the source; nothing is started.

    PATHS: files and folders; default: what the configuration declares in [integration.source], or the whole folder. A
    configuration adds the names by which the integration takes its credentials. Tests, packages of others and build results are
    left out, and .env files, unless git tracks them. The values themselves are never shown.

    Exit codes: 0 nothing found, 1 something found, 2 wrong usage or configuration, or no file to read.
    """
    from payproof.reports import facts
    from payproof.suites.run.secret_scan import literals, look, tracked_env

    config = load_config(config_path) if config_path or config_in(Path()) else None
    folder = config.folder if config else Path().resolve()
    wanted = tuple(str(path.resolve()) for path in paths) or _declared(config) or (".",)
    profiles = [config.profile] if config else options.each_gateway()
    finds, files = look(folder, wanted, literals(profiles, config))
    if not files:
        raise PayproofError(
            "no source file was found to read",
            place=", ".join(wanted),
            remedy=f"name files or folders of the integration below {folder}, or declare them in [integration.source]",
        )
    finds = [*finds, *(() if paths else tracked_env(folder))]
    for found in finds:
        click.echo(facts.line(f"{found.path}:{found.line}: {found.what}"))
    if finds:
        click.echo(
            "take credentials from the environment, and replace at the gateway what was ever committed", err=True
        )
    click.echo(f"{len(finds)} found in {files} files", err=True)
    return 1 if finds else 0


def _declared(config: Config | None) -> tuple[str, ...]:
    source = config.integration.source if config else None
    return (*source.paths, *source.frontend) if source else ()
