#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# replay.sh PROGRAM - run a fuzz target once over each file of its corpus.
# Works for the replay program and for libFuzzer's, and fails on an empty
# corpus, which would prove nothing.
set -eu
name=${1##*/fuzz_}
dir=${corpus:?}/$name
[ -d "$dir" ] || { echo "no corpus: $dir" >&2; exit 1; }
n=$(find "$dir" -type f | wc -l)
[ "$n" -gt 0 ] || { echo "empty corpus: $dir" >&2; exit 1; }
find "$dir" -type f -print0 | sort -z | xargs -0 "$1"
echo "$n inputs of $dir replayed"
