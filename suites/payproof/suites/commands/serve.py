"""``payproof serve``: the simulator alone, in the foreground."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from payproof.contracts.model import Json
from payproof.suites.commands.options import pairs
from payproof.suites.commands.unsteered import unsteered

if TYPE_CHECKING:
    from payproof.simulator.serve import Offer

_LOG_TO = 1
"""The descriptor of stdout."""


@click.command()
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="payproof.toml or its folder: gateway, keys, names of its settings.",
)
@click.option("--gateway", default="", metavar="NAME", help="See payproof list gateways.  [default: quatapay]")
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address.")
@click.option("--port", type=click.IntRange(0, 65535), default=None, help="The gateway's port.  [default: 8400]")
@click.option("--control-port", type=click.IntRange(0, 65535), default=8401, show_default=True, help="Control's port.")
@click.option("--allow-remote", is_flag=True, help="Let --host be an address that others can reach.")
@click.option("--tls", is_flag=True, help="Offer HTTPS, too; the settings tell clients of its authority.")
@click.option(
    "--ca",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Offer HTTPS, too, and write its certificate's authority here.",
)
@click.option("--client-id", default="", metavar="ID", help="A client id that stays; else a new one each time.")
@click.option("--secret-key", default="", metavar="KEY", help="A secret key that stays; else a new one each time.")
@click.option(
    "--credential",
    "credentials",
    multiple=True,
    metavar="NAME=VALUE",
    help="Another credential of the gateway that stays: webhook_secret=...",
)
@click.option("--seed", type=int, default=0, metavar="N", help="Decides which calls a fault with a share hits.")
@click.option("--knob", "knobs", multiple=True, metavar="NAME=VALUE", help="Behaviour set otherwise; VALUE is JSON.")
@click.option("--open", "opens", is_flag=True, help="Open the inspector in a browser.")
@click.option("--quiet", is_flag=True, help="No line for each call.")
def serve(config_path: Path | None, host: str, control_port: int, allow_remote: bool, tls: bool, **given: Any) -> int:
    """Run the simulated gateway alone and print ready-to-copy settings. Ctrl-C ends it."""
    from payproof.contracts import profile
    from payproof.simulator.request_log import to_descriptor
    from payproof.simulator.serve import serve as serving
    from payproof.suites.commands.loop import run_async

    wanted = _wanted(config_path, given)
    offer = replace(
        wanted.offer,
        log=None if given["quiet"] else steering_nobody(to_descriptor(_LOG_TO)),
        visit=click.launch if given["opens"] else None,
    )
    known = profile.load(wanted.gateway)
    with _with_tls(offer, known.local_names, asked=tls) as offer:
        run_async(
            serving(
                known, host=host, port=wanted.port, control_port=control_port, out=click.echo,
                allow_remote=allow_remote, offer=offer,
            )
        )  # fmt: skip
    return 0


def steering_nobody(say: Callable[[str], None]) -> Callable[[str], None]:
    """The request log bypasses ``sys.stdout``, so that it is guarded here: addresses and words in it are a client's."""
    return lambda line: say(unsteered(line))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    gateway: str
    port: int
    offer: Offer


def _wanted(config_path: Path | None, given: Mapping[str, Any]) -> _Wanted:
    """The command line before the file before the default."""
    from payproof.simulator.serve import Offer

    knobs = _knobs(given["knobs"])
    offer = Offer(
        seed=given["seed"],
        client_id=given["client_id"],
        secret_key=given["secret_key"],
        ca=given["ca"],
        knobs=knobs,
        credentials=pairs(given["credentials"], "--credential"),
    )
    gateway, port = given["gateway"], given["port"]
    if config_path is not None:
        from payproof.suites.config import load_config

        config = load_config(config_path, overrides={"gateway": gateway} if gateway else None)
        gateway, own = config.gateway, config.simulator
        port = own.port if port is None else port
        offer = replace(
            offer,
            client_id=offer.client_id or own.client_id or "",
            secret_key=offer.secret_key or own.secret_key or "",
            credentials={**own.credentials, **offer.credentials},
            knobs={**own.knobs, **knobs},
            exports=_exports(config.integration.env),
            workers=config.integration.workers,
        )
    return _Wanted(gateway=gateway or "quatapay", port=8400 if port is None else port, offer=offer)


def _exports(env: Mapping[str, str]) -> Callable[[Mapping[str, str]], dict[str, str]]:
    """The settings of [integration.env] that a gateway alone can fill; ports and addresses of the shop are its own."""
    from payproof.suites.config import placeholders

    def filled(values: Mapping[str, str]) -> dict[str, str]:
        return {
            name: placeholders.fill(text, values, f"integration.env.{name}")
            for name, text in env.items()
            if all(each in values for each in placeholders.names(text))
        }

    return filled


def _knobs(given: tuple[str, ...]) -> dict[str, Json]:
    return {name: _value(text) for name, text in pairs(given, "--knob").items()}


@contextlib.contextmanager
def _with_tls(offer: Offer, sites: tuple[str, ...], *, asked: bool) -> Generator[Offer]:
    """The offer with certificates, and with the variables by which every runtime is told of their authority."""
    if not asked or offer.ca is not None:
        yield offer
        return
    from tempfile import TemporaryDirectory

    from payproof.simulator.serve import generic_exports
    from payproof.suites.session.trust import Trust

    with TemporaryDirectory(prefix="payproof-serve-") as folder:
        trust = Trust(Path(folder), sites)
        exports = offer.exports or generic_exports

        def with_trust(values: Mapping[str, str]) -> dict[str, str]:
            return {**exports(values), **trust.environment()}

        yield replace(offer, certificates=trust.certificates, exports=with_trust)


def _value(text: str) -> Json:
    try:
        value: Json = json.loads(text)
    except ValueError:
        return text
    return value
