#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The version map, the built library and the public header name the same
# functions, and NEWS.md and a test name each of them.
: "${top_srcdir:=.}" "${top_builddir:=build}"
. "$top_srcdir/tests/lint/lib.sh"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
lib=$top_builddir/common/.libs/libcimd.so
[ -f "$lib" ] || die "no $lib"

sed -n 's/^[ \t]*\(cimd_[a-z0-9_]*\);$/\1/p' \
	"$top_srcdir/common/libcimd.map" | LC_ALL=C sort >"$tmp/map"
"${NM:-nm}" -D --defined-only "$lib" |
	sed -n 's/^[0-9a-f]* [A-Z] \([A-Za-z0-9_]*\)@.*/\1/p' |
	grep -v '^CIMD_' | LC_ALL=C sort >"$tmp/library"
# Prototypes: comments go, CIMD_API and CIMD_MUST start a declaration.
sed 's@/\*.*\*/@@; /\/\*/,/\*\//d; /^#/d' "$top_srcdir/common/cimd.h" |
	tr '\n' ' ' | tr ';' '\n' |
	sed -n 's/^.*CIMD_\(API\|MUST\) [^(]*\<\(cimd_[a-z0-9_]*\)(.*/\2/p' |
	LC_ALL=C sort >"$tmp/header"

[ -s "$tmp/map" ] || die "the version map names nothing"
diff -u "$tmp/map" "$tmp/library" || die "the map and the library differ"
diff -u "$tmp/map" "$tmp/header" || die "the map and cimd.h differ"
uniq -d "$tmp/map" | grep . && die "named twice in the map"
while read -r f; do
	grep -qw "$f" "$top_srcdir/NEWS.md" || die "NEWS.md lacks $f"
	grep -rqw --include='*.[ch]' "$f" "$top_srcdir/tests" ||
		die "no test knows $f"
done <"$tmp/map"
echo "$(wc -l <"$tmp/map") functions in map, library and header"
