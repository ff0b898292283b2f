# SPDX-License-Identifier: Apache-2.0
"""Keys, JWK sets and signed assertions for tests, by the openssl command.

    key = Key.create("RS256", "/folder/name.pem", kid="one")
    key.jwk()                               public JWK, a dict
    key.sign({"iss": ...}, typ="...")       compact JWS, a str
    assertion(key, client_id, audience)     a good client assertion

Algorithms: RS256 PS256 ES256 ES384 EdDSA.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import time
from typing import Any

ALGORITHMS: dict[str, list[str]] = {
    "RS256": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "PS256": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "ES256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "ES384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "EdDSA": ["-algorithm", "ED25519"],
}
PSS = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"]


def b64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(value: Any) -> bytes:
    """JSON without white space."""
    return json.dumps(value, separators=(",", ":")).encode()


def run(*args: str, data: bytes = b"") -> bytes:
    """Run openssl with data on its standard input."""
    return subprocess.run(["openssl", *args], input=data, check=True,
                          capture_output=True).stdout


def der_integers(der: bytes, size: int) -> bytes:
    """ECDSA-Sig-Value to the r || s of RFC 7518 section 3.4."""
    out, at = b"", 2 + (der[1] == 0x81)
    for _ in range(2):
        length = der[at + 1]
        number = int.from_bytes(der[at + 2:at + 2 + length], "big")
        out += number.to_bytes(size, "big")
        at += 2 + length
    return out


class Key:
    """A private key in a PEM file, with its algorithm and key id."""

    def __init__(self, alg: str, pem: str, kid: str) -> None:
        self.alg, self.pem, self.kid = alg, pem, kid

    @classmethod
    def create(cls, alg: str, pem: str, kid: str = "lab-1") -> "Key":
        """Make a new key in the file pem."""
        run("genpkey", *ALGORITHMS[alg], "-out", pem)
        os.chmod(pem, 0o600)
        return cls(alg, pem, kid)

    def jwk(self, **more: Any) -> dict[str, Any]:
        """The public key as a JWK; more replaces or adds members."""
        jwk = {"kid": self.kid, "use": "sig", "alg": self.alg}
        spki = run("pkey", "-in", self.pem, "-pubout", "-outform", "DER")
        if self.alg in ("RS256", "PS256"):
            text = run("rsa", "-in", self.pem, "-noout", "-modulus")
            modulus = bytes.fromhex(text.decode().strip().split("=")[1])
            jwk.update(kty="RSA", n=b64url(modulus), e="AQAB")
        elif self.alg == "EdDSA":
            jwk.update(kty="OKP", crv="Ed25519", x=b64url(spki[-32:]))
        else:
            size = self.size()
            jwk.update(kty="EC", crv=f"P-{size * 8}",
                       x=b64url(spki[-2 * size:-size]),
                       y=b64url(spki[-size:]))
        jwk.update(more)
        return jwk

    def size(self) -> int:
        """Bytes of an EC coordinate."""
        return 48 if self.alg == "ES384" else 32

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """Compact JWS; header replaces or adds members (None removes)."""
        head = {"alg": self.alg, "kid": self.kid, **header}
        head = {k: v for k, v in head.items() if v is not None}
        signed = b64url(compact(head)) + "." + b64url(compact(claims))
        return signed + "." + b64url(self.signature(signed.encode()))

    def signature(self, data: bytes) -> bytes:
        """The raw JWS signature over data."""
        if self.alg == "EdDSA":
            return self._sign_eddsa(data)
        digest = "-sha384" if self.alg == "ES384" else "-sha256"
        extra = PSS if self.alg == "PS256" else []
        raw = run("dgst", digest, "-sign", self.pem, *extra, data=data)
        if self.alg.startswith("ES"):
            return der_integers(raw, self.size())
        return raw

    def _sign_eddsa(self, data: bytes) -> bytes:
        name = f"{self.pem}.{secrets.token_hex(8)}"
        try:
            with open(name, "wb") as out:
                out.write(data)
            return run("pkeyutl", "-sign", "-rawin", "-inkey", self.pem,
                       "-in", name)
        finally:
            os.unlink(name)


def jwks(*keys: Key) -> dict[str, Any]:
    """A JWK set of the keys' public halves."""
    return {"keys": [key.jwk() for key in keys]}


def assertion(key: Key, client_id: str, audience: str,
              **claims: Any) -> str:
    """A good RFC 7523 client assertion; claims replace members (None
    removes one)."""
    now = int(time.time())
    body = {"iss": client_id, "sub": client_id, "aud": audience,
            "iat": now, "exp": now + 60, "jti": secrets.token_hex(16),
            **claims}
    return key.sign({k: v for k, v in body.items() if v is not None},
                    typ="client-authentication+jwt")
