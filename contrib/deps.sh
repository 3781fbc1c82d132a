#!/bin/sh
# Installs what Tocsin needs, by apt-get, and nothing that is there already.
#
# Usage: contrib/deps.sh [build|demo|fuzz|test] [TOOLS]
#   build   what a build and a run need (the default)
#   demo    that, and what contrib/demo.sh needs for its receivers
#   fuzz    what a build needs, and clang with libFuzzer
#   test    all that tests/run.sh needs, and postfix's smtp-sink and prometheus-alertmanager,
#           unpacked into TOOLS (or $TOCSIN_TOOLS, else build/tools). They are never installed,
#           so no mail server is replaced and no service starts. Run them as
#           LD_LIBRARY_PATH=TOOLS/usr/lib/postfix TOOLS/usr/sbin/smtp-sink
#           cd TOOLS/usr/share/prometheus/alertmanager && TOOLS/usr/bin/prometheus-alertmanager
#
# Made for Debian 12, as root or with sudo. Silent and quick when nothing is missing; asks
# nothing; removes no package. On a system without dpkg it only says what to install.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
what=${1:-build}
tools=${2:-${TOCSIN_TOOLS:-$top/build/tools}}

build="ca-certificates cmake gcc libc6-dev make pkg-config
	libcjson-dev libconfig-dev libcurl4-openssl-dev libev-dev libglib2.0-dev libmicrohttpd-dev
	libpcre2-dev libsqlite3-dev libssl-dev tzdata"
fuzz="clang clang-14 libclang-rt-14-dev libcmocka-dev"
demo="curl python3 python3-aiosmtpd"
# libdb5.3, libicu72 and libnsl2 are smtp-sink's.
test="clang-format libcmocka-dev openssl python3-cryptography python3-jsonschema python3-pytest
	libdb5.3 libicu72 libnsl2"

case $what in
build) wanted=$build ;;
demo) wanted="$build $demo" ;;
fuzz) wanted="$build $fuzz" ;;
test) wanted="$build $demo $test" ;;
*)
	sed -n '/^# Usage:/,/^$/s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	printf '%s\n' "deps.sh: not a Debian system, so see yourself that the like of this is there:" \
		"$wanted" >&2
	exit 0
fi

# missing: the wanted packages that are not installed.
missing() {
	# dpkg-query fails when it does not know one of them; what it prints still counts.
	# shellcheck disable=SC2086
	installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null |
		sed -n 's/^installed //p') || true
	for package in $wanted; do
		printf '%s\n' "$installed" | grep -qxF "$package" || printf '%s ' "$package"
	done
}

# apt ARGUMENT...: apt-get that asks nothing, removes nothing and waits for another's lock.
apt() {
	$as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -qq -y \
		--no-install-recommends --no-remove -o DPkg::Lock::Timeout=300 \
		-o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1 </dev/null && return
	cat "$log" >&2
	return 1
}

# unpack PACKAGE: opened in $tools without being installed.
unpack() {
	mkdir -p "$tools"
	(
		cd "$tools"
		rm -f "$1"_*.deb
		apt-get -qq -o APT::Sandbox::User=root download "$1"
		dpkg -x "$1"_*.deb .
		rm -f "$1"_*.deb
	) >"$log" 2>&1 && return
	cat "$log" >&2
	return 1
}

# move_alertmanager: Debian's looks for its templates in a folder of /usr/share that is not there;
# a name of the same length makes that the folder it is started in.
move_alertmanager() {
	there=/usr/share/prometheus/alertmanager
	here=.$(printf '%s' "$there" | sed 's/./\//g; s/..$/./')
	LC_ALL=C sed "s|$there|$here|g" "$tools/usr/bin/prometheus-alertmanager" >"$log"
	cat "$log" >"$tools/usr/bin/prometheus-alertmanager"
}

packages=$(missing)
unpacked=
if [ "$what" = test ] && [ ! -x "$tools/usr/sbin/smtp-sink" ]; then
	unpacked=postfix
fi
if [ "$what" = test ] && [ ! -x "$tools/usr/bin/prometheus-alertmanager" ]; then
	unpacked="$unpacked prometheus-alertmanager"
fi
[ -n "$packages$unpacked" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ] && [ -n "$packages" ]; then
	if ! command -v sudo >/dev/null; then
		echo "deps.sh: missing: ${packages}(be root, or install sudo, and run this again)" >&2
		exit 1
	fi
	as_root=sudo
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT

echo "deps.sh: fetching $packages$unpacked" >&2
if [ -z "$as_root" ] && [ "$(id -u)" -ne 0 ]; then
	: # package lists are root's to update; those that are there must do for a download
else
	# A mirror of somebody else's that is down is no reason to stop: the install will tell.
	apt update || echo "deps.sh: apt-get update failed, trying with the lists as they are" >&2
fi
if [ -n "$packages" ]; then
	# shellcheck disable=SC2086
	apt install $packages
fi
for package in $unpacked; do
	unpack "$package"
	[ "$package" != prometheus-alertmanager ] || move_alertmanager
done
