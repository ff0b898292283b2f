#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every shell script contents shellcheck.
: "${top_srcdir:=.}"
. "$top_srcdir/tests/lint/lib.sh"

need shellcheck
shell_scripts >/dev/null
cd "$top_srcdir"
top_srcdir=.
shell_scripts | xargs -d '\n' shellcheck --external-sources --source-path=.
echo "$(shell_scripts | wc -l) scripts"
