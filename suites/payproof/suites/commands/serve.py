"""``payproof serve``: the simulator alone, in the foreground."""

from __future__ import annotations

import click

from payproof.contracts import profile


@click.command()
@click.option("--gateway", default="quatapay", show_default=True, metavar="NAME", help="See payproof list gateways.")
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address.")
@click.option("--port", type=click.IntRange(0, 65535), default=8400, show_default=True, help="The gateway's port.")
@click.option("--control-port", type=click.IntRange(0, 65535), default=8401, show_default=True, help="Control's port.")
def serve(gateway: str, host: str, port: int, control_port: int) -> int:
    """Run the simulated gateway alone and print ready-to-copy settings. Ctrl-C ends it."""
    from payproof.simulator.serve import serve as serving
    from payproof.suites.commands.loop import run_async

    known = profile.load(gateway)
    run_async(serving(known, host=host, port=port, control_port=control_port, out=click.echo, stop=None))
    return 0
