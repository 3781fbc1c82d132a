#!/bin/sh
# Holds C files to sizes that fit a reader's head: functions <= 70 lines, <= 6 parameters and
# <= 4 levels of nesting, files <= 600 lines. Relies on the project's clang-format.
# Usage: tests/lint/sizes.sh [ROOT]; prints file:line: reason, exits 1 if there was any.
here=$(cd "$(dirname "$0")" && pwd) || exit 2
PYTHONPATH=$here exec /usr/bin/python3 -B - "${1:-$here/../..}" <<'PY'
import re
import sys

import c_code

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
PARAMETERS_MAX = 6
NESTING_MAX = 4  # a function's body is the first level


# What stands before the "{" of an initialiser; a block's has a space after its ")".
DATA = re.compile(r"(?:=\s*|[,(\]]\s*|\))$")
# A callback whose parameters a library has chosen, told by the type that it returns.
LIBRARY_CALLBACK = re.compile(r"\benum MHD_Result\b")
# A line after which the next one starts a statement.
ENDS = re.compile(
    r"[;{}]$|^(?:case\b.*|\w+):$|^(?:\} )?(?:else )?(?:if|for|while|switch)\b.*\)$|\b(?:else|do)$"
)


def functions(lines):
    """(first line of the signature, line of "{", line of "}"), from 0. Both stand in column 0."""
    opened = None
    for at, line in enumerate(lines):
        if line.rstrip() == "{" and at > 0 and lines[at - 1].rstrip().endswith(")"):
            opened = at
        elif line.startswith("}") and opened is not None:
            first = opened
            while first > 0 and not re.search(r"^\s*$|[;}]\s*$|^#|^\*/", lines[first - 1]):
                first -= 1
            yield first, opened, at
            opened = None


def parameters(signature):
    """How many the first parenthesis after the name holds; commas of inner ones do not count."""
    inside = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", signature).partition("(")[2]
    depth, commas, text = 0, 0, ""
    for char in inside:
        if char == ")" and depth == 0:
            break
        depth += (char == "(") - (char == ")")
        commas += char == "," and depth == 0
        text += char
    return 0 if text.strip() in ("", "void") else commas + 1


def nesting(lines, opened, closed):
    """(line, level) of the statement that stands deepest.

    clang-format indents a statement by its level, braces or none. What continues a statement or
    fills an initialiser is indented too but is no level, so it is passed over.
    """
    deepest = (opened, 0)
    round_depth, data_depth, fresh = 0, 0, True
    for at in range(opened + 1, closed):
        line = lines[at]
        code = line.strip()
        if not code or line.startswith("#"):
            continue
        level = len(line) - len(line.lstrip("\t"))
        if fresh and round_depth == 0 and data_depth == 0 and level > deepest[1]:
            deepest = (at, level)
        for position, char in enumerate(code):
            round_depth += (char == "(") - (char == ")")
            if char == "{" and (data_depth or DATA.search(code[:position])):
                data_depth += 1
            elif char == "}" and data_depth:
                data_depth -= 1
        fresh = bool(ENDS.search(code))
    return deepest


def judge(lines):
    if len(lines) > FILE_LINES_MAX:
        yield 0, f"{len(lines)} lines, more than {FILE_LINES_MAX}: split it by what it owns"
    for first, opened, closed in functions(lines):
        length = closed - first + 1
        count = parameters(" ".join(lines[first:opened]))
        at, level = nesting(lines, opened, closed)
        if length > FUNCTION_LINES_MAX:
            yield first, f"a function of {length} lines, more than {FUNCTION_LINES_MAX}"
        if count > PARAMETERS_MAX and not LIBRARY_CALLBACK.search(lines[first]):
            yield first, f"{count} parameters, more than {PARAMETERS_MAX}"
        if level > NESTING_MAX:
            yield at, f"{level} levels of nesting, more than {NESTING_MAX}"


faults = []
for path, text in c_code.files(sys.argv[1], "src", "tests"):
    lines = c_code.strip(text).removesuffix("\n").split("\n")
    faults += [(path, at + 1, reason) for at, reason in judge(lines)]
c_code.finish(faults)
PY
