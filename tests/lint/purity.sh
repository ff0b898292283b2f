#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Pure steps get time, limits and bytes as arguments.  Proof: what their
# objects import comes from other pure objects or stands in a list here.
# It is a list of what is allowed, because a list of what is not would miss
# names such as __read_chk.  Functions that depend on the locale (strcasecmp,
# isalpha) are no pure functions.
: "${top_srcdir:=.}" "${top_builddir:=build}"
. "$top_srcdir/tests/lint/lib.sh"

pure=$(cat "$top_srcdir/tests/lint/pure")

# Memory and strings, with their fortified names, and what the compiler adds.
libc='mem(cpy|cmp|move|set|chr|rchr|mem)|explicit_bzero'
libc="$libc|str(len|nlen|cmp|ncmp|chr|rchr|spn|cspn|str|dup|ndup)"
libc="$libc|malloc|calloc|realloc|reallocarray|free|v?snprintf"
libc="$libc|qsort|bsearch|__assert_fail|__stack_chk_fail"
libc="$libc|__(mem(cpy|move|set)|v?snprintf|explicit_bzero)_chk"
libc="$libc|_GLOBAL_OFFSET_TABLE_"
# Instrumented builds: sanitizers, coverage.
libc="$libc|__(asan|ubsan|tsan|sanitizer|sancov|gcov|llvm)_.*"
libc="$libc|__start___sanc.*|__stop___sanc.*|mangled_path"

# Libraries whose functions compute and nothing else, per step.
bignum='BN_.*|OPENSSL_cleanse|CRYPTO_(free|memcmp)|ERR_(clear_error|set_mark'
bignum="$bignum|get_error|pop_to_mark|peek_last_error)"
evp="$bignum|EVP_.*|OSSL_PARAM_.*|ECDSA_SIG_.*|i2d_ECDSA_SIG"
extra() {
	case $1 in
	assertion | digest | jwk | jwk_key | jwks | jws)
		echo "$evp|json_(object|tokener)_.*" ;;
	host) echo 'idn2_.*' ;;
	netaddr) echo 'inet_(pton|ntop)' ;;
	policy_match | redirect) echo 'psl_.*' ;;
	url) echo 'curl_url.*|curl_free' ;;
	api_json | change_diff | client | conf* | document* | json_* | policy_* | \
		settings)
		echo 'json_(object|tokener|type|util)_.*' ;;
	esac
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for step in $pure; do
	[ -f "$top_srcdir/common/$step.c" ] || continue
	o=$top_builddir/common/.libs/$step.o
	[ -f "$o" ] || die "no $o"
	"${NM:-nm}" --defined-only --extern-only "$o" | sed 's/.* //'
done | LC_ALL=C sort -u >"$tmp/ours"

bad=0
n=0
for step in $pure; do
	o=$top_builddir/common/.libs/$step.o
	[ -f "$o" ] || continue
	n=$((n + 1))
	more=$(extra "$step")
	"${NM:-nm}" --undefined-only "$o" | sed 's/.* //; s/@.*//' |
		LC_ALL=C sort -u | grep -Fvx -f "$tmp/ours" |
		grep -Evx "$libc${more:+|$more}" >"$tmp/foreign" || :
	if [ -s "$tmp/foreign" ]; then
		echo "$step.c is a pure step, but imports:" \
			"$(tr '\n' ' ' <"$tmp/foreign")" >&2
		bad=1
	fi
done
[ "$bad" -eq 0 ] || exit 1
echo "$n pure steps"
