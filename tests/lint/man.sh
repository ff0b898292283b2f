#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Manual pages: mandoc finds nothing, every public function and every program
# has a page, and no page names a function that is not there.
: "${top_srcdir:=.}"
. "$top_srcdir/tests/lint/lib.sh"

need mandoc
cd "$top_srcdir/man"
set -- *.[1-8]
[ -f "$1" ] || skip "there are no manual pages yet"
mandoc -T lint -W warning "$@"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
sed -n 's/^[ \t]*\(cimd_[a-z0-9_]*\);$/\1/p' ../common/libcimd.map |
	LC_ALL=C sort >"$tmp/map"
# The functions of section 3: .Nm lines up to the end of NAME.
for page in *.3; do
	[ -f "$page" ] || die "no page in section 3"
	sed -n '/^\.Sh NAME/,/^\.Nd/s/^\.Nm \(cimd_[a-z0-9_]*\).*/\1/p' "$page"
done | LC_ALL=C sort >"$tmp/named"
for page in *.3; do
	sed -n 's/^\.Fo \(cimd_[a-z0-9_]*\).*/\1/p
		s/^\.Fn \(cimd_[a-z0-9_]*\).*/\1/p' "$page"
done | LC_ALL=C sort -u >"$tmp/used"
diff -u "$tmp/map" "$tmp/named" ||
	die "the map and the NAME sections differ"
LC_ALL=C comm -13 "$tmp/map" "$tmp/used" | grep . &&
	die "a page uses a function that is not public"
grep -E '^	[a-z_.]+\.[1-8] \\$' Makefile.am | tr -d '\\\t ' | LC_ALL=C sort >"$tmp/listed"
printf '%s\n' "$@" | LC_ALL=C sort | diff -u - "$tmp/listed" ||
	die "man/Makefile.am lists other pages than there are"
for page in cimdd.8 cimdctl.8 cimd.conf.5; do
	[ -f "$page" ] || die "no $page"
done
echo "$# pages"
