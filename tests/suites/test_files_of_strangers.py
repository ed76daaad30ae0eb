"""An authority and a recording may lie anywhere, as a stranger's configuration says: what stands in another file is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from payproof.contracts.model import PayproofError
from payproof.simulator.cassettes import read
from payproof.simulator.relay.upstream import LARGEST_CA, trust

SECRET = "hunter2-of-somebody"
FILES = {
    "a key": f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n",
    "half a certificate": f"-----BEGIN CERTIFICATE-----\n{SECRET}\n",
    "a list of passwords": f"root:{SECRET}:0:0\n  other: {{{SECRET}\n - a\n",
    "yaml": f"password: {SECRET}\n",
    "yaml like a recording": f"version: 1\ninteractions: [{SECRET}]\n",
    "json": f'{{"password": "{SECRET}"}}',
}


@pytest.mark.parametrize("what", FILES)
@pytest.mark.parametrize("reads", [trust, read])
def test_a_file_that_is_none_is_refused_and_not_shown(tmp_path: Path, what: str, reads: object) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(FILES[what])
    link = tmp_path / "link"
    link.symlink_to(elsewhere)
    for path in (elsewhere, link):
        with pytest.raises(PayproofError) as refused:
            trust(path) if reads is trust else read(path)
        assert SECRET not in f"{refused.value} {refused.value.place} {refused.value.remedy}"
        assert refused.value.__cause__ is None


def test_an_authority_may_be_a_link_and_no_larger_than_any_bundle(tmp_path: Path) -> None:
    real, link = tmp_path / "ca.pem", tmp_path / "link.pem"
    trustme.CA().cert_pem.write_to_path(str(real))
    link.symlink_to(real)
    assert len(trust(link).get_ca_certs()) > 0
    with real.open("ab") as file:
        file.truncate(LARGEST_CA + 1)
    with pytest.raises(PayproofError, match="longer than"):
        trust(link)
