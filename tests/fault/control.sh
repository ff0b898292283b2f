#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The control of kill_store: a store that acknowledges too early must be
# caught, or the test that finds nothing would prove nothing.
set -u
./kill_store_unsafe "${KILLS:-50}"
status=$?
if [ "$status" -ne 2 ]; then
	echo "error: the unsafe store was not caught (status $status)" >&2
	exit 1
fi
