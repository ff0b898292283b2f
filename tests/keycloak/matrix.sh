#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# matrix.sh - the smoke flow on every line of Keycloak that we name.
#
# usage: tests/keycloak/matrix.sh [VERSION...]
#
# Runs e2e.py (real MCP clients with a browser) on each version of the file
# "distributions", or on those named.  Without VERSION it also looks whether
# the jar would link to newer interfaces, which are not run.  Ends with a table for doc/keycloak.md and
# "N passed, N failed, N skipped".  CIMD_BUILD names the build directory
# (build); the jar must be in it.

set -uo pipefail
export LC_ALL=C.UTF-8

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
export CIMD_BUILD=${CIMD_BUILD:-$top/build}
interfaces=(26.7.4 26.8.1)
jar=${CIMD_KEYCLOAK_JAR:-$CIMD_BUILD/keycloak-bridge/cimd-keycloak.jar}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
versions=("$@")
((${#versions[@]} > 0)) || mapfile -t versions < <("$here/fetch.sh" --list)
passed=0
failed=0
skipped=0
rows=()
plugin=org.apache.maven.plugins:maven-dependency-plugin:3.6.1

# java_version - of the Java that Keycloak will run on, as "17"
java_version() {
	java -version 2>&1 | sed -nE '1s/.*"([0-9]+).*/\1/p'
}

# one VERSION - a row of the table
one() {
	local log=$work/$1.log start=$SECONDS last p f
	echo "==> Keycloak $1"
	CIMD_KEYCLOAK_VERSION=$1 "$here/e2e.py" >"$log" 2>&1
	last=$(tail -n 1 "$log")
	p=$(sed -nE 's/^([0-9]+) passed, .*/\1/p' <<<"$last")
	f=$(sed -nE 's/^[0-9]+ passed, ([0-9]+) failed.*/\1/p' <<<"$last")
	passed=$((passed + ${p:-0}))
	failed=$((failed + ${f:-1}))
	grep -E '^(ok|skipped:)' "$log" | sed 's/^/    /'
	if [[ ${f:-1} != 0 ]]; then
		tail -n 60 "$log" | sed 's/^/    /'
	fi
	rows+=("| $1 | $(java_version) | ${p:-0} of $((${p:-0} + ${f:-1})) |")
	echo "    $((SECONDS - start)) s"
}

# link VERSION - would the jar link to these interfaces?
link() {
	local libs=$work/libs-$1 word=links
	echo "==> interfaces of Keycloak $1"
	if ! mvn -B -q --no-transfer-progress \
		-f "$top/keycloak-bridge/pom.xml" \
		-Doutput.directory="$work/target" -Dkeycloak.version="$1" \
		"$plugin:copy-dependencies" -DincludeScope=provided \
		-DoutputDirectory="$libs" >"$work/link.log" 2>&1; then
		echo "skipped: Maven finds no interfaces of Keycloak $1"
		skipped=$((skipped + 1))
		return
	fi
	if java "$here/LinkCheck.java" "$jar" "$libs" >"$work/link.log" 2>&1
	then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		word='does not link'
	fi
	tail -n 20 "$work/link.log" | sed 's/^/    /'
	rows+=("| $1 | $(java_version) | $word |")
}

for version in "${versions[@]}"; do
	one "$version"
done
if (($# == 0)); then
	for version in "${interfaces[@]}"; do
		link "$version"
	done
fi
echo
echo '| Keycloak | Java | end to end |'
echo '|---|---|---|'
printf '%s\n' "${rows[@]}"
echo
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
