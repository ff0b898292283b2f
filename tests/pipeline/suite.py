#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The whole pipeline, through the sockets of cimdd, in the laboratory.

A test configures a cimdd of its own and looks clients up; the hostile
server changes documents under it and counts what it is asked.  Figures are
counts and orders, not durations.  CIMD_BUILD names the build directory.
"""

import os

import cimdd  # first: it says where the laboratory is
import labtest
from assertions import Audiences, Rotation, Tokens
from consumers import Metadata, PolicyTest, Realms, Tenants, Who
from faults import Child, Descriptors, Disk, Killed, Storm
from freshness import Expiry, Failures, Life, Revalidation, SoftRefresh
from governance import Blocks, Changes, Forgetting, Pending, Updates
from load import Bounds, SingleFlight, SlowHosts, Stopping
from lookups import Attempts, Errors, PolicyFirst, Purposes, Requests
from mux import Mux
from reloading import Reloading
from trouble import FullDisk, OtherTrouble, ReadOnly
from watching import Activity, Audit, Health, Metrics

__all__ = [
    "Activity", "Attempts", "Audiences", "Audit", "Blocks", "Bounds",
    "Changes", "Child", "cimdd", "Descriptors", "Disk", "Errors", "Expiry",
    "Failures", "Forgetting", "FullDisk", "Health", "Killed", "Life",
    "Metadata", "Metrics", "Mux", "OtherTrouble", "Pending", "PolicyFirst",
    "PolicyTest", "Purposes", "ReadOnly", "Realms", "Reloading", "Requests",
    "Revalidation", "Rotation", "SingleFlight", "SlowHosts", "SoftRefresh",
    "Stopping", "Storm", "Tenants", "Tokens", "Updates", "Who"]

if __name__ == "__main__":
    labtest.main(["--sites", os.path.join(labtest.top_src(), "tests",
                                          "fixtures", "documents"),
                  "--hostile", "--trap", "--dns", "faults"])
