"""Cassettes: what is written, and what must not be."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path

import pytest

from payproof.contracts.entries import Request, Response
from payproof.contracts.events import issued_by
from payproof.contracts.model import PayproofError
from payproof.contracts.redaction.secrets import mint, spellings
from payproof.simulator.cassettes import CassetteWriter, read
from payproof.simulator.cassettes.library import vcr
from payproof.simulator.cassettes.placeholders import PATTERN
from payproof.simulator.relay.sandbox_exchange import SandboxExchange

from .cassette_stage import API, PROFILE, UPSTREAM, YAML, Studio, bought, hunt, secrets_of


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def test_the_hunter_finds_what_is_planted_in_every_spelling(studio: Studio) -> None:
    studio.record(bought())
    secrets = secrets_of(studio)
    assert {"csrf", "session", "access"} <= {name.split(" ")[0] for name in secrets}
    for name, value in secrets.items():
        for _, spelled in spellings(value):
            if len(spelled) >= 6:
                assert name in hunt(f"some text with {spelled} in it", secrets), (name, spelled)


def test_no_secret_reaches_the_file_in_any_spelling(studio: Studio) -> None:
    recording = studio.record(bought())
    text = recording.path.read_text()
    assert not hunt(text, secrets_of(studio))
    assert not hunt(repr(YAML.deserialize(text)), secrets_of(studio))
    assert recording.stamp is not None
    assert {"client-id", "secret-key", "access-token", "session-cookie", "csrf-token", "login", "password"} <= set(
        recording.stamp.redacted
    )


def test_a_one_time_code_is_not_written_though_it_is_typed_digit_by_digit(tmp_path: Path) -> None:
    studio = Studio(tmp_path, otp=True)
    recording = studio.record(bought())
    posted = next(each for each in recording.exchanges if "code" in each.request.body)
    assert "__one-time-code-1__" in posted.request.body
    assert "=1&" not in posted.request.body
    assert "123456" not in recording.path.read_text()


def test_one_secret_has_one_placeholder_wherever_it_stands(studio: Studio) -> None:
    recording = studio.record(bought())
    issued = [issued_by(each.event) for each in recording.exchanges if each.operation == "token"]
    assert issued == ["__access-token-1__", "__access-token-2__"]
    used = [(each.operation, each.event.bearer) for each in recording.exchanges if each.event.bearer]
    assert used == [("create", "__access-token-1__"), ("status", "__access-token-2__")]


def test_secrets_are_found_in_basic_authorization_in_addresses_and_with_escaped_slashes(tmp_path: Path) -> None:
    rng = random.Random(3)
    client, secret = mint(rng, 30), f"{mint(rng, 20)}/{mint(rng, 20)}"
    basic = base64.b64encode(f"{client}:{secret}".encode()).decode()
    writer = CassetteWriter(PROFILE, base_url=UPSTREAM + API, seed=1)
    asked = Request(
        method="POST",
        url=f"{UPSTREAM}{API}/authentication/token?hint={secret.replace('/', '%2F')}",
        headers=(("Authorization", f"Basic {basic}"),),
        body=json.dumps({"echo": secret}).replace("/", "\\/"),
    )
    answer = Response(status=200, headers=(("X-Echo", secret.encode().hex()),), body=f"<p>{secret}</p>")
    writer.take(SandboxExchange(kind="api", probe="control", at=0, request=asked, response=answer))
    text = writer.write(tmp_path / "c.yaml").path.read_text()
    assert not hunt(text, {"client": client, "secret": secret, "first half": secret.split("/")[0]})
    assert {match[0] for match in PATTERN.finditer(text)} >= {"__secret-key-1__", "__secret-key-1.hex__"}


def test_an_ordinary_word_as_password_leaves_the_pages_as_they_are(tmp_path: Path) -> None:
    login = f"{UPSTREAM}/login"
    page = f'<form action="{login}" method="post"><label>Your password</label><input name="user"><input type="password" name="password"></form>'
    asked = Request(
        method="POST",
        url=login,
        headers=(("Content-Type", "application/x-www-form-urlencoded"),),
        body="user=anna@shop.example&password=password",
    )
    writer = CassetteWriter(PROFILE, base_url=UPSTREAM + API, seed=1)
    html = (("Content-Type", "text/html"),)
    shown = Response(status=200, headers=html, body=page)
    writer.take(SandboxExchange(kind="page", probe="", at=0, request=Request(method="GET", url=login), response=shown))
    writer.take(SandboxExchange(kind="page", probe="", at=0, request=asked, response=shown))
    first, second = read(writer.write(tmp_path / "c.yaml").path).exchanges
    assert first.response.body == page
    assert second.request.body == "user=__login-1__&password=__password-1__"


def test_the_file_is_one_that_vcr_reads_with_text_bodies_and_true_lengths(studio: Studio) -> None:
    path = studio.record(bought()).path
    requests, responses = vcr("serialize").deserialize(path.read_text(), YAML)
    assert len(requests) == len(responses) == len(studio.taped)
    assert all(request.uri.startswith(UPSTREAM + "/") for request in requests)
    assert not any("accept-encoding" in {name.lower() for name in request.headers} for request in requests)
    for response in responses:
        lengths = [values for name, values in response["headers"].items() if name.lower() == "content-length"]
        assert lengths == [[str(len(response["body"]["string"]))]]
    assert "!!binary" not in path.read_text()
    assert not list(path.parent.glob(".*")), "a temporary file was left"


def test_a_cassette_is_not_replaced_unless_that_is_said(studio: Studio) -> None:
    path = studio.record(bought()).path
    before = path.read_bytes()
    with pytest.raises(PayproofError, match="there already"):
        studio.writer.write(path)
    assert path.read_bytes() == before
    studio.writer.write(path, force=True)


def test_nothing_recorded_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PayproofError, match="nothing to record"):
        CassetteWriter(PROFILE, base_url=UPSTREAM, seed=1).write(tmp_path / "c.yaml")
    assert not list(tmp_path.iterdir())
