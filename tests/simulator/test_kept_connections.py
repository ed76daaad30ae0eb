"""Clients that keep their connections, over a gate that opens and shuts: nothing that they ask an open gateway is lost."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import ssl
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from starlette.types import Receive, Scope, Send

from payproof.contracts.entries import Connection
from payproof.contracts.faults import FaultSpec
from payproof.contracts.profile import load
from payproof.simulator import GatewayServer, Simulator

CLIENTS = {
    "go": (
        "client.go",
        """
        package main
        import ("bufio"; "crypto/tls"; "fmt"; "io"; "net/http"; "os"; "strings")
        func main() {
            http.DefaultTransport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
            for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
                answer, err := http.Post(os.Args[1], "text/plain", strings.NewReader("a payment"))
                if err != nil { fmt.Println(err); continue }
                io.Copy(io.Discard, answer.Body)
                answer.Body.Close()
                fmt.Println(answer.StatusCode)
            }
        }
        """,
    ),
    "java": (
        "Client.java",
        """
        import java.net.URI;
        import java.net.http.*;
        import java.security.cert.X509Certificate;
        import javax.net.ssl.*;
        class Client {
            public static void main(String[] args) throws Exception {
                var all = new X509TrustManager() {
                    public void checkClientTrusted(X509Certificate[] chain, String kind) {}
                    public void checkServerTrusted(X509Certificate[] chain, String kind) {}
                    public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
                };
                var tls = SSLContext.getInstance("TLS");
                tls.init(null, new TrustManager[] {all}, null);
                var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).sslContext(tls).build();
                var lines = new java.io.BufferedReader(new java.io.InputStreamReader(System.in));
                while (lines.readLine() != null) {
                    try {
                        var post = HttpRequest.newBuilder(URI.create(args[0]))
                            .POST(HttpRequest.BodyPublishers.ofString("a payment")).build();
                        System.out.println(client.send(post, HttpResponse.BodyHandlers.ofString()).statusCode());
                    } catch (Exception error) { System.out.println(error); }
                }
            }
        }
        """,
    ),
    "node": (
        "client.mjs",
        """
        import { createInterface } from "node:readline";
        process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
        for await (const _ of createInterface({ input: process.stdin })) {
            try {
                const answer = await fetch(process.argv[2], { method: "POST", body: "a payment" });
                await answer.text();
                console.log(answer.status);
            } catch (error) { console.log(String(error.cause ?? error)); }
        }
        """,
    ),
    "python": (
        "client.py",
        """
if True:
        import requests, sys
        session = requests.Session()
        for _ in sys.stdin:
            try:
                print(session.post(sys.argv[1], data="a payment", verify=False).status_code, flush=True)
            except requests.RequestException as error:
                print(repr(error), flush=True)
        """,
    ),
    "ruby": (
        "client.rb",
        """
        require "net/http"
        $stdout.sync = true
        address = URI(ARGV[0])
        http = Net::HTTP.new(address.host, address.port)
        http.use_ssl = address.scheme == "https"
        http.verify_mode = OpenSSL::SSL::VERIFY_NONE
        $stdin.each_line do
            http.start unless http.started?
            puts http.post(address.path, "a payment").code
        rescue StandardError => error
            puts error.class
        end
        """,
    ),
}


def command(language: str, folder: Path) -> list[str]:
    """How to run the client of this language; skips where the language is not installed."""
    name, text = CLIENTS[language]
    (folder / name).write_text(text)
    if language == "python":
        pytest.importorskip("requests")
        return [sys.executable, "-W", "ignore", name]
    if shutil.which(language) is None:
        pytest.skip(f"{language} is not installed")
    return {"go": ["go", "run", name], "java": ["java", name]}.get(language, [language, name])


class Asker:
    """A client at the other end of a pipe: one line is one POST, and one line comes back."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def post(self) -> str:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(b"\n")
        async with asyncio.timeout(60):
            return (await self._process.stdout.readline()).decode().strip()


@asynccontextmanager
async def asking(language: str, folder: Path, url: str) -> AsyncGenerator[Asker]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command(language, folder), url, cwd=folder, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield Asker(process)
    finally:
        assert process.stdin
        process.stdin.close()
        await process.wait()


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture(scope="module")
def certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost", "127.0.0.1").configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    return context


class Gated:
    """A server that answers everything, and what calls to it meet."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.sim = Simulator(load("quatapay"))
        app = self.sim.way(answer, lambda host, path: False)
        self.server = GatewayServer(app, tls=tls, journal=self.sim.journal, faults=self.sim.faults)

    def gate(self, mode: str) -> None:
        self.sim.faults.clear()
        if mode != "open":
            self.sim.faults.arm(FaultSpec(name=mode))


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("language", CLIENTS)
def test_no_post_to_an_open_gate_is_lost_whatever_the_gate_did_before(
    tmp_path: Path, certificate: ssl.SSLContext, language: str, scheme: str
) -> None:
    between = [("open",), ("open", "open"), ("refuse", "open"), ("backlog", "silent", "open")]

    async def scenario() -> None:
        up = Gated(certificate if scheme == "https" else None)
        await up.server.start()
        try:
            async with asking(language, tmp_path, f"{scheme}://localhost:{up.server.port}/pay") as client:
                assert await client.post() == "200"
                for _ in range(8):
                    for modes in between:
                        for mode in modes:
                            up.gate(mode)
                        # A client may notice the end of a connection by itself, in its own time, on a busy machine too.
                        await asyncio.sleep(0.03 if set(modes) == {"open"} else 0.4)
                        assert await client.post() == "200", modes
        finally:
            await up.server.stop()
        met = [entry.event for entry in up.sim.journal.entries if isinstance(entry, Connection)]
        assert set(met) == {"served"}

    asyncio.run(scenario())


@pytest.mark.parametrize("language", CLIENTS)
def test_a_shut_port_refuses_clients_that_keep_connections(tmp_path: Path, language: str) -> None:
    async def scenario() -> None:
        up = Gated()
        await up.server.start()
        try:
            async with asking(language, tmp_path, f"http://localhost:{up.server.port}/pay") as client:
                assert await client.post() == "200"
                up.gate("refuse")
                assert await client.post() != "200"
                up.gate("open")
                assert await client.post() == "200"
        finally:
            await up.server.stop()

    asyncio.run(scenario())


def _loops() -> list[Callable[[], asyncio.AbstractEventLoop]]:
    found: list[Callable[[], asyncio.AbstractEventLoop]] = [asyncio.new_event_loop]
    with contextlib.suppress(ImportError):
        import uvloop

        found.append(uvloop.new_event_loop)
    return found


@pytest.mark.parametrize("loop", _loops())
def test_a_connection_that_is_let_go_of_hears_the_end_of_tls(
    certificate: ssl.SSLContext, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """Without it the connection was cut, which Ruby reports instead of asking on another one."""
    careless = ssl.create_default_context()
    careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE

    def ask(port: int, let_go: Callable[[], object]) -> bytes:
        with (
            socket.create_connection(("127.0.0.1", port), 10) as sock,
            careless.wrap_socket(sock, server_hostname="localhost", suppress_ragged_eofs=False) as tls,
        ):
            tls.sendall(b"POST /pay HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            answered = b""
            while not answered.endswith(b"ok"):
                answered += tls.recv(1_000)
            let_go()
            return tls.recv(1_000)

    async def story() -> bytes:
        up = Gated(certificate)
        await up.server.start()
        running = asyncio.get_running_loop()
        try:
            return await asyncio.to_thread(
                ask, up.server.port, lambda: running.call_soon_threadsafe(up.server.retire_idle)
            )
        finally:
            await up.server.stop()

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(story()) == b""
