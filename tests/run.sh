#!/bin/sh
# Everything that is tested, from an empty machine to one last line "N passed, M failed".
#
# Usage: tests/run.sh [--quick]
#   --quick   lint and unit tests only
#
# Installs what is missing (contrib/deps.sh test), builds with ASan and UBSan and as Release,
# both with warnings as errors, runs lint, the unit tests on both, and the end-to-end tests on
# the sanitized programs. Exits 1 if anything failed. Two runs may go side by side when each has
# a build folder of its own: TOCSIN_BUILD (default: build).
set -u

top=$(cd "$(dirname "$0")/.." && pwd) || exit 1
cd "$top" || exit 1

quick=
case ${1-} in
'') ;;
--quick) quick=yes ;;
*)
	sed -n '/^# Usage:/,/^$/s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac

mkdir -p "${TOCSIN_BUILD:-build}" && build=$(cd "${TOCSIN_BUILD:-build}" && pwd) || exit 1
tools=$build/tools
jobs=$(nproc)
passed=0
failed=0

# add STAGE PASSED FAILED
add() {
	passed=$((passed + $2))
	failed=$((failed + $3))
	echo "-- $1: $2 passed, $3 failed"
}

# count STAGE JUNIT STATUS: adds what a runner wrote; a runner that failed without telling of a
# failed test (it could not start, it was killed) counts as one.
count() {
	sum=$(/usr/bin/python3 -B tests/count.py "$2" 2>/dev/null) || sum="0 1"
	if [ "$3" -ne 0 ] && [ "${sum#* }" -eq 0 ]; then
		sum="${sum% *} 1"
	fi
	add "$1" "${sum% *}" "${sum#* }"
}

# configure FOLDER OPTION...
configure() {
	folder=$1
	shift
	cmake -S . -B "$build/$folder" -DTOCSIN_TESTS=ON -DTOCSIN_WERROR=ON "$@" \
		>"$build/$folder.log" 2>&1 && return
	cat "$build/$folder.log"
	add "configure $folder" 0 1
	return 1
}

# compile FOLDER
compile() {
	echo "-- building $build/$1"
	cmake --build "$build/$1" -j "$jobs" >"$build/$1.log" 2>&1 && return
	grep -E -A 12 'error|warning|undefined|\*\*\*' "$build/$1.log" || cat "$build/$1.log"
	add "build $1" 0 1
	return 1
}

# check FOLDER LABEL: the ctests of that label, which need not be built for lint.
check() {
	junit=$build/$1-$2.xml
	rm -f "$junit"
	ctest --test-dir "$build/$1" -L "$2" -j "$jobs" --output-on-failure --no-tests=ignore \
		--output-junit "$junit" --test-output-size-passed 1000000 \
		--test-output-size-failed 1000000 >"$build/$1-$2.log" 2>&1
	status=$?
	[ "$status" -eq 0 ] || grep -vE ' Passed |^ +Start ' "$build/$1-$2.log"
	count "$2 ($1)" "$junit" "$status"
}

end_to_end() {
	if [ -z "$(find tests/e2e -name 'test_*.py' 2>/dev/null)" ]; then
		return
	fi
	rm -f "$build/e2e.xml"
	TOCSIN_BIN=$build/asan/tocsin TOKTRA_SIM_BIN=$build/asan/toktra-sim TOCSIN_TOOLS=$tools \
		/usr/bin/python3 -B -m pytest -q -p no:cacheprovider \
		--junit-xml "$build/e2e.xml" tests/e2e
	count "end to end" "$build/e2e.xml" $?
}

finish() {
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ]
	exit
}

export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

sh contrib/deps.sh test "$tools" || { add "contrib/deps.sh" 0 1 && finish; }
configure asan -DTOCSIN_SANITIZE=ON || finish
check asan lint
compile asan && check asan unit
[ -z "$quick" ] || finish
configure release -DTOCSIN_SANITIZE=OFF -DCMAKE_BUILD_TYPE=Release &&
	compile release && check release unit
[ -x "$build/asan/tocsin" ] && end_to_end
finish
