#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The laboratory does what other suites rely on; curl is the witness."""

import os

import labtest
from selftest_http import Certificates, Control, Fixtures, Http
from selftest_net import Dns, Isolation, Tools, Trap

__all__ = ["Certificates", "Control", "Dns", "Fixtures", "Http", "Isolation",
           "Tools", "Trap"]

if __name__ == "__main__":
    labtest.main(["--sites", os.path.join(labtest.top_src(), "tests",
                                          "fixtures", "documents"),
                  "--hostile", "--trap", "--dns", "faults"])
