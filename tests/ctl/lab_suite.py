#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cimdctl in the laboratory: check, doctor, and the daemon's commands."""

import ctl  # noqa: F401 - finds the laboratory's modules
import labtest
from admin import Changes, Govern, Pending, Watch  # noqa: F401
from doctor import Doctor  # noqa: F401
from live import Documents, Hostile, Names, Shapes  # noqa: F401

if __name__ == "__main__":
    labtest.main(["--sites", ctl.FIXTURES, "--hostile", "--trap", "--dns",
                  "faults"])
