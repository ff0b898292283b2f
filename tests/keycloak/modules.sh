#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# modules.sh - obtain the npm modules of the MCP client and server in e2e/.
#
# usage: tests/keycloak/modules.sh    prints the folder of node_modules
#
# They come from npm, once, as package-lock.json pins them with checksums, and
# are kept in $CIMD_KEYCLOAK_CACHE (default: build-tests/keycloak-cache).  No
# install script runs, and no browser is downloaded: it is Debian's Chromium.

set -euo pipefail
export LC_ALL=C.UTF-8

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cache=${CIMD_KEYCLOAK_CACHE:-$top/build-tests/keycloak-cache}

die() {
	echo "modules.sh: $*" >&2
	exit 1
}

command -v npm >/dev/null || die "npm is not installed"
sum=$(cat "$here/e2e/package.json" "$here/e2e/package-lock.json" | sha256sum)
folder=$cache/npm-${sum:0:16}
mkdir -p "$cache"
exec 9>"$cache/npm.lock"
flock 9
if [[ ! -d $folder ]]; then
	echo "modules.sh: obtains the MCP SDK and playwright-core from npm" >&2
	rm -rf "$folder.new"
	mkdir "$folder.new"
	cp "$here/e2e/package.json" "$here/e2e/package-lock.json" "$folder.new"
	"$top/tests/again.sh" 300 npm ci --prefix "$folder.new" \
		--ignore-scripts --no-audit --no-fund --fetch-timeout=60000 \
		>"$cache/npm.log" 2>&1 </dev/null 9>&- || {
		tail -n 5 "$cache/npm.log" >&2
		die "npm failed; all of it is in $cache/npm.log"
	}
	mv "$folder.new" "$folder"
fi
echo "$folder/node_modules"
