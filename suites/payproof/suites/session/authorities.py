"""A folder of authorities in which OpenSSL finds one by its name: whoever opens it reads one of them, and not a hundred and forty.

A client that makes its TLS settings anew for each call spends twenty milliseconds on reading a bundle of all usual authorities: a third
of the processor's time in a run of a shop that does.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from pathlib import Path

from cryptography import x509

_NAMED = re.compile(r"[0-9a-f]{8}\.\d+")


def folder_of(authority: x509.Certificate, pem: Path, folder: Path) -> Path | None:
    """``folder``, made with the system's usual authorities and this one, whose certificate is in ``pem``; None where the system has none
    that are named so."""
    usual = _usual()
    if not usual:
        return None
    folder.mkdir()
    for found in usual:
        (folder / found.name).symlink_to(found)
    name = subject_hash(authority)
    place = next(place for number in range(len(usual) + 1) if not (place := folder / f"{name}.{number}").exists())
    place.symlink_to(pem.resolve())
    return folder


def _usual() -> list[Path]:
    """The system's authorities, by the names that OpenSSL looks for."""
    places = ssl.get_default_verify_paths()
    for folder in {place: None for place in (places.capath, places.openssl_capath, "/etc/ssl/certs") if place}:
        try:
            found = [each for each in Path(folder).iterdir() if _NAMED.fullmatch(each.name)]
        except OSError:
            continue
        if found:
            return found
    return []


def subject_hash(certificate: x509.Certificate) -> str:
    """The name of a certificate's file, without its number: what ``openssl x509 -subject_hash`` prints for one whose subject is of UTF-8
    texts, as ours. It is of the subject as OpenSSL compares it (crypto/x509/x_name.c): in lower case, with single spaces."""
    canonical = x509.Name(
        x509.RelativeDistinguishedName(
            x509.NameAttribute(each.oid, " ".join(str(each.value).lower().split())) for each in part
        )
        for part in certificate.subject.rdns
    ).public_bytes()
    header = 2 + (canonical[1] & 0x7F if canonical[1] & 0x80 else 0)
    return f"{int.from_bytes(hashlib.sha1(canonical[header:], usedforsecurity=False).digest()[:4], 'little'):08x}"
