"""``payproof serve``: the simulator alone, in the foreground."""

from __future__ import annotations

import json
from pathlib import Path

import click

from payproof.contracts import profile
from payproof.contracts.model import Json
from payproof.suites.config.short_forms import pairs


@click.command()
@click.option("--gateway", default="quatapay", show_default=True, metavar="NAME", help="See payproof list gateways.")
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address.")
@click.option("--port", type=click.IntRange(0, 65535), default=8400, show_default=True, help="The gateway's port.")
@click.option("--control-port", type=click.IntRange(0, 65535), default=8401, show_default=True, help="Control's port.")
@click.option("--allow-remote", is_flag=True, help="Let --host be an address that others can reach.")
@click.option(
    "--ca",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Offer HTTPS, too, and write its certificate's authority here.",
)
@click.option("--knob", "knobs", multiple=True, metavar="NAME=VALUE", help="Behaviour set otherwise; VALUE is JSON.")
def serve(
    gateway: str, host: str, port: int, control_port: int, allow_remote: bool, ca: Path | None, knobs: tuple[str, ...]
) -> int:
    """Run the simulated gateway alone and print ready-to-copy settings. Ctrl-C ends it."""
    from payproof.simulator.serve import serve as serving
    from payproof.suites.commands.loop import run_async

    known = profile.load(gateway)
    settings = {name: _value(text) for name, text in pairs(knobs, "--knob").items()}
    run_async(
        serving(
            known,
            host=host,
            port=port,
            control_port=control_port,
            out=click.echo,
            knobs=settings,
            allow_remote=allow_remote,
            ca=ca,
        )
    )
    return 0


def _value(text: str) -> Json:
    try:
        value: Json = json.loads(text)
    except ValueError:
        return text
    return value
