#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each lint finds what it is there for: a small tree in which all is well
# passes, and the same tree with one fault does not.
# shellcheck disable=SC2016 # sed scripts, not variables
: "${top_srcdir:=.}"
. "$top_srcdir/tests/lint/lib.sh"
need git

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
lints=$(cd "$top_srcdir/tests/lint" && pwd)
config=$(cd "$top_srcdir" && pwd)/.clang-format
faults=0
cases=0

# page NAME SECTION [MACRO-LINE...] - a manual page that mandoc likes
page() {
	cat >"man/$1.$2" <<EOF
.\" SPDX-License-Identifier: Apache-2.0
.Dd November 1, 2026
.Dt $(echo "$1" | tr '[:lower:]' '[:upper:]') $2
.Os
.Sh NAME
.Nm $1
.Nd a page
EOF
	printf '\t%s.%s \\\n' "$1" "$2" >>man/Makefile.am
}

# A header, a step that is listed as pure, its map, a test and a spec map.
good_tree() {
	rm -rf "$tmp/tree"
	mkdir -p "$tmp/tree/common" "$tmp/tree/tests/lint" "$tmp/tree/doc" \
		"$tmp/tree/man"
	cp "$lints"/* "$tmp/tree/tests/lint"
	cp "$config" "$tmp/tree"
	cd "$tmp/tree"
	git init -q .
	echo 'url' >tests/lint/pure
	cat >common/cimd.h <<'EOF'
/* SPDX-License-Identifier: Apache-2.0 */
#define CIMD_API __attribute__((visibility("default")))

/* How long it is. */
CIMD_API int cimd_url(const char *text);
EOF
	cat >common/url.c <<'EOF'
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "cimd.h"

int
cimd_url(const char *text)
{
	return (int)strlen(text);
}
EOF
	cp common/url.c tests/copy.c
	echo '`cimd_url`' >NEWS.md
	cat >common/libcimd.map <<'EOF'
/* SPDX-License-Identifier: Apache-2.0 */
CIMD_0.1 {
	global:
		cimd_url;
	local:
		*;
};
EOF
	cat >doc/spec-map.md <<'EOF'
| id | requirement | source | function | case |
|---|---|---|---|---|
| U1 | has a length | D 3 | `cimd_url` | tests/copy.c:strlen |

| member | what reaches the provider |
|---|---|
| `client_id` | the URL |
EOF
	cat >doc/threat-model.md <<'EOF'
| threat | defence | shown by |
|---|---|---|
| no length | it has one | tests/copy.c:strlen, suite unit |
EOF
	cat >common/document_member.c <<'EOF'
/* SPDX-License-Identifier: Apache-2.0 */
static const struct member members[] = {
	{ "client_id", json_type_string },
};
EOF
	printf "suites='\nunit | tests | check\n'\n" >run-tests
	echo '# SPDX-License-Identifier: Apache-2.0' >man/Makefile.am
	page cimd_url 3
	printf '.Sh SYNOPSIS\n.Ft int\n.Fn cimd_url "const char *text"\n' \
		>>man/cimd_url.3
	page cimdd 8
	page cimdctl 8
	page cimd.conf 5
}

compile() {
	mkdir -p build/common/.libs
	${CC:-cc} -O1 -fPIC -c -o build/common/.libs/url.o common/url.c &&
		${CC:-cc} -shared -Wl,--version-script=common/libcimd.map \
			-o build/common/.libs/libcimd.so build/common/.libs/url.o
}

# runs LINT - its exit status, over the tree in the current directory
runs() {
	compile 2>"$tmp/compiler" || die "no tree to test: $(cat "$tmp/compiler")"
	run='sh'
	case $1 in *.py) run="python3 -B" ;; esac
	top_srcdir=$PWD top_builddir=$PWD/build LINT_CPPFLAGS='' \
		$run "tests/lint/$1" >"$tmp/out" 2>&1
}

# accepts LINT - the tree as it is
accepts() {
	cases=$((cases + 1))
	status=0
	runs "$1" || status=$?
	case $status in
	0) ;;
	77) echo "not tried: $1: $(tail -n 1 "$tmp/out")" ;;
	*)
		echo "error: $1 refuses a good tree:"
		cat "$tmp/out"
		faults=$((faults + 1))
		;;
	esac
}

# finds LINT TEXT WHAT COMMAND... - the fault that the command makes
finds() {
	lint=$1
	text=$2
	what=$3
	shift 3
	good_tree
	"$@"
	cases=$((cases + 1))
	status=0
	runs "$lint" || status=$?
	[ "$status" -ne 77 ] || return 0
	if [ "$status" -eq 0 ] || ! grep -q -e "$text" "$tmp/out"; then
		echo "error: $lint does not find $what:"
		cat "$tmp/out"
		faults=$((faults + 1))
	fi
}

# change FILE SED-SCRIPT
change() {
	sed -i "$2" "$1"
}

# repeat N TEXT
repeat() {
	i=0
	while [ "$i" -lt "$1" ]; do
		printf '%s\n' "$2"
		i=$((i + 1))
	done
}

# function BODY-LINE N - add a function with N such lines
function_of() {
	{
		printf '\nint more(int a);\nint\nmore(int a)\n{\n'
		repeat "$2" "$1"
		printf '\treturn a;\n}\n'
	} >>common/url.c
}

for lint in complexity.sh exports.sh figures.py format.sh headers.sh \
	man.sh purity.sh scripts.sh spdx.sh spec_map.py words.sh; do
	good_tree
	accepts "$lint"
done

finds complexity.sh 'more: 17' 'a complex function' \
	function_of '	if (a > 1) a--;' 16
finds exports.sh 'map and cimd.h' 'a function without a prototype' \
	change common/cimd.h 's/cimd_url/cimd_uri/'
finds exports.sh 'map and the library' 'a function that is not there' \
	change common/libcimd.map 's/cimd_url;/&\n\t\tcimd_gone;/'
finds exports.sh 'NEWS.md lacks cimd_url' 'a function that is no news' \
	rm NEWS.md
finds exports.sh 'no test knows cimd_url' 'a function without a test' \
	rm tests/copy.c
finds figures.py 'more: 8[0-9] lines' 'a long function' \
	function_of '	a++;' 80
finds figures.py 'more: 5 levels' 'deep nesting' \
	function_of '	{{{{ a++; }}}}' 1
finds figures.py 'calls sprintf' 'a banned call' \
	change common/url.c 's/return/sprintf ((char *)text, "x"); return/
		1a #include <stdio.h>'
finds figures.py '80 columns' 'a wide line' \
	change tests/copy.c "s/return/&                          $(
		printf '%50s' ' ')/"
finds figures.py 'parameters' 'too many parameters' change common/url.c \
	'$a int p(int a, int b, int c, int d, int e, int f, int g)\n{return a;}'
finds figures.py 'no comment' 'a prototype without a comment' \
	change common/cimd.h '/How long/d'
finds figures.py 'unnamed' 'a parameter without a name' \
	change common/cimd.h 's/ \*text)/ *)/'
finds format.sh 'code should be clang-formatted' 'a wrong indent' \
	change common/url.c 's/^\treturn/    return/'
finds headers.sh 'does not compile alone' 'a header that leans on another' \
	change common/cimd.h 's/int cimd_url/size_t cimd_size(void);\n&/'
finds man.sh 'the map and the NAME sections' 'a function without a page' \
	change common/libcimd.map 's/cimd_url;/&\n\t\tcimd_version;/'
finds man.sh 'not public' 'a page of a function that is not there' \
	change man/cimd_url.3 's/^.Fn .*/&\n.Fn cimd_gone "void"/'
finds man.sh 'WARNING' 'a fault of form' change man/cimdd.8 's/^.Os/&.x/'
finds man.sh 'lists other pages' 'a page that is not installed' \
	change man/Makefile.am '/cimdd/d'
finds purity.sh 'imports: getpid' 'a system call' \
	change common/url.c 's/return/getpid(); return/; 1a #include <unistd.h>'
finds scripts.sh 'SC2086' 'a shell fault' \
	change tests/lint/lib.sh '$a ls $tab'
finds spdx.sh 'common/url.c' 'a missing licence' \
	change common/url.c 's/SPDX/SPD/'
finds spec_map.py 'no function cimd_gone' 'a row with no function' \
	change doc/spec-map.md 's/cimd_url/cimd_gone/'
finds spec_map.py 'no case' 'a row with no case' \
	change doc/spec-map.md 's/:strlen/:strnlen/'
finds spec_map.py 'no test suite units' 'a threat with no suite' \
	change doc/threat-model.md 's/suite unit/&s/'
finds spec_map.py 'no test tests/cope.c' 'a threat with no test' \
	change doc/threat-model.md 's/copy.c/cope.c/'
finds spec_map.py 'member client_ids' 'a member that the map lacks' \
	change common/document_member.c 's/client_id/&s/'
finds spec_map.py 'threat-model' 'no threat model at all' \
	rm doc/threat-model.md
finds words.sh 'path of one machine' 'a path in a home' \
	change common/url.c '$a /* /ho''me/me/x */'
finds words.sh 'open end' 'an open end' \
	change common/url.c '$a /* TO''DO: more */'

[ "$faults" -eq 0 ] || exit 1
echo "$cases trees"
