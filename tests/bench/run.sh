#!/bin/sh
# The benchmark: builds Release in build/bench and runs tests/bench/deliver.py, whose options
# it takes (--quick, --alerts N, --order random, --folder DIR, ...; --help tells).
# `run.sh routes` is the benchmark of routing alone, tests/bench/route_bench.c, with its options.
# BENCH_BUILD names another build folder.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${BENCH_BUILD:-$top/build/bench}
cmake -S "$top" -B "$build" -DCMAKE_BUILD_TYPE=Release -DTOCSIN_BENCH=ON >/dev/null
cmake --build "$build" -j "$(nproc)" --target tocsin bench_peer bench_loop route_bench \
	>/dev/null
if [ "${1:-}" = routes ]; then
	shift
	exec "$build/route_bench" "$@"
fi
exec env TOCSIN_BIN="$build/tocsin" BENCH_BIN="$build" /usr/bin/python3 -B \
	"$top/tests/bench/deliver.py" "$@"
