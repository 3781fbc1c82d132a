#!/bin/sh
# An external function is defined once: of two floors that define the same name the linker
# silently takes one, and the other floor calls a stranger.
# Usage: tests/lint/names.sh [ROOT]; prints file:line: reason, exits 1 if there was any.
here=$(cd "$(dirname "$0")" && pwd) || exit 2
PYTHONPATH=$here exec /usr/bin/python3 -B - "${1:-$here/../..}" <<'PY'
import re
import sys

import c_code

# A signature that starts in column 0, up to its "{" in column 0.
DEFINITION = re.compile(r"^(?!static\b|typedef\b|struct \w+ \{)[a-z][^;{}()=]*?\b(\w+)\([^;{}]*\)\n\{", re.M)

faults = []
defined = {}
for path, text in c_code.files(sys.argv[1], "src"):
    if not path.endswith(".c"):
        continue
    text = c_code.strip(text)
    for match in DEFINITION.finditer(text):
        name = match.group(1)
        line = text.count("\n", 0, match.start(1)) + 1
        if name == "main":
            continue
        if name in defined:
            faults.append((path, line, f"{name}() is defined in {defined[name]} too"))
        else:
            defined[name] = path
c_code.finish(faults)
PY
