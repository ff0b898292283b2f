#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What of cimdctl needs nothing else: tables, documents, usage."""

import ctl  # noqa: F401 - finds the laboratory's modules
import labtest
from batch import Batch, Corpora  # noqa: F401
from cli import Captured, Rules, Usage  # noqa: F401

if __name__ == "__main__":
    labtest.main()
