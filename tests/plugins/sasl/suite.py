#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The Cyrus SASL plugin in real SASL servers and clients, with a real cimdd,
real documents and real assertions.  CIMD_BUILD names the build directory."""

import os

import saslhost  # first: it says where the laboratory is
import labtest
from cimdd import sanitizer
from loading import Loading
from logins import Logins, Names, Options
from properties import Properties
from outages import Outages

if not sanitizer():  # whose plugins stock programs cannot load
    from loading import Stock
    from postfix import Postfix
    from slapd import Slapd
    STOCK = [Postfix, Slapd, Stock]

__all__ = ["Loading", "Logins", "Names", "Options", "Outages", "Properties",
           "saslhost"]

if __name__ == "__main__":
    labtest.main(["--sites", os.path.join(labtest.top_src(), "tests",
                                          "fixtures", "documents"),
                  "--hostile", "--trap", "--dns", "faults"])
