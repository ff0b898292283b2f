#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD SECONDS [NAME...] - run fuzz targets, all or those named.
# BUILD was configured with CC=clang --enable-fuzz and "make check" was there.
# Starts from the corpus in the tree and leaves it alone; new inputs and
# findings go to BUILD/tests/fuzz/work/NAME.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
seconds=$2
shift 2
if [ $# -eq 0 ]; then
	for f in "$here"/fuzz_*.c; do
		[ -f "$f" ] || continue
		f=${f##*/fuzz_}
		set -- "$@" "${f%.c}"
	done
fi
passed=0
failed=0
for name in "$@"; do
	work=$build/tests/fuzz/work/$name
	mkdir -p "$work/corpus"
	set -- -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
		-artifact_prefix="$work/" -print_final_stats=1
	if [ -f "$here/dict/$name" ]; then
		set -- "$@" -dict="$here/dict/$name"
	fi
	if "$build/tests/fuzz/fuzz_$name" "$@" "$work/corpus" \
		"$here/corpus/$name" >"$work/log" 2>&1; then
		passed=$((passed + 1))
		echo "ok $name: $(grep -o 'cov: .* corp: [^ ]*' "$work/log" |
			tail -n 1)"
	else
		failed=$((failed + 1))
		echo "FAILED $name:"
		tail -n 40 "$work/log"
	fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
