"""A session sets up what a run and the explorer share, offers the gateway over what the integration takes, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from payproof.contracts.entries import Connection, Process
from payproof.contracts.model import PayproofError
from payproof.suites.config import Config
from payproof.suites.explorer import explorer_session
from payproof.suites.resources import Lacking
from payproof.suites.selftest.selftest import shop
from payproof.suites.session import session
from payproof.suites.session.session import Session, opened
from payproof.suites.session.world import World


def begun(
    *, plain_first: bool, works: bool = False, buys: bool = False, broken: Connection | None = None
) -> tuple[list[str], Session, bool]:
    """The schemes that were tried with a control that says ``works``, perhaps after a purchase, or after a handshake over TLS that broke."""
    tried: list[str] = []

    async def control(world: World) -> bool:
        tried.append(world.server.scheme)
        if broken is not None and world.server.scheme == "https":
            world.journal.add(broken)
        if buys:
            await world.checkout(world.new_order(), world.customer())
        return works

    async def scenario() -> tuple[Session, bool]:
        async with opened(shop("begun"), seed=1) as held:
            _, ready = await held.begin("main", control, plain_first=plain_first)
            return held, ready

    return tried, *asyncio.run(scenario())


def hung_up(seconds: tuple[float, ...]) -> tuple[list[str], Session, bool]:
    """The schemes that were tried by somebody who hangs up in the handshake after so long, and then has no trouble any more."""
    tried: list[str] = []

    async def control(world: World) -> bool:
        tried.append(world.server.scheme)
        if len(tried) > len(seconds) or world.server.scheme != "https":
            return True
        _, writer = await asyncio.open_connection("127.0.0.1", world.server.port)
        writer.write(b"\x16\x03\x01\x02\x00")
        await asyncio.sleep(seconds[len(tried) - 1])
        writer.close()
        await world.until(lambda: any(isinstance(each, Connection) for each in world.journal.entries), 5)
        return False

    async def story() -> tuple[Session, bool]:
        async with opened(shop("begun"), seed=1) as held:
            _, said = await held.begin("main", control)
            return held, said

    return tried, *asyncio.run(story())


def test_who_takes_too_long_over_the_first_handshake_has_another_try() -> None:
    tried, held, works = hung_up((1.2,))
    assert tried == ["https", "https"]
    assert works
    assert held.transport.secure
    assert not held.given_up


@pytest.mark.parametrize(
    ("seconds", "schemes"), [((0.1,), ["https", "http"]), ((1.2, 1.2), ["https", "https", "http"])]
)
def test_who_hangs_up_at_once_or_twice_is_offered_plain_http(seconds: tuple[float, ...], schemes: list[str]) -> None:
    tried, held, works = hung_up(seconds)
    assert tried == schemes
    assert works
    assert not held.transport.secure
    assert ("did not end a TLS handshake" in held.transport.note) is (len(seconds) > 1)


def test_over_plain_http_a_gateway_that_opened_no_payment_is_offered_over_tls() -> None:
    tried, held, works = begun(plain_first=True)
    assert tried == ["http", "https"]
    assert held.transport.secure
    assert [world.name for world in held.given_up] == ["main-given-up"]
    assert not works


def test_over_plain_http_a_payment_that_was_opened_shows_that_the_address_is_right() -> None:
    tried, held, _ = begun(plain_first=True, buys=True)
    assert tried == ["http"]
    assert not held.given_up


def test_over_tls_a_failure_without_a_handshake_that_failed_is_not_the_transports() -> None:
    tried, held, _ = begun(plain_first=False)
    assert tried == ["https"]
    assert held.transport.secure


def handshake(seconds: float, alert: str = "") -> Connection:
    return Connection(event="handshake_failed", began=0.0, seconds=seconds, ended_by="client", alert=alert)


@pytest.mark.parametrize("broken", [handshake(0.1), handshake(0.1, "unknown ca"), handshake(5.0, "unknown ca")])
def test_an_authority_that_is_not_trusted_leads_to_plain_http(broken: Connection) -> None:
    tried, held, _ = begun(plain_first=False, broken=broken)
    assert tried == ["https", "http"]
    assert [world.name for world in held.given_up] == ["main-given-up"]


def test_what_works_is_kept() -> None:
    tried, _, works = begun(plain_first=True, works=True)
    assert tried == ["http"]
    assert works


def test_whatever_ends_a_session_ends_its_processes_and_takes_its_folder_away() -> None:
    worlds: list[World] = []
    folders: list[Path] = []

    async def control(world: World) -> bool:
        worlds.append(world)
        return True

    async def scenario() -> None:
        async with opened(shop("ended")) as held:
            folders.append(held.folder)
            await held.begin("main", control)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(scenario())
    (world,), (folder,) = worlds, folders
    events = [entry.event for entry in world.journal.entries if isinstance(entry, Process)]
    assert events[-1] == "stopped"
    assert not [
        child for child in psutil.Process().children(recursive=True) if str(folder) in " ".join(child.cmdline())
    ]
    assert not folder.exists()


def bare() -> Config:
    """An integration that somebody else started, and of which the simulator knows nothing."""
    config = shop("bare")
    return config.model_copy(update={"integration": config.integration.model_copy(update={"command": None})})


def test_a_run_and_the_explorer_refuse_the_same_in_the_same_words() -> None:
    async def run() -> None:
        async with opened(bare()):
            pass

    async def explorer() -> None:
        async with explorer_session.opened(bare(), 1):
            pass

    errors: list[PayproofError] = []
    for work in (run, explorer):
        with pytest.raises(PayproofError) as caught:
            asyncio.run(work())
        errors.append(caught.value)
    assert (errors[0].message, errors[0].place, errors[0].remedy) == (
        errors[1].message,
        errors[1].place,
        errors[1].remedy,
    )
    assert "[simulator]" in errors[0].remedy


def test_the_explorer_too_needs_enough_open_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_few() -> None:
        raise Lacking("a run needs more open files")

    async def explorer() -> None:
        async with explorer_session.opened(shop("few-files"), 1):
            pass

    monkeypatch.setattr(session, "need_files", too_few)
    with pytest.raises(Lacking):
        asyncio.run(explorer())


def test_the_explorer_does_not_explore_with_a_pointer_that_finds_nothing() -> None:
    config = shop("pointed-nowhere")
    order = config.integration.order.model_copy(update={"effects": "json:/parcels"})
    config = config.model_copy(update={"integration": config.integration.model_copy(update={"order": order})})

    async def explorer() -> None:
        async with explorer_session.opened(config, 1) as stage:
            await stage.open()

    with pytest.raises(explorer_session.NotScored) as caught:
        asyncio.run(explorer())
    assert "cannot be found" in caught.value.message
    assert "order.effects" in caught.value.message
