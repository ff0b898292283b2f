# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# lib.sh - what the lints share.  Sourced by them; make sets top_srcdir.
set -eu
: "${top_srcdir:=.}"
# shellcheck disable=SC2034 # for the lints
tab=$(printf '\t')

die() {
	echo "error: $*" >&2
	exit 1
}

# What is missing is named; automake counts 77 as skipped.
skip() {
	echo "skipped: $*"
	exit 77
}

need() {
	command -v "$1" >/dev/null 2>&1 || skip "$1 is not installed"
}

# Names of the project's files under top_srcdir, one per line: what git
# tracks and what is about to be tracked.  A source tarball has no such list.
# shellcheck disable=SC2120 # not every lint narrows the list
files() {
	need git
	git -c safe.directory='*' -C "$top_srcdir" rev-parse --git-dir \
		>/dev/null 2>&1 || skip "not a git checkout"
	git -c safe.directory='*' -C "$top_srcdir" ls-files \
		--cached --others --exclude-standard "$@" |
		while IFS= read -r f; do
			if [ -f "$top_srcdir/$f" ]; then
				printf '%s\n' "$f"
			fi
		done
}

# Those of files() that a person wrote: no test data, no licence text.
written() {
	files | grep -Ev '^(tests/cases/.*|tests/fuzz/corpus/.*|LICENSE)$'
}

# Those that begin with "#!" and name a shell, and what only shells read.
shell_scripts() {
	written | while IFS= read -r f; do
		case $f in
		*.sh | *.bash) printf '%s\n' "$f" ;;
		*) head -n 1 "$top_srcdir/$f" |
			grep -qE '^#!.*[/ ](ba|da)?sh( |$)' &&
			printf '%s\n' "$f" ;;
		esac
	done || :
}
