#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# fetch.sh - obtain a Keycloak distribution, unpacked and unchanged.
#
# usage: tests/keycloak/fetch.sh VERSION     prints the folder of Keycloak
#        tests/keycloak/fetch.sh --list      names the versions
#        tests/keycloak/fetch.sh --newest    names the newest of them
#
# Comes from Maven Central by the ordinary Maven client, once, is compared
# with the checksum in the file "distributions" beside this script, and is
# kept in $CIMD_KEYCLOAK_CACHE (default: build-tests/keycloak-cache), outside
# of the sources.  Nobody may write into the folder that is printed: copy it.

set -euo pipefail
export LC_ALL=C.UTF-8

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
list=$here/distributions
cache=${CIMD_KEYCLOAK_CACHE:-$top/build-tests/keycloak-cache}
plugin=org.apache.maven.plugins:maven-dependency-plugin:3.6.1

say() {
	echo "fetch.sh: $*" >&2
}

die() {
	say "$*"
	exit 1
}

versions() {
	sed -nE 's/^[0-9a-f]{64}  ([0-9.]+)$/\1/p' "$list"
}

# download VERSION - into $cache/m2; prints the path of the archive
download() {
	local log=$cache/$1.log
	local file=$cache/m2/org/keycloak/keycloak-quarkus-dist/$1
	file=$file/keycloak-quarkus-dist-$1.tar.gz
	command -v mvn >/dev/null ||
		die "mvn is not installed (package maven)"
	say "obtains Keycloak $1 from Maven Central (about 170 MB)"
	if ! "$top/tests/again.sh" 1200 \
		mvn -B --no-transfer-progress --strict-checksums \
		-Dmaven.repo.local="$cache/m2" "$plugin:get" \
		-Dtransitive=false \
		-Dartifact="org.keycloak:keycloak-quarkus-dist:$1:tar.gz" \
		>"$log" 2>&1 </dev/null 9>&-; then
		grep -E '^\[ERROR\]' "$log" | head -n 5 >&2
		die "Keycloak $1 could not be obtained; all of it is in $log"
	fi
	echo "$file"
}

# unpack FILE VERSION SHA256
unpack() {
	local found tmp=$cache/unpacking-$2
	found=$(sha256sum "$1")
	found=${found%% *}
	if [[ $found != "$3" ]]; then
		rm -f "$1" # else it would be found, and refused, for ever
		die "Keycloak $2 has SHA-256 $found, expected $3 ($list)"
	fi
	rm -rf "$tmp"
	mkdir "$tmp"
	tar -xzf "$1" -C "$tmp" --strip-components=1
	[[ -x $tmp/bin/kc.sh ]] || die "no bin/kc.sh in $1"
	rm -f "$1"
	mv "$tmp" "$cache/keycloak-$2"
}

obtain() {
	local version=$1 sha file start=$SECONDS
	sha=$(sed -nE "s/^([0-9a-f]{64})  ${version//./\\.}\$/\1/p" "$list")
	[[ -n $sha ]] || die "no Keycloak $version in $list; there are:" \
		"$(versions | tr '\n' ' ')"
	mkdir -p "$cache"
	exec 9>"$cache/$version.lock"
	flock 9
	if [[ ! -d $cache/keycloak-$version ]]; then
		file=$(download "$version")
		unpack "$file" "$version" "$sha"
		say "Keycloak $version is ready ($((SECONDS - start)) s)"
	fi
	(cd "$cache/keycloak-$version" && pwd)
}

case ${1:-} in
--list) versions ;;
--newest) versions | sort -V | tail -n 1 ;;
'' | -*) die "usage: fetch.sh VERSION | --list | --newest" ;;
*) obtain "$1" ;;
esac
