"""What the gateway shows for a certificate: a good one, and those that no careful client takes."""

from __future__ import annotations

import datetime
import ssl
import warnings
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import trustme

_ELSEWHERE = "some-other-host.example"


class Certificates:
    """TLS settings of a gateway at localhost (and ``sites``), made when first asked for: most listeners never need them.

    ``authority`` is the one that the clients trust: an expired certificate, and one for another host, are then wrong in that
    alone. Without it nobody trusts any of them.
    """

    def __init__(self, authority: trustme.CA | None = None, sites: tuple[str, ...] = ()) -> None:
        self._given = authority
        self._names = tuple(dict.fromkeys(("localhost", "127.0.0.1", *sites)))

    @cached_property
    def _authority(self) -> trustme.CA:
        return self._given or _new_authority("payproof")

    @property
    def authority(self) -> str:
        """The certificate of the authority that signs them, for clients to trust; PEM."""
        return self._authority.cert_pem.bytes().decode()

    @cached_property
    def good(self) -> ssl.SSLContext:
        return _context(self._authority.issue_cert(*self._names))

    @cached_property
    def untrusted(self) -> ssl.SSLContext:
        """Signed by an authority that nobody knows."""
        return _context(_new_authority("unknown authority").issue_cert(*self._names))

    @cached_property
    def expired(self) -> ssl.SSLContext:
        """No longer good since yesterday."""
        now = datetime.datetime.now(datetime.UTC)
        day = datetime.timedelta(days=1)
        return _context(self._authority.issue_cert(*self._names, not_before=now - 30 * day, not_after=now - day))

    @cached_property
    def wrong_host(self) -> ssl.SSLContext:
        """Another host's."""
        return _context(self._authority.issue_cert(_ELSEWHERE))

    @cached_property
    def old(self) -> ssl.SSLContext:
        """A good certificate over TLS 1.0 and 1.1 only."""
        context = _context(self._authority.issue_cert(*self._names))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that is what it is for
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")  # their signatures are too weak for any other level
        return context


def _new_authority(name: str) -> trustme.CA:
    import trustme

    return trustme.CA(organization_name=name)


def _context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    return context
