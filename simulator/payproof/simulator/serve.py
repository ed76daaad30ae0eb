"""``payproof serve``: the simulator in the foreground, for people and for tests of any language."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import secrets
import shlex
import signal
from collections.abc import Callable, Generator, Mapping
from pathlib import Path

from payproof.contracts import files
from payproof.contracts.journal import Bound, Journal
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.profile import Profile
from payproof.contracts.secrets import Redactor
from payproof.simulator.certificates import Certificates
from payproof.simulator.control import control
from payproof.simulator.listener import GatewayServer
from payproof.simulator.records import gateway_values
from payproof.simulator.simulator import Simulator

KEPT_TOKENS = 500
"""Access tokens that the veil of a long-running simulator remembers."""
KEPT_ENTRIES, KEPT_BYTES = 10_000, 64 * 1024 * 1024
"""Journal entries that it keeps, and the bytes that they may take."""


async def serve(
    profile: Profile,
    *,
    host: str = "127.0.0.1",
    port: int = 8400,
    control_port: int = 8401,
    out: Callable[[str], None] = print,
    stop: asyncio.Event | None = None,
    knobs: Mapping[str, Json] | None = None,
    allow_remote: bool = False,
    ca: Path | None = None,
) -> None:
    """Serve until ``stop`` is set, or Ctrl-C, or SIGTERM. Prints settings to copy through ``out``.

    ``ca``: offer HTTPS, too, and write the authority that its certificate is signed by to this file.

    Raises:
        PayproofError: a port is taken, ``host`` is not a loopback address, or ``ca`` cannot be written.
    """
    if port and port == control_port:
        raise PayproofError("the gateway and its control need two ports", place="control port", remedy="choose another")
    stop = stop or asyncio.Event()
    journal = Journal(Redactor(limit=KEPT_TOKENS), bound=Bound(KEPT_ENTRIES, KEPT_BYTES))
    sim = Simulator(profile, journal=journal, knobs=knobs)
    sim.store.told = out
    token = secrets.token_urlsafe(24)
    certificates = Certificates(sites=(host,))
    gateway = GatewayServer(
        sim.app, host=host, port=port, tls=certificates.good if ca else None, journal=sim.journal, faults=sim.faults,
        certificates=certificates, allow_remote=allow_remote,
    )  # fmt: skip
    if ca:
        files.write(ca, certificates.authority, remedy="name a file that can be written")
    controls = GatewayServer(control(sim, token), host=host, port=control_port, allow_remote=allow_remote)
    try:
        await gateway.start()
        await controls.start()
        out(_welcome(sim, gateway, controls, token, ca))
        with _signals(stop), _calm_collector():
            await stop.wait()
    finally:
        await sim.aclose()
        await controls.stop()
        await gateway.stop()


def _welcome(sim: Simulator, gateway: GatewayServer, controls: GatewayServer, token: str, ca: Path | None) -> str:
    merchant = sim.add_merchant()
    base_url = f"{gateway.scheme}://{_host(gateway.host)}:{gateway.port}{sim.profile.base_path}"
    values = {"gateway.base_url": base_url, **gateway_values(sim.profile, merchant)}
    values = {f"{{{name}}}": value for name, value in values.items()}
    lines = [f"{sim.profile.title} (profile {sim.profile.name})", "", "Settings of the integration (throw-away):"]
    lines += [f"  {label:<38} {values.get(value, value)}" for label, value in sim.profile.settings]
    lines += [f"  {'authority of its certificate':<38} {ca}"] if ca else []
    lines += ["", "Customers who can log in at the hosted checkout:"]
    lines += [f"  {payer.login:<38} {payer.password}  ({payer.outcome})" for payer in sim.profile.payers.values()]
    address = f"http://{_host(controls.host)}:{controls.port}/"
    kept = f"the last {KEPT_ENTRIES:,} entries, {KEPT_BYTES // 2**20} MB of them at most"
    lines += ["", f"Control (clock, faults, journal; it keeps {kept}):"]
    lines += [f"  curl -s -H 'X-Payproof-Token: {token}' {address}", "", "Try it:"]
    for command in sim.dialect.example(base_url, merchant.client_id, merchant.secret_key):
        lines += [f"  {command.replace('curl ', f'curl --cacert {shlex.quote(str(ca))} ', 1) if ca else command}", ""]
    return "\n".join([*lines, "Ctrl-C stops it."])


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@contextlib.contextmanager
def _calm_collector() -> Generator[None]:
    """The books and the journal live long and hold no cycles: looking through them every 700 objects only costs time."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Generator[None]:
    """Ctrl-C and SIGTERM set ``stop``, where the event loop may take signals at all."""
    loop = asyncio.get_running_loop()
    taken: list[signal.Signals] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):  # not the main thread, or Windows
            loop.add_signal_handler(number, stop.set)
            taken.append(number)
    try:
        yield
    finally:
        for number in taken:
            loop.remove_signal_handler(number)
