#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every source file and script says its licence in its first ten lines.
: "${top_srcdir:=.}"
. "$top_srcdir/tests/lint/lib.sh"

written >/dev/null
n=0
bad=0
for f in $(written); do
	case $f in
	*.[ch] | *.java | *.sh | *.py | *.pl | *.am | *.ac | *.m4 | *.map | *.yml) ;;
	*.conf | *.service | *.socket | man/*.[1-8]) ;;
	*) head -c 2 "$top_srcdir/$f" | grep -q '#!' || continue ;;
	esac
	n=$((n + 1))
	head -n 10 "$top_srcdir/$f" |
		grep -q 'SPDX-License-Identifier: Apache-2\.0' || {
		echo "$f: no SPDX-License-Identifier" >&2
		bad=1
	}
done
[ "$bad" -eq 0 ] || exit 1
echo "$n files"
