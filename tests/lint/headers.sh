#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone; the public one also as older and newer C and
# as C++.
: "${top_srcdir:=.}"
. "$top_srcdir/tests/lint/lib.sh"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0

# compile LANGUAGE STANDARD HEADER
compile() {
	printf '#include "%s"\n' "$3" >"$tmp/alone.c"
	# shellcheck disable=SC2086 # lists of flags
	${CC:-cc} -x "$1" -std="$2" -fsyntax-only -Wall -Wextra -Wpedantic \
		-Werror -I"$top_srcdir/common" $LINT_CPPFLAGS "$tmp/alone.c" ||
		die "$3 does not compile alone as $2"
	n=$((n + 1))
}

for h in "$top_srcdir"/common/*.h "$top_srcdir"/common/client/*.h \
	"$top_srcdir"/cimdd/*.h "$top_srcdir"/cimdctl/*.h \
	"$top_srcdir"/plugins/*/*.h \
	"$top_srcdir"/tests/*/*.h; do
	[ -f "$h" ] || continue
	case $h in
	*/plugins/"${LINT_SKIP:-none}"/*) continue ;;
	esac
	compile c c11 "$h"
done
for std in c99 c17; do
	compile c $std "$top_srcdir/common/cimd.h"
done
if command -v "${CXX:-c++}" >/dev/null 2>&1; then
	for std in c++11 c++17; do
		compile c++ $std "$top_srcdir/common/cimd.h"
	done
fi
[ "$n" -gt 2 ] || die "no headers found"
echo "$n compilations"
