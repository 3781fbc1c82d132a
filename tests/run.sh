#!/bin/sh
# Everything that is tested, from an empty machine to one last line "N passed, M failed".
#
# Usage: tests/run.sh [--quick | --world FROM-TO | --fuzz SECONDS | --kills COUNT | --valgrind]
#   --quick           lint and unit tests only
#   --fuzz SECONDS    each fuzz target for so long, and nothing else (installs clang's runtime)
#   --world FROM-TO   these seeds of the simulated world, on all cores, and nothing else
#   --kills COUNT     the real program killed so often under load, at each of its points in turn
#                     and at random moments, and nothing else (some 0.5 s a kill)
#   --valgrind        some end-to-end tests with a plain build under valgrind, and nothing else
#
# Installs what is missing (contrib/deps.sh test), builds with ASan and UBSan and as Release,
# both with warnings as errors, runs lint, the unit tests on both, some seeds of the world
# (tests/world) and the mistakes that it must find, the fuzz targets for a second each where
# clang has libFuzzer (their corpora are replayed by the unit tests in any case), and the
# end-to-end tests on the sanitized programs, with a kill at each point. Exits 1 if anything
# failed. Two runs may go side by side when each has a build folder of its own: TOCSIN_BUILD
# (default: build).
set -u

top=$(cd "$(dirname "$0")/.." && pwd) || exit 1
cd "$top" || exit 1

quick=
seeds=
fuzz_seconds=
valgrind=
kills=
case ${1-} in
'') ;;
--quick) quick=yes ;;
--fuzz) fuzz_seconds=${2:?--fuzz needs seconds: 60} ;;
--valgrind) valgrind=yes ;;
--world) seeds=${2:?--world needs seeds: 1-1000} ;;
--kills) kills=${2:?--kills needs a number: 1000} ;;
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

# world OPTION...: the simulated world; what it prints last tells how many seeds held and failed.
world() {
	"$build/release/tocsin-world" --jobs "$jobs" "$@" >"$build/world.log" 2>&1
	status=$?
	held=$(sed -n 's/^\([0-9]*\) seeds held, \([0-9]*\) failed.*/\1 \2/p' "$build/world.log")
	[ "$status" -eq 0 ] || cat "$build/world.log"
	[ -n "$held" ] || held="0 1"
	add "world" "${held% *}" "${held#* }"
	tail -n 1 "$build/world.log"
}

# Mistakes put in on purpose: a world that does not find them proves nothing.
world_finds_bugs() {
	"$build/release/tocsin-world" --jobs "$jobs" --bugs --seeds 1-200 --steps 8 \
		>"$build/world-bugs.log" 2>&1
	cat "$build/world-bugs.log"
	missed=$(grep -c 'NOT FOUND' "$build/world-bugs.log")
	add "mistakes found by the world" "$(grep -c ': found' "$build/world-bugs.log")" "$missed"
}

# has_fuzzer: can clang link libFuzzer?
has_fuzzer() {
	command -v clang >/dev/null || return 1
	echo 'int LLVMFuzzerTestOneInput(const char *b, unsigned long n) { return b[0] && n; }' |
		clang -fsanitize=fuzzer,address -x c - -o "$build/has-fuzzer" >/dev/null 2>&1
}

# fuzz SECONDS: each target, from its corpus and what earlier runs here have found. An input that
# breaks one is left in build/fuzz.
fuzz() {
	configure fuzz -DCMAKE_C_COMPILER=clang -DTOCSIN_FUZZ=ON -DTOCSIN_SANITIZE=ON \
		-DTOCSIN_WERROR=OFF || return
	echo "-- building $build/fuzz"
	if ! cmake --build "$build/fuzz" -j "$jobs" --target fuzz >"$build/fuzz.log" 2>&1; then
		grep -E -A 12 'error|undefined' "$build/fuzz.log"
		add "build fuzz" 0 1
		return
	fi
	for corpus in tests/fuzz/corpus/*; do
		target=$(basename "$corpus")
		words=
		[ ! -f "tests/fuzz/$target.dict" ] || words="-dict=tests/fuzz/$target.dict"
		mkdir -p "$build/fuzz/found/$target"
		if "$build/fuzz/fuzz_$target" -max_total_time="$1" -max_len=8192 -timeout=10 $words \
			-artifact_prefix="$build/fuzz/$target-" "$build/fuzz/found/$target" \
			"$corpus" >"$build/fuzz/$target.log" 2>&1; then
			tail -n 1 "$build/fuzz/$target.log"
			add "fuzz $target" 1 0
		else
			tail -n 40 "$build/fuzz/$target.log"
			add "fuzz $target" 0 1
		fi
	done
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

# under_valgrind: what sanitizers cannot see: memory that was never written, in libraries too.
# One of each kind of transfer; none that asks `status` of a daemon, which goes by another name
# here. A thread of libcurl's that still waits for a resolver at our end is none of our leaks.
under_valgrind() {
	command -v valgrind >/dev/null || { add "valgrind (is not installed)" 0 1 && return; }
	rm -f "$build/valgrind.xml"
	TOCSIN_BIN=$build/debug/tocsin TOKTRA_SIM_BIN=$build/debug/toktra-sim TOCSIN_PATIENCE=20 \
		TOCSIN_WRAP="valgrind --quiet --error-exitcode=99 --num-callers=30 --leak-check=full
			--show-leak-kinds=definite --errors-for-leak-kinds=definite" \
		/usr/bin/python3 -B -m pytest -q -p no:cacheprovider \
		--junit-xml "$build/valgrind.xml" \
		tests/e2e/test_bell.py::test_every_change_of_status_is_an_event_and_a_reopened_alert_a_new_episode \
		tests/e2e/test_bell.py::test_a_token_that_is_refused_is_renewed_once_and_the_request_repeated \
		tests/e2e/test_reload.py::test_invariant_12_a_renamed_sink_goes_on_with_what_is_in_flight \
		tests/e2e/test_receivers.py::test_a_broken_answer_is_a_verdict_a_line_and_a_retry_of_the_same_delivery \
		tests/e2e/test_mail.py::test_mail_goes_by_tls_under_a_private_ca_and_logs_in \
		tests/e2e/test_mail.py::test_one_recipient_refused_is_said_and_the_other_gets_the_mail \
		tests/e2e/test_hostile.py::test_nothing_is_said_over_tls_that_cannot_be_trusted \
		tests/e2e/test_hostile.py::test_a_name_that_does_not_resolve_holds_its_sink_until_it_does
	count "end to end under valgrind" "$build/valgrind.xml" $?
}

# kill_often COUNT: what was survived is told in one line; a failure tells its seed.
kill_often() {
	TOCSIN_BIN=$build/release/tocsin TOKTRA_SIM_BIN=$build/release/toktra-sim \
		/usr/bin/python3 -B tests/e2e/kills.py "$1"
	status=$?
	add "kills" $((status == 0)) $((status != 0))
}

finish() {
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ]
	exit
}

# Many small stores, each synced to the disk: a file system in memory spares it.
if [ -z "${TMPDIR-}" ] && [ -d /dev/shm ] && [ -w /dev/shm ]; then
	export TMPDIR=/dev/shm
fi
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

if [ -n "$fuzz_seconds" ]; then
	sh contrib/deps.sh fuzz || { add "contrib/deps.sh" 0 1 && finish; }
	fuzz "$fuzz_seconds"
	finish
fi
sh contrib/deps.sh test "$tools" || { add "contrib/deps.sh" 0 1 && finish; }
if [ -n "$seeds" ]; then
	configure release -DTOCSIN_SANITIZE=OFF -DCMAKE_BUILD_TYPE=Release && compile release &&
		world --seeds "$seeds"
	finish
fi
if [ -n "$valgrind" ]; then
	configure debug -DTOCSIN_SANITIZE=OFF -DCMAKE_BUILD_TYPE=Debug && compile debug && under_valgrind
	finish
fi
if [ -n "$kills" ]; then
	configure release -DTOCSIN_SANITIZE=OFF -DCMAKE_BUILD_TYPE=Release && compile release &&
		kill_often "$kills"
	finish
fi
configure asan -DTOCSIN_SANITIZE=ON || finish
check asan lint
compile asan && check asan unit
[ -z "$quick" ] || finish
configure release -DTOCSIN_SANITIZE=OFF -DCMAKE_BUILD_TYPE=Release &&
	compile release && check release unit && world --seeds 1-200 --steps 12 && world_finds_bugs
! has_fuzzer || fuzz 1
[ -x "$build/asan/tocsin" ] && end_to_end
finish
