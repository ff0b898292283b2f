#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install.sh - what "make install" leaves behind.  CIMD_BUILD names a build
# directory; it is only read.  Two fresh builds of the same sources, in
# directories with different names, are made in a temporary directory, and one
# of the library alone.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0
failed=0

# check WHAT COMMAND... - one test
check() {
	what=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
		echo "ok - $what"
	else
		failed=$((failed + 1))
		echo "not ok - $what"
	fi
}

# build DIRECTORY - configure, build, install to DIRECTORY/stage
build() {
	mkdir -p "$1"
	if (
		cd "$1" &&
			"$top/configure" -q --prefix="$tmp/prefix" \
				CFLAGS="-g -O2 -ffile-prefix-map=$1=." &&
			make -j"$(nproc)" &&
			make install DESTDIR="$1/stage"
	) >"$1.log" 2>&1; then
		return 0
	fi
	tail -n 30 "$1.log"
	return 1
}

# A machine that has no library but those of libcimd.
poor_pkg_config() {
	cat >"$tmp/pkg-config" <<-EOF
		#!/bin/sh
		case "\$*" in
		*libmicrohttpd* | *libconfuse* | *libsystemd* | *libsasl2* | \
		*libmaxminddb* | *cmocka*) exit 1 ;;
		esac
		exec pkg-config "\$@"
	EOF
	chmod +x "$tmp/pkg-config"
}

# It builds the rest, and what is not built leaves nothing behind.
builds_the_rest() {
	poor_pkg_config
	mkdir "$tmp/poor"
	(
		cd "$tmp/poor" &&
			"$top/configure" -q --prefix=/usr --disable-ctl \
				--without-pam --disable-jni \
				PKG_CONFIG="$tmp/pkg-config" &&
			make -j"$(nproc)" && make install DESTDIR="$tmp/poor/stage"
	) >"$tmp/poor.log" 2>&1 || {
		tail -n 30 "$tmp/poor.log"
		return 1
	}
	(cd "$tmp/poor/stage/usr" && find . ! -type d | sort) |
		grep -v '^./share/\(doc/cimd\|cimd/catalog\.d\)/' >"$tmp/poor.list"
	diff - "$tmp/poor.list" <<-EOF
		./include/cimd.h
		./lib/libcimd.la
		./lib/libcimd.so
		./lib/libcimd.so.0
		./lib/libcimd.so.0.0.0
		./lib/pkgconfig/libcimd.pc
		./share/man/man3/libcimd.3
	EOF
}

# Every file is the same, byte for byte.
same() {
	diff -r "$tmp/one/stage" "$tmp/another/stage" &&
		[ -f "$tmp/one/stage$tmp/prefix/lib/libcimd.so" ]
}

# The files of a stage belong where they shall run.
move_in() {
	mv "$tmp/one/stage$tmp/prefix" "$tmp/prefix"
}

nothing_elsewhere() {
	[ -z "$(find "$tmp/one/stage" -type f)" ]
}

consumer_builds() {
	PKG_CONFIG_PATH=$tmp/prefix/lib/pkgconfig
	export PKG_CONFIG_PATH
	# shellcheck disable=SC2046 # flags are words
	${CC:-cc} -o "$tmp/consumer" "$top/tests/e2e/consumer.c" \
		$(pkg-config --cflags --libs libcimd)
}

consumer_runs() {
	[ "$(LD_LIBRARY_PATH=$tmp/prefix/lib "$tmp/consumer")" = \
		"$(PKG_CONFIG_PATH=$tmp/prefix/lib/pkgconfig \
			pkg-config --modversion libcimd)" ]
}

programs_run() {
	for p in sbin/cimdd bin/cimdctl; do
		"$tmp/prefix/$p" --version || return 1
	done
}

# With this file as it is the daemon starts, and admits nobody.
configuration_is_good() {
	"$tmp/prefix/sbin/cimdd" -t &&
		[ -d "$tmp/prefix/etc/cimd/conf.d" ] &&
		! grep -v '^#' "$tmp/prefix/etc/cimd/cimd.conf" | grep .
}

# What an administrator wrote outlives "make install" and "make uninstall".
keeps_configuration() {
	conf=$tmp/prefix/etc/cimd/cimd.conf
	echo 'default = pending' >>"$conf"
	make -C "$tmp/one/cimdd" install uninstall >"$tmp/keep.log" 2>&1 &&
		grep -qx 'default = pending' "$conf" &&
		cp "$top/cimdd/cimd.conf" "$conf"
}

# Each link of an installed page leads to an installed file.
links_hold() {
	doc=$tmp/prefix/share/doc/cimd
	find "$doc" -name '*.md' >"$tmp/pages"
	[ "$(wc -l <"$tmp/pages")" -gt 8 ] || return 1
	while read -r page; do
		grep -o '](\([^)#]*\)' "$page" | sed 's/^](//' |
			grep -v '^[a-z]*:' | while read -r to; do
			[ -e "$(dirname "$page")/$to" ] ||
				echo "${page#"$doc/"}: there is no $to"
		done
	done <"$tmp/pages" >"$tmp/broken"
	cat "$tmp/broken"
	[ ! -s "$tmp/broken" ]
}

# What manual pages say of documents: where these are installed.
pages_name_documents() {
	grep -hEo '[^ ]*(/doc/|^doc/|\.Pa doc/)[^ ]*' \
		"$tmp"/prefix/share/man/man?/* | sort -u >"$tmp/named"
	[ -s "$tmp/named" ] || return 1
	while read -r path; do
		[ -e "$path" ] || { echo "there is no $path" && return 1; }
	done <"$tmp/named"
}

no_paths_inside() {
	! grep -rF "$tmp/one" "$tmp/prefix"
}

# Neither a file nor a folder that systems do not have anyway.
uninstall_leaves_nothing() {
	make -C "$tmp/one" uninstall >"$tmp/uninstall.log" 2>&1 || return 1
	(cd "$tmp/prefix" && find . -print) |
		grep -vxE '\.|\./(bin|etc|include|lib|sbin|share)' |
		grep -vxE '\./share/(doc|man|man/man[1-8])' >"$tmp/left"
	cat "$tmp/left"
	[ ! -s "$tmp/left" ]
}

# But what an administrator has put into a folder of ours stays.
uninstall_keeps_files() {
	mkdir "$tmp/two" || return 1
	make -C "$tmp/one" install DESTDIR="$tmp/two" >"$tmp/keep.log" 2>&1 &&
		touch "$tmp/two$tmp/prefix/etc/cimd/conf.d/mine.conf" &&
		make -C "$tmp/one" uninstall DESTDIR="$tmp/two" \
			>>"$tmp/keep.log" 2>&1 &&
		[ "$(cd "$tmp/two$tmp/prefix" && find . ! -type d)" = \
			./etc/cimd/conf.d/mine.conf ]
}

check 'builds and installs' build "$tmp/one"
check 'builds again elsewhere' build "$tmp/another"
check 'both builds are the same' same
check 'moves to its prefix' move_in
check 'installs nothing outside its prefix' nothing_elsewhere
check 'a program builds with pkg-config alone' consumer_builds
check 'and runs with the version of libcimd.pc' consumer_runs
check 'the programs run' programs_run
check 'nothing installed holds a path of the build' no_paths_inside
check 'the configuration that it brings is good' configuration_is_good
check 'an edited configuration is left alone' keeps_configuration
check 'links of installed documents hold' links_hold
check 'manual pages name documents that are there' pages_name_documents
check 'uninstall leaves nothing' uninstall_leaves_nothing
check 'uninstall keeps what others put there' uninstall_keeps_files
check 'without most libraries the rest builds' builds_the_rest
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
