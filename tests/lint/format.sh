#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# clang-format would change nothing.  Versions of it differ in what they
# would change; ours is 14.
: "${top_srcdir:=.}"
. "$top_srcdir/tests/lint/lib.sh"

tool=
for t in "${CLANG_FORMAT:-}" clang-format-14 clang-format; do
	if [ -n "$t" ] && "$t" --version 2>/dev/null |
		grep -q 'version 14\.'; then
		tool=$t
		break
	fi
done
[ -n "$tool" ] || skip "clang-format 14 is not installed"
files '*.[ch]' >/dev/null
cd "$top_srcdir"
top_srcdir=.
files '*.[ch]' | xargs -d '\n' "$tool" --dry-run -Werror
echo "$(files '*.[ch]' | wc -l) files"
