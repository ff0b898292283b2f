#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Nothing of the machine on which somebody worked: no checkout's or home's
# path, no fixed name in /tmp, no package mirror.  No open ends without an
# issue number either.
: "${top_srcdir:=.}"
. "$top_srcdir/tests/lint/lib.sh"

written >/dev/null
bad=0
# search WHAT REGEX [OPTION...]
search() {
	what=$1
	regex=$2
	shift 2
	if (cd "$top_srcdir" && written_here | xargs -d '\n' \
		grep -nIE "$@" -e "$regex" --) >&2; then
		echo "error: $what" >&2
		bad=1
	fi
}
written_here() {
	written | grep -Evx 'tests/lint/words\.sh|STYLE\.md'
}

search 'a path of one machine' \
	'(^|[^[:alnum:]._~}-])/(home|root|Users|work|workspace|builds)/'
search 'a fixed name in /tmp; use mktemp' '(^|[^[:alnum:]._~-])/tmp/[[:alnum:]_]'
search 'the host of a package registry or mirror' \
	'https?://[^/ ]*(registry|artifactory|nexus|jfrog|mirror)[^/ ]*/'
search 'an open end without an issue number' \
	'(^|[^[:alnum:]_])(TO''DO|FIX''ME|X''XX)($|[^[:alnum:]_(]|\([^#])'
[ "$bad" -eq 0 ] || exit 1
echo "$(written | wc -l) files"
