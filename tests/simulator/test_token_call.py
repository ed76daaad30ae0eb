from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest

from payproof.contracts.entries import Call, Ledger
from payproof.simulator.testing import GatewayThread

Answer = Callable[..., httpx.Response]


def refused(response: httpx.Response, status: int, *texts: str) -> None:
    assert response.status_code == status
    body: object = {"message": {"code": status, "error": list(texts)}, "data": [], "type": "error"}
    assert response.json() == body


def test_success_is_the_envelope_with_a_token_of_350_characters(gateway: GatewayThread, authenticate: Answer) -> None:
    response = authenticate(gateway)
    body = response.json()
    assert response.status_code == 200
    assert (body["message"], body["type"]) == ({"code": 200, "success": ["SUCCESS"]}, "success")
    assert body["data"]["expire_time"] == 600
    assert re.fullmatch(r"[A-HJKM-Za-z1-9]{350}", body["data"]["access_token"])


def test_keys_are_100_characters(gateway: GatewayThread) -> None:
    assert len(gateway.client_id) == len(gateway.secret_key) == 100


@pytest.mark.parametrize("value", [..., "", None, "nobody", 7])
def test_a_missing_or_unknown_client_id_is_invalid(gateway: GatewayThread, authenticate: Answer, value: object) -> None:
    refused(authenticate(gateway, client_id=value), 400, "Invalid client ID")


@pytest.mark.parametrize("value", [..., "", None, "nothing"])
def test_a_missing_or_unknown_secret_is_invalid(gateway: GatewayThread, authenticate: Answer, value: object) -> None:
    refused(authenticate(gateway, secret_id=value), 400, "Invalid secret ID")


def test_both_bad_are_told_together_client_first(gateway: GatewayThread, authenticate: Answer) -> None:
    refused(authenticate(gateway, client_id="x", secret_id="y"), 400, "Invalid client ID", "Invalid secret ID")


def test_keys_of_two_merchants_are_no_pair(gateway: GatewayThread, authenticate: Answer) -> None:
    other = gateway.add_merchant()
    refused(authenticate(gateway, client_id=other.client_id), 400, "Requested credentials is invalid")


def test_wrong_letter_case_is_no_pair(gateway: GatewayThread, authenticate: Answer) -> None:
    refused(authenticate(gateway, secret_id=gateway.secret_key.swapcase()), 400, "Requested credentials is invalid")


def test_a_sandbox_key_on_the_live_path_is_no_pair(gateway: GatewayThread, http: httpx.Client) -> None:
    keys = {"client_id": gateway.client_id, "secret_id": gateway.secret_key}
    refused(
        http.post(f"{gateway.url}/pay/api/v1/authentication/token", json=keys), 400, "Requested credentials is invalid"
    )


def test_a_merchant_that_is_gone_is_404(gateway: GatewayThread, authenticate: Answer) -> None:
    gateway.simulator.store.merchant(gateway.client_id).gone = True
    refused(authenticate(gateway), 404, "Merchant doesn't exists or credentials is invalid")


def test_a_rotated_secret_replaces_the_old_one(gateway: GatewayThread, authenticate: Answer) -> None:
    old = gateway.secret_key
    gateway.rotate_secret()
    refused(authenticate(gateway, secret_id=old), 400, "Invalid secret ID")
    assert authenticate(gateway).status_code == 200


def test_a_revoked_secret_gets_no_token(gateway: GatewayThread, authenticate: Answer) -> None:
    gateway.revoke_secret()
    refused(authenticate(gateway), 400, "Invalid secret ID")


@pytest.mark.parametrize("shape", ["json", "form", "query", "multipart"])
def test_fields_come_as_json_form_multipart_or_query(gateway: GatewayThread, http: httpx.Client, shape: str) -> None:
    keys = {"client_id": gateway.client_id, "secret_id": gateway.secret_key}
    url = f"{gateway.base_url}/authentication/token"
    if shape == "json":
        response = http.post(url, json=keys)
    elif shape == "form":
        response = http.post(url, data=keys)
    elif shape == "query":
        response = http.post(url, params=keys)
    else:
        response = http.post(url, files={name: (None, value) for name, value in keys.items()})
    assert response.status_code == 200


def test_json_under_text_plain_is_not_read(gateway: GatewayThread, http: httpx.Client) -> None:
    body = f'{{"client_id": "{gateway.client_id}", "secret_id": "{gateway.secret_key}"}}'
    response = http.post(
        f"{gateway.base_url}/authentication/token", content=body, headers={"Content-Type": "text/plain"}
    )
    refused(response, 400, "Invalid client ID", "Invalid secret ID")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_object_is_missing_fields(gateway: GatewayThread, http: httpx.Client, body: bytes) -> None:
    url = f"{gateway.base_url}/authentication/token"
    response = http.post(url, content=body, headers={"Content-Type": "application/json"})
    refused(response, 400, "Invalid client ID", "Invalid secret ID")


def test_the_journal_never_holds_a_key_or_token(gateway: GatewayThread, authenticate: Answer) -> None:
    token = authenticate(gateway).json()["data"]["access_token"]
    entries = gateway.journal()
    assert isinstance(entries[0], Ledger)
    assert (entries[0].event, entries[0].detail) == ("token_issued", "<access-token-1>")
    call = entries[1]
    assert isinstance(call, Call)
    assert (call.event.sent.get("client-id", ""), call.event.sent.get("secret-key", "")) == (
        "<client-id-1>",
        "<secret-key-1>",
    )
    assert (call.issued, call.event.ok, call.ending) == ("<access-token-1>", True, "answered")
    assert not any(secret in repr(entries) for secret in (token, gateway.client_id, gateway.secret_key))
