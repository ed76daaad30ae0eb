"""How an integration is told of the run's authority: as a bundle, and as a folder in which OpenSSL finds it by its name."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme
from cryptography import x509

from payproof.suites.session import authorities
from payproof.suites.session.trust import Trust


def shakes_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> bool:
    """Whether a client with these settings takes the server's certificate."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    return ours.version() is not None


@pytest.fixture
def usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system's folder of authorities, with one in it."""
    folder = tmp_path / "system"
    folder.mkdir()
    other = trustme.CA(organization_name="Some  Other", organization_unit_name="Authority")
    name = authorities.subject_hash(x509.load_pem_x509_certificate(other.cert_pem.bytes()))
    other.cert_pem.write_to_path(str(folder / f"{name}.0"))
    (folder / "README").write_text("no certificate")
    found = ssl.get_default_verify_paths()._replace(capath=str(folder))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: found)
    return folder


@pytest.fixture
def trust(tmp_path: Path, usual: Path) -> Trust:
    folder = tmp_path / "run"
    folder.mkdir()
    return Trust(folder)


def test_a_client_finds_the_run_s_authority_in_the_folder_that_requests_is_told_of(trust: Trust) -> None:
    folder = trust.environment()["REQUESTS_CA_BUNDLE"]
    assert Path(folder).is_dir()
    assert shakes_hands(ssl.create_default_context(capath=folder), trust.server)
    assert not shakes_hands(ssl.create_default_context(capath=folder), trust.certificates.untrusted)


def test_the_usual_authorities_stand_there_too(trust: Trust, usual: Path) -> None:
    names = {each.name for each in Path(trust.environment()["REQUESTS_CA_BUNDLE"]).iterdir()}
    assert names > {each.name for each in usual.iterdir() if each.suffix == ".0"}
    assert "README" not in names


def test_what_takes_no_folder_is_told_of_the_bundle(trust: Trust) -> None:
    variables = trust.environment()
    assert variables["SSL_CERT_FILE"] == variables["CURL_CA_BUNDLE"] == variables["AWS_CA_BUNDLE"]
    assert shakes_hands(ssl.create_default_context(cafile=variables["AWS_CA_BUNDLE"]), trust.server)


def test_where_the_system_has_no_such_folder_all_are_told_of_the_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authorities, "_usual", list[Path])
    variables = Trust(tmp_path).environment()
    assert variables["REQUESTS_CA_BUNDLE"] == variables["SSL_CERT_FILE"]


def test_an_authority_of_the_same_name_is_kept_beside_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def certificate(place: Path) -> x509.Certificate:
        authority = trustme.CA(organization_name="payproof", organization_unit_name="the same")
        authority.cert_pem.write_to_path(str(place))
        return x509.load_pem_x509_certificate(authority.cert_pem.bytes())

    theirs, ours = tmp_path / "theirs.pem", tmp_path / "ours.pem"
    name = authorities.subject_hash(certificate(theirs))
    (tmp_path / f"{name}.0").symlink_to(theirs)
    monkeypatch.setattr(authorities, "_usual", lambda: [tmp_path / f"{name}.0"])
    folder = authorities.folder_of(certificate(ours), ours, tmp_path / "folder")
    assert folder is not None
    assert {each.name: each.resolve().name for each in folder.iterdir()} == {
        f"{name}.0": "theirs.pem",
        f"{name}.1": "ours.pem",
    }
