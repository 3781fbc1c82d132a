#!/bin/sh
# Tocsin at work, on one machine: builds it, starts a simulated Toktra API and three receivers
# (a chat, a mail server, a webhook), and shows what arrives when alerts open, when a receiver
# fails, and when tocsin is killed. Nothing leaves the machine.
#
# Usage: contrib/demo.sh [--once] [--keep]
#   --once   shows it, counts what arrived, and exits 0 only if nothing was lost; without it the
#            demo then goes on until Ctrl-C
#   --keep   leaves the temporary folder (configuration, store, log) behind
#
# Made for Debian 12, as root or with sudo: contrib/deps.sh installs what is missing. Builds in
# $TOCSIN_BUILD/demo (build/demo); whatever else it writes goes to a temporary folder. The story
# itself is contrib/demo/story.py.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)

for option; do
	case $option in
	--once | --keep) ;;
	-h | --help)
		sed -n '/^# Usage:/,/^$/s/^# \{0,1\}//p' "$0"
		exit 0
		;;
	*)
		sed -n '/^# Usage:/,/^#$/s/^# \{0,1\}//p' "$0" >&2
		exit 2
		;;
	esac
done

sh "$top/contrib/deps.sh" demo

mkdir -p "${TOCSIN_BUILD:-$top/build}/demo"
build=$(cd "${TOCSIN_BUILD:-$top/build}/demo" && pwd)
log=$build/build.log

# progress: what make last said of itself, in place, on a terminal.
progress() {
	[ -t 1 ] || return 0
	percent=$(sed -n 's/^\[ *\([0-9]*\)%\].*/\1/p' "$log" | tail -n 1)
	printf '\rbuilding tocsin and toktra-sim  %3s %%' "${percent:-0}"
}

# end_build: all processes of the build, for they have a session of their own.
end_build() {
	kill -s TERM -- "-$pid" 2>/dev/null || true
	echo
	exit 130
}

[ -t 1 ] || echo "building tocsin and toktra-sim"
since=$(date +%s)
: >"$log"
# shellcheck disable=SC2016
setsid sh -c 'cmake -S "$0" -B "$1" -DCMAKE_BUILD_TYPE=Release -DTOCSIN_TESTS=OFF &&
	cmake --build "$1" --target tocsin toktra-sim -j "$(nproc)"' \
	"$top" "$build" >"$log" 2>&1 </dev/null &
pid=$!
trap end_build INT TERM HUP
while kill -0 "$pid" 2>/dev/null; do
	progress
	sleep 0.5
done
if ! wait "$pid"; then
	echo
	grep -E -A 8 'error|undefined|\*\*\*|CMake Error' "$log" >&2 || tail -n 20 "$log" >&2
	echo "demo.sh: the build failed; all of it is in $log" >&2
	exit 1
fi
trap - INT TERM HUP
[ ! -t 1 ] || printf '\r%50s\r' ''
echo "built in $(($(date +%s) - since)) s: $build"

# -B: no __pycache__ in a tree that may not be ours. utf8: whatever a bare machine's locale.
exec /usr/bin/python3 -B -X utf8 "$top/contrib/demo/story.py" "$top" "$build" "$@"
