"""A client that takes the gateway's port for a proxy, and the gateway for its real host."""

from __future__ import annotations

import asyncio
import ssl

import httpx
import pytest
import trustme

from payproof.contracts.entries import Call, Connection, Step
from payproof.contracts.profile import load
from payproof.simulator import GatewayServer, Simulator

HOST = "api.gateway.example"
PATH = "/pay/sandbox/api/v1/authentication/token"


class Standing:
    """A gateway that stands for ``HOST``."""

    def __init__(self) -> None:
        authority = trustme.CA()
        own, self.trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
        authority.issue_cert("localhost", HOST).configure_cert(own)  # pyright: ignore[reportUnknownMemberType]
        authority.configure_trust(self.trusting)  # pyright: ignore[reportUnknownMemberType]
        self.sim = Simulator(load("quatapay"))
        self.server = GatewayServer(
            self.sim.app, tls=own, journal=self.sim.journal, faults=self.sim.faults, stands_for=[HOST.upper()]
        )

    async def __aenter__(self) -> Standing:
        await self.server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.stop()

    async def said(self, *parts: bytes) -> bytes:
        """What a client is answered that sends these bytes, one after the other."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        try:
            return await reader.read(4096)
        except ConnectionResetError:
            return b""
        finally:
            writer.close()


def test_behind_a_tunnel_the_gateway_is_its_real_host_and_is_told_its_own_name() -> None:
    async def scenario() -> None:
        async with Standing() as up:
            proxy = f"http://127.0.0.1:{up.server.port}"
            async with httpx.AsyncClient(verify=up.trusting, proxy=proxy) as http:
                for _ in range(2):
                    assert (await http.post(f"https://{HOST}{PATH}")).status_code == 400
            calls = [entry for entry in up.sim.journal.entries if isinstance(entry, Call)]
            assert {call.request.url for call in calls} == {f"https://localhost:{up.server.port}{PATH}"}
            assert [call.secure for call in calls] == [True, True]
        (kept,) = [entry for entry in up.sim.journal.entries if isinstance(entry, Connection)]
        assert (kept.event, kept.tls[:5]) == ("served", "TLSv1")

    asyncio.run(scenario())


def test_who_was_led_here_needs_no_tunnel() -> None:
    async def scenario() -> None:
        async with Standing() as up, httpx.AsyncClient(verify=up.trusting) as http:
            asked = http.build_request(
                "POST",
                f"https://localhost:{up.server.port}{PATH}",
                headers={"Host": HOST},
                extensions={"sni_hostname": HOST},
            )
            assert (await http.send(asked)).status_code == 400
            (call,) = [entry for entry in up.sim.journal.entries if isinstance(entry, Call)]
            assert call.request.url == f"https://localhost:{up.server.port}{PATH}"

    asyncio.run(scenario())


@pytest.mark.parametrize("parts", [(b"CONNECT ", b"api.gateway.example:443", b" HTTP/1.1\r\n\r\n")])
def test_a_request_in_pieces_opens_a_tunnel(parts: tuple[bytes, ...]) -> None:
    async def scenario() -> None:
        async with Standing() as up:
            assert (await up.said(*parts)).startswith(b"HTTP/1.1 200 ")

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "asked",
    [
        b"CONNECT another.example:443 HTTP/1.1\r\n\r\n",
        b"CONNECT HTTP/1.1\r\n\r\n",
        b"CONNECT api.gateway.example:443 HTTP/1.1\r\n\r\nand more",
    ],
)
def test_nobody_is_led_elsewhere(asked: bytes) -> None:
    async def scenario() -> list[str]:
        async with Standing() as up:
            assert (await up.said(asked)).startswith(b"HTTP/1.1 403 ")
            assert (await up.said(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")).startswith(b"HTTP/1.1 404 ")
        return [entry.text for entry in up.sim.journal.entries if isinstance(entry, Step)]

    steps = asyncio.run(scenario())
    assert steps == [f"it wants to reach another.example, and is led to {HOST} only"] * (b"another" in asked)


def test_a_head_without_end_is_not_read_for_ever() -> None:
    async def scenario() -> None:
        async with Standing() as up:
            assert await up.said(b"CONNECT a:443 HTTP/1.1\r\n", *[b"X: " + b"x" * 4096 + b"\r\n"] * 5) == b""

    asyncio.run(scenario())
