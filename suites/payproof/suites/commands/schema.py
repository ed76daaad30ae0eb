"""``payproof schema``: the JSON Schema of payproof.toml."""

from __future__ import annotations

import click

from payproof.suites.config import json_schema


@click.command()
def schema() -> int:
    """Print the JSON Schema of payproof.toml, for editors."""
    click.echo(json_schema(), nl=False)
    return 0
