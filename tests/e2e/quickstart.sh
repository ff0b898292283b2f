#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# quickstart.sh - what ./quickstart shows, and that it notices what is wrong.
# It builds in build-quickstart, like anybody's first run.  The part with
# Keycloak is run as --keep does it, and looked at from outside.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0
failed=0
skipped=0
cd "$top"

# check WHAT COMMAND... - one test
check() {
	what=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
		echo "ok - $what"
	else
		failed=$((failed + 1))
		echo "not ok - $what"
		sed 's/^/    /' "$tmp/out"
	fi
}

skip() {
	skipped=$((skipped + 1))
	echo "skipped: $1"
}

# shows COUNT TEXT - so many lines of the output have the text
shows() {
	[ "$(grep -cF -- "$2" "$tmp/out")" -eq "$1" ]
}

main_job() {
	./quickstart --no-install --core --keep >"$tmp/out" 2>&1 &&
		shows 6 'trusted by ' && shows 6 ' ok http' &&
		shows 1 'CIMD_E_POLICY' && shows 1 'CIMD_E_MISMATCH' &&
		shows 1 'redirect_uri_ok: false' && shows 0 '(!)' &&
		shows 1 'cimdctl clients' && shows 0 development_loopback &&
		shows 1 'cimdctl check'
}

keeps() {
	[ -s build-quickstart/lab/cimd/cimd.conf ] &&
		[ -s build-quickstart/lab/cimd/state/cimd.db ] &&
		[ -s build-quickstart/lab/cimd/daemon.log ]
}

# url NAME - what the output says after that name
url() {
	sed -n "s/^    $1  *\(http[^ ]*\)$/\1/p" "$tmp/out"
}

# Waits until it says that it runs, or ends.
wait_for_keep() {
	while kill -0 "$pid" 2>/dev/null; do
		grep -q 'until you press Ctrl-C' "$tmp/out" && return 0
		sleep 1
	done
	return 1
}

# status URL [OPTION...] - what it answers
status() {
	curl -s -o "$tmp/page" -w '%{http_code}' --max-time 60 "$@"
}

# From a real login of each client to a look at the console from outside.
with_keycloak() {
	./quickstart --no-install --keep >"$tmp/out" 2>&1 &
	pid=$!
	good=0
	if wait_for_keep; then
		[ "$(status "$(url "Keycloak's console" | sed 's/#.*//')")" = 200 ] &&
			[ "$(status "$(url 'MCP server')" -X POST)" = 401 ] &&
			good=1
	fi
	kill -TERM "$pid" 2>/dev/null || :
	wait "$pid" || good=0
	[ "$good" -eq 1 ] && shows 3 ' answers "alice via ' &&
		shows 2 'with a copy of Claude' && shows 3 '  served ' &&
		shows 2 '  refused ' && shows 0 '(!)' &&
		shows 1 'before, 6 after' && shows 6 'trusted by '
}

ended() {
	! curl -s -o /dev/null --max-time 5 \
		"$(url "Keycloak's console" | sed 's/#.*//')"
}

# Inside a user namespace that allows no others.
no_namespaces() {
	unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces &&
		echo 0 >/proc/sys/user/max_net_namespaces && "$@"' sh "$@"
}

fallback() {
	no_namespaces ./quickstart --no-install >"$tmp/out" 2>&1 &&
		shows 1 'namespaces here' && shows 6 'trusted by ' &&
		shows 0 '(!)' && shows 11 development_loopback &&
		shows 0 '==> provider' && shows 0 '==> keycloak'
}

# A vendor whose document says something else.
other_document() {
	cp -R tests/fixtures/documents "$tmp/documents"
	sed -i 's/Claude Code/Claude Cod/; s/"none"/"private_key_jwt"/' \
		"$tmp/documents/claude-code.json"
	CIMD_BUILD=$top/build-quickstart/build
	export CIMD_BUILD
	status=0
	python3 -B tests/lab/lab.py run --sites "$tmp/documents" -- \
		python3 -B tests/e2e/quickstart.py >"$tmp/out" 2>&1 || status=$?
	[ "$status" -eq 1 ] && grep -qF '(!)' "$tmp/out" &&
		shows 5 'trusted by '
}

if python3 -B tests/lab/lab.py probe 2>"$tmp/why"; then
	check 'shows the main job' main_job
	check '--keep keeps configuration, state and log' keeps
	check 'notices a document that is not as expected' other_document
	check 'logs in three MCP clients, refuses the fourth' with_keycloak
	check 'leaves nothing behind' ended
else
	skip "$(cat "$tmp/why")"
fi
if no_namespaces true 2>/dev/null; then
	check 'uses loopback, and says so in every row' fallback
else
	skip 'this machine cannot forbid namespaces'
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
