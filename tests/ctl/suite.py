#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cimdctl without a network: tables, command line, files that it writes."""

import ctl  # noqa: F401 - finds the laboratory's modules
import labtest
from answers import Answers  # noqa: F401
from batch import Batch, Corpora  # noqa: F401
from cli import (Captured, Completion, Help, NoDaemon,  # noqa: F401
                 Output, Rules, Usage)
from confd import Written  # noqa: F401

if __name__ == "__main__":
    labtest.main()
