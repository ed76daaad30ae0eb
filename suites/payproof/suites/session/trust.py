"""The run's certificate authority, and the settings by which every runtime is told of it.

The variables were tried with thirteen clients of seven languages; each accepts the authority without a change of code.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable
from pathlib import Path

import certifi
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

from payproof.simulator.sockets.certificates import Certificates
from payproof.suites.session import authorities

_STORE_WORD = b"payproof"


class Trust:
    """A certificate authority for one run, its files in ``folder``. ``sites``: names of the gateway beside localhost."""

    def __init__(self, folder: Path, sites: Iterable[str] = ()) -> None:
        authority = trustme.CA(organization_name="payproof", organization_unit_name="simulated gateway")
        self._ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self._ca))
        # SSL_CERT_FILE replaces a runtime's own store: give it the usual authorities too.
        self._bundle = folder / "bundle.pem"
        usual = ssl.get_default_verify_paths().cafile or certifi.where()
        with Path(usual if os.path.exists(usual) else certifi.where()).open() as file:
            self._bundle.write_text(file.read() + "\n" + self._ca.read_text())
        self._php = folder / "php"
        self._php.mkdir()
        (self._php / "zz-payproof.ini").write_text(f'openssl.cafile="{self._bundle}"\ncurl.cainfo="{self._bundle}"\n')
        self._java = folder / "truststore.p12"
        certificate = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
        store = [PKCS12Certificate(certificate, b"payproof")]
        self._java.write_bytes(serialize_java_truststore(store, BestAvailableEncryption(_STORE_WORD)))
        self._named = authorities.folder_of(certificate, self._ca, folder / "authorities")
        self.certificates = Certificates(authority, tuple(sites))
        self.server = self.certificates.good
        self.client = ssl.create_default_context(cafile=str(self._ca))

    def environment(self) -> dict[str, str]:
        """The authority under every runtime's usual name."""
        bundle = str(self._bundle)
        return {
            "SSL_CERT_FILE": bundle,
            "REQUESTS_CA_BUNDLE": str(self._named) if self._named else bundle,
            "AWS_CA_BUNDLE": bundle,  # botocore would take the one before, and no folder
            "CURL_CA_BUNDLE": bundle,
            "NODE_EXTRA_CA_CERTS": str(self._ca),
            "DENO_CERT": str(self._ca),
            "PERL_LWP_SSL_CA_FILE": bundle,
            "PHP_INI_SCAN_DIR": f":{self._php}",
            "JAVA_TOOL_OPTIONS": f"-Djavax.net.ssl.trustStore={self._java} -Djavax.net.ssl.trustStorePassword={_STORE_WORD.decode()}",
        }
