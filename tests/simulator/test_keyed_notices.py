"""Notices that the gateway signs with a key of its own, for a webhook's id, and whose certificate is at an address of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from receiver import Receiver

from payproof.contracts.entries import Forgery
from payproof.contracts.profile import Credential, Fields, Notices, Operation, Profile, load
from payproof.contracts.run import Settings
from payproof.simulator.notices.forging import signed
from payproof.simulator.testing import GatewayThread
from payproof.suites.probes import probes


def own(secrets: tuple[str, ...], body: bytes, at: int) -> Fields:
    return (("Cert", "{gateway.url}/own"), ("Signature", f"own:{secrets[0]}:{len(body)}"))


def other(secrets: tuple[str, ...], body: bytes, at: int) -> Fields:
    return (("Cert", "{stranger.url}/other"), ("Signature", f"other:{secrets[0]}:{len(body)}"))


def keyed() -> Profile:
    """Harbor, if it signed with a key of its own."""
    harbor = load("harbor")
    assert harbor.notices is not None
    webhook = Credential(name="notice-secret", kind="webhook-id", placeholder="webhook_id", travels="never")
    notices = replace(harbor.notices, sign=own, impostor=other)
    return replace(harbor, credentials=(*harbor.credentials[:2], webhook), notices=notices)


def scheme() -> Notices:
    notices = keyed().notices
    assert notices is not None
    return notices


@pytest.fixture
def gateway() -> Iterator[GatewayThread]:
    with GatewayThread(keyed()) as gateway:
        yield gateway


def opened(gateway: GatewayThread) -> str:
    with httpx.Client(base_url=gateway.url) as http:
        token = http.post("/oauth/token", auth=(gateway.client_id, gateway.secret_key)).json()["access_token"]
        asked = {"order": {"ref": "1", "total": {"minor": 1, "code": "EUR"}}, "back": "https://shop.test/"}
        return str(http.post("/orders", json=asked, headers={"Authorization": f"Bearer {token}"}).json()["id"])


def test_a_notice_is_signed_for_the_webhooks_id_and_says_where_the_certificate_is(gateway: GatewayThread) -> None:
    payment = opened(gateway)
    with Receiver() as shop:
        gateway.notify(shop.url)
        gateway.forge_notice(payment, "other-body")
        gateway.forge_notice(payment, "other-key")
    port = gateway.url.rpartition(":")[2]
    good, bad = (got.headers for got in shop.got)
    assert good["cert"] == f"{gateway.url}/own"
    assert bad["cert"] == f"http://localhost:{port}/other"
    webhook = gateway.merchant.credentials["notice-secret"]
    assert [each["signature"].split(":")[:2] for each in (good, bad)] == [["own", webhook], ["other", webhook]]


def test_a_webhooks_id_is_no_secret_and_signs() -> None:
    webhook = keyed().credentials[-1]
    assert (webhook.signs, webhook.secret) == (True, False)


@pytest.mark.parametrize(("how", "key"), [("other-key", "other"), ("other-secret", "own")])
def test_somebody_else_signs_with_a_key_of_their_own_or_for_another_webhook(how: Forgery, key: str) -> None:
    found = dict(signed(scheme(), ("the-id",), b"{}", 0, how))["Signature"]
    assert found.startswith(f"{key}:")
    assert found.endswith("the-id:2") is (how == "other-key")


def test_a_key_of_somebody_else_is_tried_only_where_the_gateway_has_one() -> None:
    def forgeries(profile: Profile) -> set[str]:
        return {str(params["how"]) for params in probes()["forged-notice"].variants(profile, Settings())}

    assert forgeries(keyed()) - forgeries(load("harbor")) == {"other-key"}


def test_where_the_gateway_verifies_notices_one_is_forged_while_it_cannot_be_asked() -> None:
    verifying = Operation(name="verify", role="verify-notice", method="POST", path="/verify")
    profile = replace(keyed(), operations=(*keyed().operations, verifying))
    last = list(probes()["forged-notice"].variants(profile, Settings()))[-1]
    assert last == {"how": "other-secret", "unverifiable": True}
