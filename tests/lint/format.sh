#!/bin/sh
# Every C file is as clang-format 14 (Debian 12) leaves it; other versions lay out differently,
# so without that one the lint is skipped (exit 77). Mend with clang-format -i.
# Usage: tests/lint/format.sh [ROOT]; prints file:line: reason, exits 1 if there was any.
cd "${1:-$(dirname "$0")/../..}" || exit 2
tool=$(command -v clang-format-14 || command -v clang-format)
if [ -z "$tool" ] || ! "$tool" --version | grep -q 'version 14\.'; then
	echo "skipped: needs clang-format 14"
	exit 77
fi
find src tests -name '*.[ch]' -print 2>/dev/null | sort |
	xargs -r "$tool" --dry-run -Werror --style=file 2>&1 |
	awk '/: error:/ { print; bad = 1 } END { exit bad }'
