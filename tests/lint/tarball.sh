#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tarball.sh FILE - the source tarball holds every file of the project.
: "${top_srcdir:=.}"
. "$top_srcdir/tests/lint/lib.sh"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
files | grep -Ev '(^|/)\.git(ignore|attributes)$|^\.github/' |
	LC_ALL=C sort >"$tmp/tree"
tar -tf "$1" | sed -n 's@^[^/]*/@@; /[^/]$/p' | LC_ALL=C sort >"$tmp/ball"
LC_ALL=C comm -23 "$tmp/tree" "$tmp/ball" >"$tmp/missing"
if [ -s "$tmp/missing" ]; then
	cat "$tmp/missing"
	die "not in the tarball; see EXTRA_DIST in the Makefile.am nearby"
fi
echo "$(wc -l <"$tmp/tree") files"
