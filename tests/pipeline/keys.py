# SPDX-License-Identifier: Apache-2.0
"""Keys of a client, the members that publish them, and assertions."""

from __future__ import annotations

import os
from typing import Any

import jose
import labtest


class Keys:
    """A key pair of a client."""

    def __init__(self, case: labtest.Case, alg: str = "ES256",
                 kid: str = "one") -> None:
        self.kid = kid
        self.key = jose.Key.create(
            alg, os.path.join(case.folder(), "key.pem"), kid)

    def members(self, *others: "Keys") -> dict[str, Any]:
        """Of a document: this key and others, and the method."""
        keys = [self.key, *(other.key for other in others)]
        return {"token_endpoint_auth_method": "private_key_jwt",
                "token_endpoint_auth_signing_alg": None,
                "jwks": jose.jwks(*keys)}

    def assertion(self, url: str, audience: str, **claims: Any) -> str:
        """A good client assertion; claims replace members."""
        return jose.assertion(self.key, url, audience, **claims)
