#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""pam_cimd.so in real PAM hosts, with a real cimdd, real documents and real
assertions.  CIMD_BUILD names the build directory."""

import os

import pamhost  # first: it says where the laboratory is
import labtest
from authenticate import Account, Auth, Options, Trouble
from hosts import Dovecot, Nginx, Saslauthd
from machinery import Guest, Linking

__all__ = ["Account", "Auth", "Dovecot", "Guest", "Linking", "Nginx",
           "Options", "pamhost", "Saslauthd", "Trouble"]

if __name__ == "__main__":
    labtest.main(["--sites", os.path.join(labtest.top_src(), "tests",
                                          "fixtures", "documents"),
                  "--hostile", "--trap", "--dns", "faults"])
