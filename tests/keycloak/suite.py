#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The bridge on a live Keycloak, with cimdd in the laboratory.

    CIMD_KEYCLOAK_VERSION   which Keycloak (default: the newest)
    CIMD_KEYCLOAK_JAR       another jar than the one that was built
"""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import host  # noqa: E402
import keycloak  # noqa: E402
import labtest  # noqa: E402
from form import *  # noqa: E402,F401,F403
from grants import *  # noqa: E402,F401,F403
from links import *  # noqa: E402,F401,F403
from logins import *  # noqa: E402,F401,F403
from metadata import *  # noqa: E402,F401,F403
from rules import *  # noqa: E402,F401,F403

if os.environ.get("CIMD_KEYCLOAK_ENGINE") == "jni":
    del Nonsense  # noqa: F821 - there is no socket to answer at

if __name__ == "__main__":
    keycloak.obtain()
    labtest.main(host.OPTIONS)
