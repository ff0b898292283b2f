#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# again.sh - a command that needs the network, once more where that failed
#
# usage: tests/again.sh SECONDS COMMAND...
#
# Tries three times at most, each for SECONDS, and again only if the time was
# over or the output has the words of a failed transfer: whatever else is
# wrong, as a compiler's error, is wrong the next time, too.  The output of an
# attempt comes when it ends; the exit status is that of the last one.

set -uo pipefail
export LC_ALL=C.UTF-8

if (($# < 2)) || [[ ! $1 =~ ^[1-9][0-9]*$ ]]; then
	echo "usage: again.sh SECONDS COMMAND..." >&2
	exit 2
fi
seconds=$1
shift
# Of Maven, npm and what they are made of.
transfer='Could not transfer|Premature end|Remote host terminated'
transfer+='|[Cc]onnection (was )?(reset|refused|closed|timed? ?out)'
transfer+='|Connect(ion)?TimeoutException|[Rr]ead timed out'
transfer+='|Unknown host|UnknownHostException|status code: (429|5[0-9][0-9])'
transfer+='|E(CONNRESET|CONNREFUSED|TIMEDOUT|NOTFOUND|AI_AGAIN|SOCKETTIMEOUT)'
transfer+='|code E(429|5[0-9][0-9])|socket hang up|network (error|timeout)'
# One that is stalled is given up after a minute, not after half an hour: the
# transports of Maven 3.8 and of 3.9.
export MAVEN_OPTS="${MAVEN_OPTS:-} -Dmaven.wagon.rto=60000 \
-Daether.connector.requestTimeout=60000"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

status=0
for try in 1 2 3; do
	if ((try > 1)); then
		echo "again.sh: ${1##*/}: exit status $status, again" >&2
		sleep "${AGAIN_PAUSE:-5}"
	fi
	status=0
	# In our process group, which somebody may end.
	timeout --foreground -k 10 "$seconds" "$@" >"$log" 2>&1 || status=$?
	cat "$log"
	if ((status == 0)) || { ((status != 124 && status != 137)) &&
		! grep -qE "$transfer" "$log"; }; then
		break
	fi
done
exit "$status"
