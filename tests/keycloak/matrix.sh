#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# matrix.sh - the smoke flow on every line of Keycloak that we name.
#
# usage: tests/keycloak/matrix.sh [--links | VERSION...]
#
# Runs e2e.py (real MCP clients with a browser) on each version of the file
# "distributions", or on those named, with the Java in use (or JAVA_HOME).
# Without VERSION it also runs the newest on each of Java 21 and 25 that is
# below /usr/lib/jvm, and looks whether the jar would link to newer
# interfaces, which are not run; with --links it does only that.  Where Maven Central has some jars of a version, these are
# looked at, between the rest of the version before.  Ends with a table for
# doc/keycloak.md and "N passed, N failed, N skipped".  CIMD_BUILD names the
# build directory (build); the jar must be in it.

set -uo pipefail
export LC_ALL=C.UTF-8

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
export CIMD_BUILD=${CIMD_BUILD:-$top/build}
newer=(26.7.4 26.8.1) # each stands in for what the next one lacks
jar=${CIMD_KEYCLOAK_JAR:-$CIMD_BUILD/keycloak-bridge/cimd-keycloak.jar}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
links=yes
javas=yes
case ${1:-} in
'') mapfile -t versions < <("$here/fetch.sh" --list) ;;
--links)
	versions=()
	javas=
	;;
*)
	versions=("$@")
	javas=
	links=
	;;
esac
passed=0
failed=0
skipped=0
rows=()
plugin=org.apache.maven.plugins:maven-dependency-plugin:3.6.1

# java_version - of the Java that Keycloak will run on, as "17"
java_version() {
	"${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1 | sed -nE '1s/.*"([0-9]+).*/\1/p'
}

# one VERSION - a row of the table
one() {
	local log=$work/$1.log start=$SECONDS last p f
	echo "==> Keycloak $1 on Java $(java_version)"
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

# other_javas VERSION - once more on each that is there and not in use
other_javas() {
	local home used wanted
	used=$(java_version)
	for wanted in 21 25; do
		[[ $wanted != "$used" ]] || continue
		for home in /usr/lib/jvm/*-"$wanted"-*; do
			[[ -x $home/bin/java ]] || continue
			JAVA_HOME=$home one "$1"
			continue 2
		done
		echo "skipped: there is no Java $wanted here"
		skipped=$((skipped + 1))
	done
}

# maven GOAL OPTION... - of the plugin that obtains jars
maven() {
	"$top/tests/again.sh" 300 mvn -B -q --no-transfer-progress -f "$top/keycloak-bridge/pom.xml" \
		-Doutput.directory="$work/target" "$plugin:$1" "${@:2}" \
		>"$work/maven.log" 2>&1 </dev/null
}

# interfaces VERSION - all that the jar is compiled against, into libs-VERSION
interfaces() {
	maven copy-dependencies -Dkeycloak.version="$1" \
		-DincludeScope=provided -DoutputDirectory="$work/libs-$1"
}

# some VERSION BASE - those jars of Keycloak that there are, into own-VERSION
some() {
	local name missing=()
	for name in "$work/libs-$2"/keycloak-*-"$2".jar; do
		name=$(basename "$name" "-$2.jar")
		maven copy -Dartifact="org.keycloak:$name:$1" \
			-DoutputDirectory="$work/own-$1" ||
			missing+=("${name#keycloak-}")
	done
	echo "skipped: Maven Central has no ${missing[*]} of Keycloak $1;" \
		"those of $2 stand in"
	skipped=$((skipped + 1))
	[[ -d $work/own-$1 ]]
}

# references PATTERN - how many the last check found in files like this
references() {
	sed -nE "s/^($1)\.jar: ([0-9]+) references\$/\2/p" "$work/link.log" |
		awk '{ n += $1 } END { print n + 0 }'
}

# link VERSION BASE - would the jar link to these interfaces?
link() {
	local path=("$work/libs-$1") word=links
	echo "==> interfaces of Keycloak $1"
	if ! interfaces "$1"; then
		if ! some "$1" "$2"; then
			rows+=("| $1 | $(java_version) | not to be had |")
			return
		fi
		# A class that is in both comes from the first of them.
		path=("$work/own-$1"/*.jar "$work/libs-$2")
	fi
	if java "$here/LinkCheck.java" "$jar" "${path[@]}" >"$work/link.log" 2>&1
	then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		word='does not link'
	fi
	if [[ -d $work/own-$1 ]]; then
		word="$word in part: $(references "keycloak-.*-$1") of"
		word="$word $(references 'keycloak-.*') references"
	fi
	grep -vE '^(Java|jackson|jakarta|jboss).*: [0-9]+ references$' \
		"$work/link.log" | tail -n 20 | sed 's/^/    /'
	rows+=("| $1 | $(java_version) | $word |")
}

for version in "${versions[@]}"; do
	one "$version"
done
if [[ -n $javas ]]; then
	other_javas "$("$here/fetch.sh" --newest)"
fi
if [[ -n $links ]]; then
	before=
	for version in "${newer[@]}"; do
		link "$version" "$before"
		before=$version
	done
fi
echo
echo '| Keycloak | Java | end to end |'
echo '|---|---|---|'
printf '%s\n' "${rows[@]}"
echo
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
