#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# again.sh tries once more what the network has spoilt, and nothing else.
: "${top_srcdir:=.}"
. "$top_srcdir/tests/lint/lib.sh"
need bash
need timeout

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
again=$(cd "$top_srcdir/tests" && pwd)/again.sh
AGAIN_PAUSE=0
export AGAIN_PAUSE

# attempts WANTED STATUS SECONDS SCRIPT - how often it ran, and how it ended
attempts() {
	status=0
	rm -f "$tmp/ran"
	"$again" "$3" sh -c "echo >>$tmp/ran; n=\$(wc -l <$tmp/ran); $4" \
		>"$tmp/out" 2>&1 || status=$?
	ran=$(($(wc -l <"$tmp/ran")))
	[ "$ran $status" = "$1 $2" ] ||
		die "$4: ran $ran times, status $status; wanted $1, $2"
}

reset='[ERROR] Could not transfer artifact a:b:jar:1 from central: reset'
attempts 1 0 60 'true'
attempts 1 7 60 'echo compilation error; exit 7'
attempts 2 0 60 "[ \$n = 2 ] || { echo '$reset'; exit 1; }"
attempts 3 1 60 'echo npm error code ECONNRESET; exit 1'
attempts 2 0 60 "[ \$n = 2 ] || exit 124" # as timeout(1) ends
status=0
"$again" 1 sleep 60 >"$tmp/out" 2>&1 || status=$?
[ "$status $(grep -c 'status 124, again' "$tmp/out")" = '124 2' ] ||
	die "one that hangs: status $status: $(cat "$tmp/out")"
echo "6 cases"
