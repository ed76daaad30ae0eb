"""Ed25519 keys in PEM files, as `openssl genpkey -algorithm ed25519` writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from payproof.contracts import files
from payproof.contracts.model import PayproofError

_LARGEST = 10_000
_MAKE = "make one with `openssl genpkey -algorithm ed25519 -out key.pem`"
_HALF = "its public half: `openssl pkey -in key.pem -pubout -out key.pub`"


def signer(path: Path) -> Callable[[bytes], bytes]:
    """What signs with this private key.

    Raises:
        PayproofError: it cannot be read, is locked, or is no Ed25519 key.
    """
    pem = files.read(path, says="cannot read the key", largest=_LARGEST, remedy=_MAKE).encode()
    try:
        key = load_pem_private_key(pem, None)
    except TypeError:
        raise PayproofError(
            "the key is locked with a passphrase",
            place=str(path),
            remedy="hand over one that is not, from your store of secrets",
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise _none("private", path, _MAKE) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _none("private", path, _MAKE)
    return key.sign


def checker(path: Path) -> Callable[[bytes, bytes], bool]:
    """Whether (signature, data) go together under this public key.

    Raises:
        PayproofError: it cannot be read, or is no public Ed25519 key.
    """
    pem = files.read(path, says="cannot read the key", largest=_LARGEST, remedy=_HALF).encode()
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise _none("public", path, _HALF) from None
    if not isinstance(key, Ed25519PublicKey):
        raise _none("public", path, _HALF)

    def fits(signature: bytes, data: bytes) -> bool:
        try:
            key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    return fits


def _none(half: str, path: Path, remedy: str) -> PayproofError:
    return PayproofError(f"this is no {half} Ed25519 key in PEM", place=str(path), remedy=remedy)
