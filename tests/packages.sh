# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# packages.sh - Debian packages: what is missing, and installing it.
# Sourced by run-tests and quickstart, which share the lists.

# One package per line.  A "?" marks what not every release has and the
# tests can do without: they say so and count as skipped.

# To build everything, and to run it in the test laboratory.
build_packages='
autoconf
automake
ca-certificates
dnsmasq-base
gcc
iproute2
libc-ares-dev
libc6-dev
libconfuse-dev
libcurl4-openssl-dev
libidn2-dev
libjson-c-dev
libmaxminddb-dev
libmicrohttpd-dev
libpam0g-dev
libpsl-dev
libsasl2-dev
libsqlite3-dev
libssl-dev
libsystemd-dev
libtool
make
nginx-light
openssl
pkgconf
python3
xz-utils
'

# What only tests and lints need.
test_packages='
clang
clang-14?
clang-format-14?
clang-tidy-14?
curl
dovecot-imapd
g++
git
ldap-utils
libclang-rt-dev?
libcmocka-dev
libnginx-mod-http-auth-pam
libpam-wrapper
libpamtest0-dev
libsasl2-modules
libsasl2-modules-db
mandoc
pamtester
pmccabe
sasl2-bin
shellcheck
slapd
universal-ctags
valgrind
'

# For the Keycloak bridge: to build it, to run Keycloak, and a real MCP client
# with a real browser.  npm comes with nodejs where that is no Debian package.
keycloak_packages='
chromium
default-jdk-headless
maven
nodejs
postgresql
'
command -v npm >/dev/null || keycloak_packages+='npm
'

# A mail server for the tests of the SASL plugin, unless there is one: another
# one would take its place.
[[ -e /usr/sbin/sendmail ]] || test_packages+='postfix
'

# missing_packages LIST - those that this release offers and this machine
# lacks, one per line
missing_packages() {
	local p name
	for p in $1; do
		name=${p%\?}
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$name" \
			2>/dev/null) == installed ]] && continue
		if [[ $p == *\? ]] && ! apt-cache show "$name" >/dev/null 2>&1
		then
			continue
		fi
		echo "$name"
	done
}

# apt COMMAND... - apt-get that waits for others, tries again and asks nothing
apt() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q \
		-o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 \
		-o Dpkg::Options::=--force-confdef \
		-o Dpkg::Options::=--force-confold "$@" </dev/null
}

as_root() {
	if ((EUID == 0)); then
		"$@"
	else
		sudo "$@"
	fi
}

# Asks for a password, if one is needed: later, in a group of its own, sudo
# could not.
may_install() {
	((EUID == 0)) && return
	command -v sudo >/dev/null && { sudo -n true 2>/dev/null || sudo -v; }
}

# As a service that is not set up and does not start.
preset_postfix() {
	echo 'postfix postfix/main_mailer_type select No configuration' |
		as_root debconf-set-selections
}

# install_packages LIST - install what of it is missing.  An update that
# could not read all lists ends well all the same, and the installation finds
# no such package, or an old one: both again then.
install_packages() {
	local missing try
	[[ $1 != *postfix* ]] || preset_postfix
	for try in 1 2 3; do
		((try == 1)) || sleep 10
		apt update || continue
		missing=$(missing_packages "$1")
		# shellcheck disable=SC2086 # a list of words
		if [[ -z $missing ]] ||
			apt install -y --no-install-recommends $missing; then
			return 0
		fi
	done
	return 1
}

# fetch_promtool DIR - put promtool into DIR, which is a package of its own
# since Debian 13 and a part of "prometheus" before; that one is not installed:
# it would start a service
fetch_promtool() {
	local get='apt-get -o Acquire::Retries=3 download'
	rm -rf "$1/deb" && mkdir -p "$1/deb" && cd "$1/deb" &&
		{ $get promtool || $get prometheus; } &&
		dpkg-deb -x prom*.deb . && mv usr/bin/promtool "$1" &&
		rm -rf "$1/deb"
}
