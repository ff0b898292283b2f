#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# McCabe's number of every function is at most 15.
: "${top_srcdir:=.}"
. "$top_srcdir/tests/lint/lib.sh"

need pmccabe
bar=15
files 'common/*.c' >/dev/null
cd "$top_srcdir"
top_srcdir=.
files 'common/*.c' 'cimdd/*.c' 'cimdctl/*.c' 'plugins/*.c' \
	'keycloak-bridge/*.c' 'tests/*.c' \
	'bench/*.c' |
	xargs -d '\n' pmccabe | sort -rn | awk -F '\t' -v bar="$bar" '
	$1 > bar { print $6 ": " $1; bad = 1 }
	END {
		print NR " functions"
		exit bad || NR == 0
	}'
