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

as_root() {
	if ((EUID == 0)); then
		"$@"
	else
		sudo "$@"
	fi
}

may_install() {
	((EUID == 0)) || command -v sudo >/dev/null
}

# As a service that is not set up and does not start.
preset_postfix() {
	echo 'postfix postfix/main_mailer_type select No configuration' |
		as_root debconf-set-selections
}

# install_packages LIST - install what of it is missing
install_packages() {
	local apt='apt-get -o DPkg::Lock::Timeout=600' missing
	[[ $1 != *postfix* ]] || preset_postfix
	# shellcheck disable=SC2086 # lists of words
	as_root env DEBIAN_FRONTEND=noninteractive $apt update &&
		missing=$(missing_packages "$1") && [[ -n $missing ]] &&
		as_root env DEBIAN_FRONTEND=noninteractive \
			$apt install -y --no-install-recommends $missing
}

# fetch_promtool DIR - put promtool of the package "prometheus" into DIR,
# without installing that: it would start a service
fetch_promtool() {
	mkdir -p "$1/deb" && cd "$1/deb" && apt-get download prometheus &&
		dpkg-deb -x prometheus_*.deb . && mv usr/bin/promtool "$1" &&
		rm -rf "$1/deb"
}
