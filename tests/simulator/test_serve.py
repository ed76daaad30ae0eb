from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from payproof.contracts.model import PayproofError
from payproof.contracts.profile import load
from payproof.contracts.redaction.secrets import Redactor
from payproof.simulator.books.records import named
from payproof.simulator.faults import registered
from payproof.simulator.serve import Offer, serve
from payproof.simulator.sockets.certificates import Certificates


def served(name: str, use: Callable[[str], Awaitable[None]], offer: Offer | None = None) -> None:
    """Serve on free ports, hand the printed text to ``use``, and stop."""

    async def scenario() -> None:
        stop, printed, texts = asyncio.Event(), asyncio.Event(), list[str]()

        def out(text: str) -> None:
            texts.append(text)
            printed.set()

        running = asyncio.create_task(serve(load(name), port=0, control_port=0, out=out, stop=stop, offer=offer))
        async with asyncio.timeout(20):
            await printed.wait()
            try:
                await use(texts[0])
            finally:
                stop.set()
                await running

    asyncio.run(scenario())


@pytest.mark.parametrize("name", ["quatapay", "qrpay"])
def test_the_printed_commands_work(name: str) -> None:
    async def use(text: str) -> None:
        commands = re.findall(r"^  (curl .+)$", text, re.MULTILINE)
        control, token, create = [await asyncio.to_thread(shell, command) for command in commands]
        assert '"operations"' in control
        assert '"access_token"' in token
        assert '"payment_url"' in create

    served(name, use)


def test_https_is_offered_and_its_authority_written_down(tmp_path: Path) -> None:
    ca = tmp_path / "a folder" / "ca.pem"

    async def use(text: str) -> None:
        control, token, _ = re.findall(r"^  (curl .+)$", text, re.MULTILINE)
        assert "https://127.0.0.1" in token
        assert '"access_token"' in await asyncio.to_thread(shell, token)
        armed = f"""{control}faults -d '{{"name": "expired-certificate", "times": 1}}'"""
        assert '"id":1' in await asyncio.to_thread(shell, armed)
        with pytest.raises(subprocess.CalledProcessError) as caught:
            await asyncio.to_thread(shell, token)
        assert caught.value.returncode == 60, "curl does not trust it"
        assert '"access_token"' in await asyncio.to_thread(shell, token)

    served("quatapay", use, Offer(ca=ca))
    assert ca.read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_the_certificate_is_for_the_checkouts_host_too(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"

    async def use(text: str) -> None:
        port = re.findall(r"https://127\.0\.0\.1:(\d+)", text)[0]
        page = await asyncio.to_thread(shell, f"curl -s --cacert {ca} https://till.localhost:{port}/p/none")
        assert "does not go on" in page

    served("quay", use, Offer(ca=ca))


def test_any_credential_of_the_gateway_can_stay_and_no_other() -> None:
    async def use(text: str) -> None:
        assert "export NOTICE_SECRET=known-notice-secret" in text

    served("quay", use, Offer(credentials={"notice_secret": "known-notice-secret"}))
    with pytest.raises(PayproofError, match="has no client id"):
        named(load("quay"), {"client_id": "known-client-id"})


def test_the_control_port_arms_every_fault_of_the_wire() -> None:
    async def use(text: str) -> None:
        control = re.findall(r"^  (curl .+)$", text, re.MULTILINE)[0]
        for name in registered():
            params = '{"error": "currency"}' if name == "error" else "{}"
            answer = await asyncio.to_thread(
                shell, f"""{control}faults -d '{{"name": "{name}", "params": {params}}}'"""
            )
            assert '"id":' in answer, (name, answer)
        refused = await asyncio.to_thread(
            shell, f"""{control}faults -d '{{"name": "refuse", "operation": "create"}}'"""
        )
        assert '"remedy":"it takes: no filter"' in refused
        assert '"ok":true' in await asyncio.to_thread(shell, f"{control}faults -X DELETE")

    served("quatapay", use)


def shell(command: str) -> str:
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=10, check=True).stdout


def test_the_printed_settings_are_complete() -> None:
    async def use(text: str) -> None:
        assert re.search(r"base URL +http://127\.0\.0\.1:\d+/pay/sandbox/api/v1$", text, re.MULTILINE)
        assert len(re.findall(r"^  (?:client_id|secret_id) \(.+\) +\w{100}$", text, re.MULTILINE)) == 2
        assert "refused@payproof.test" in text

    served("quatapay", use)


def test_a_taken_port_is_refused_and_nothing_stays_behind() -> None:
    async def use(text: str) -> None:
        found = re.search(r"http://127\.0\.0\.1:(\d+)/pay", text)
        assert found
        with pytest.raises(PayproofError, match="cannot listen"):
            await serve(load("quatapay"), port=0, control_port=int(found.group(1)), out=print)

    served("quatapay", use)


def test_two_ports_are_needed() -> None:
    with pytest.raises(PayproofError, match="two ports"):
        asyncio.run(serve(load("quatapay"), port=8400, control_port=8400))


def test_many_tokens_do_not_uncover_the_keys() -> None:
    redactor = Redactor(limit=10)
    key = redactor.add("secret-key", "S" * 100)
    for number in range(50):
        redactor.add("access-token", f"{number:0350d}")
    assert redactor.redact("S" * 100) == key


def test_the_control_address_answers() -> None:
    async def use(text: str) -> None:
        found = re.search(r"X-Payproof-Token: (\S+)' (\S+)$", text, re.MULTILINE)
        assert found
        async with httpx.AsyncClient(verify=False) as client:
            response = await client.get(found.group(2) + "health", headers={"X-Payproof-Token": found.group(1)})
        assert response.json()["ok"] is True

    served("quatapay", use)


def test_keys_that_were_given_stay_and_stand_in_the_block_to_paste() -> None:
    async def use(text: str) -> None:
        exports = re.findall(r"^  (export .+)$", text, re.MULTILINE)
        shown = await asyncio.to_thread(shell, "\n".join([*exports, 'echo "$BASE_URL $CLIENT_ID $SECRET_KEY"']))
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/pay/sandbox/api/v1 my-own-client client's-own-key\n", shown)

    served("quatapay", use, Offer(client_id="my-own-client", secret_key="client's-own-key"))


def test_the_names_in_the_block_are_those_that_the_integration_reads() -> None:
    async def use(text: str) -> None:
        assert re.search(r"^  export PAY_ID=the-id-that-stays$", text, re.MULTILINE)
        assert "export CLIENT_ID" not in text

    served(
        "quatapay",
        use,
        Offer(client_id="the-id-that-stays", exports=lambda values: {"PAY_ID": values["gateway.client_id"]}),
    )


def test_with_certificates_the_settings_say_https() -> None:
    async def use(text: str) -> None:
        assert re.search(r"^  export BASE_URL=https://localhost:\d+/pay", text, re.MULTILINE)
        _, token, _ = re.findall(r"^  (curl .+)$", text, re.MULTILINE)
        assert '"access_token"' in await asyncio.to_thread(shell, token)

    served("quatapay", use, Offer(certificates=Certificates()))


@pytest.mark.parametrize(("key", "why"), [("sk_live_0123456789abcdef", "live key"), ("short", "fewer than 12")])
def test_a_live_key_and_one_that_cannot_be_hidden_are_refused(key: str, why: str) -> None:
    with pytest.raises(PayproofError, match=why):
        asyncio.run(serve(load("quatapay"), port=0, control_port=0, offer=Offer(secret_key=key)))
