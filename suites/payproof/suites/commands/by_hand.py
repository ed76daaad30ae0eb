"""``payproof run --show-env``: how an instance would be started, to be started by hand."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from payproof.contracts.model import PayproofError
from payproof.suites.config import Config

if TYPE_CHECKING:
    from payproof.simulator import Merchant

GATEWAY_PORT = 8400
"""Where the gateway of somebody who starts by hand listens, unless the file says so."""


def script(config: Config) -> str:
    """A shell script: as comments how to keep a gateway running, then the environment and the command of one instance. Its
    credentials are made for this script, or stand in the file, and are good at a simulator only.

    Raises:
        PayproofError: there is no command.
    """
    from payproof.simulator import Simulator
    from payproof.simulator.books.records import named

    integration, known = config.integration, config.simulator
    if not integration.command:
        raise PayproofError(
            "there is nothing to start: the configuration has no command",
            place="integration.command",
            remedy="an integration that already runs takes its settings from [simulator]; `payproof serve` shows the gateway's",
        )
    others = named(config.profile, known.credentials)
    merchant = Simulator(config.profile).add_merchant(
        client_id=known.client_id, secret_key=known.secret_key, others=others
    )
    gateway = f"payproof serve --gateway {config.gateway} --port {known.port or GATEWAY_PORT}"
    gateway += "".join(f" {option}" for option in _kept(config, merchant))
    return "\n".join(_lines(config, gateway, _values(config, merchant, known.port or GATEWAY_PORT))) + "\n"


def _kept(config: Config, merchant: Merchant) -> Iterator[str]:
    """The options by which ``payproof serve`` takes this merchant's credentials."""
    for each in config.profile.credentials:
        value = merchant.credentials[each.name]
        if each.name in ("client-id", "secret-key"):
            yield f"--{each.name} {shlex.quote(value)}"
        else:
            yield f"--credential {shlex.quote(f'{each.placeholder}={value}')}"


def _values(config: Config, merchant: Merchant, gateway_port: int) -> dict[str, str]:
    from payproof.suites.session.handed import values_of
    from payproof.suites.session.ports import Port

    port = Port()
    port.release()
    written = (*config.integration.command, *config.integration.env.values())
    own = any("{instance.dir}" in text for text in written)
    folder = Path(tempfile.mkdtemp(prefix="payproof-instance-") if own else tempfile.gettempdir())
    return values_of(config, merchant, port=port.number, base=f"http://localhost:{gateway_port}", folder=folder)


def _lines(config: Config, gateway: str, values: dict[str, str]) -> Iterator[str]:
    from payproof.suites.session.handed import command, environment, url_of

    port, public = int(values["port"]), values["public_url"]
    yield f"# One instance of {' '.join(config.integration.name.split())}, as payproof starts it, but over plain HTTP."
    yield "# First, in another terminal, its gateway:"
    yield f"#   {gateway}"
    yield f"# It listens at {url_of(config, port)}. {public} leads there for payproof's customer only:"
    yield "# to pay in a browser of your own, write the first address in place of the second."
    if hook := config.integration.alerts.webhook_env:
        yield f"# A run sets {hook}, too: the address where it takes alerts."
    if hosts := config.integration.gateway_hosts:
        yield f"# NOBODY LEADS IT: a run answers for {', '.join(hosts)}; started so, its calls go there, to the real gateway."
    yield f"cd {shlex.quote(str(config.folder))}"
    yield "env -i \\"
    yield from (f"  {shlex.quote(f'{name}={value}')} \\" for name, value in environment(config, values).items())
    yield f"  {shlex.join(command(config, values))}"
