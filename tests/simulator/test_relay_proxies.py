"""The environment's proxies: used on the way to a sandbox, and on no other."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from payproof.contracts.model import PayproofError
from payproof.simulator.relay.proxies import proxy_for, shown
from payproof.simulator.relay.rate_budget import RateBudget
from payproof.simulator.relay.upstream import SandboxAddress, Upstream

PROXY = "http://user:pass-word@proxy.example.test:3128"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("HTTPS_PROXY", "https://sandbox.example.test/pay"),
        ("https_proxy", "https://sandbox.example.test/pay"),
        ("HTTP_PROXY", "http://sandbox.example.test/pay"),
        ("ALL_PROXY", "https://sandbox.example.test:8443/pay"),
    ],
)
def test_the_environments_proxy_leads_to_a_sandbox(monkeypatch: pytest.MonkeyPatch, name: str, url: str) -> None:
    monkeypatch.setenv(name, PROXY)
    assert proxy_for(url) == PROXY
    assert shown(PROXY) == "proxy.example.test:3128"


def test_a_proxy_without_a_scheme_is_an_http_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example.test:3128")
    assert proxy_for("https://sandbox.example.test") == "http://proxy.example.test:3128"


def test_another_schemes_proxy_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    assert proxy_for("https://sandbox.example.test") is None


@pytest.mark.parametrize(
    "excepted",
    ["sandbox.example.test", ".example.test", "example.test", "a.test, *.example.test", "*", "example.test:443"],
)
def test_no_proxy_excepts_a_host_and_what_lies_below_a_domain(monkeypatch: pytest.MonkeyPatch, excepted: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", excepted)
    assert proxy_for("https://sandbox.example.test:443/pay") is None
    assert proxy_for("https://notexample.test:444/pay") == (None if excepted == "*" else PROXY)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "shop-1.localhost"])
def test_nothing_on_this_machine_is_behind_a_proxy(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("ALL_PROXY", PROXY)
    assert proxy_for(f"https://{host}:8443/pay") is None


def test_a_proxy_of_another_kind_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy.example.test:1080")
    with pytest.raises(PayproofError, match="socks5") as caught:
        proxy_for("https://sandbox.example.test")
    assert "NO_PROXY=sandbox.example.test" in caught.value.remedy


@pytest.mark.parametrize(
    ("variable", "scheme", "first"),
    [
        ("HTTP_PROXY", "http", "POST http://sandbox.example.test/pay/api HTTP/1.1"),
        ("HTTPS_PROXY", "https", "CONNECT sandbox.example.test:443 HTTP/1.1"),
    ],
)
def test_a_call_to_the_sandbox_goes_to_the_proxy(
    monkeypatch: pytest.MonkeyPatch, variable: str, scheme: str, first: str
) -> None:
    asked: list[str] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[0])
        writer.write(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_server(proxy, "127.0.0.1", 0)
        async with server:
            monkeypatch.setenv(variable, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            sandbox = SandboxAddress(
                base_url=f"{scheme}://sandbox.example.test/pay", client_id="c" * 20, secret_key="s" * 20
            )
            upstream = Upstream(sandbox, RateBudget(60, 60))
            try:
                answer = await upstream.send("POST", f"{scheme}://sandbox.example.test/pay/api", (), b"{}")
                assert answer.status_code == 403
            except httpx.ProxyError:
                assert scheme == "https"
            finally:
                await upstream.aclose()
        assert asked == [first]

    asyncio.run(scenario())
