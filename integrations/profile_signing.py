"""Signing Apple's configuration profiles with the server's own certificate, so that a device shows who made them.

A profile is signed as CMS (RFC 5652) signed data around the property list, with the chain of certificates in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509 import load_pem_x509_certificates


@dataclass(frozen=True, slots=True)
class ProfileSigner:
    """Signs with the PEM files of a certificate, the server's own first, and its key. They are read each time: a
    renewed certificate counts at once."""

    certificate: Path
    key: Path

    def __call__(self, profile: bytes) -> bytes:
        """The signed profile, DER. ValueError when the key is of a kind that cannot sign."""
        own, *chain = load_pem_x509_certificates(self.certificate.read_bytes())
        key = serialization.load_pem_private_key(self.key.read_bytes(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise ValueError("The key of the certificate is neither RSA nor on an elliptic curve.")
        builder = pkcs7.PKCS7SignatureBuilder().set_data(profile).add_signer(own, key, hashes.SHA256())
        for each in chain:
            builder = builder.add_certificate(each)
        return builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])
