#!/bin/sh
# Calls and words that have no place here: calls that write without a bound or parse without an
# error, setenv outside tests (libcurl's resolver threads read the environment), notes to
# oneself, and a default in a switch over one of our enums, which would hide a case forgotten.
# Usage: tests/lint/banned.sh [ROOT]; prints file:line: reason, exits 1 if there was any.
here=$(cd "$(dirname "$0")" && pwd) || exit 2
PYTHONPATH=$here exec /usr/bin/python3 -B - "${1:-$here/../..}" <<'PY'
import pathlib
import re
import sys

import c_code

CALLS = {
    r"strcpy|strcat|sprintf|vsprintf|gets|stpcpy": "writes without a bound: use base/buf",
    r"strtok|atoi|atol|atoll|atof": "cannot tell an error: use base/num, or a cursor of your own",
}
ENVIRONMENT = re.compile(r"(?<![\w.>])(setenv|unsetenv|putenv|clearenv|tzset)\s*\(")
# Spelt so that this file does not find itself.
NOTES = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b")
NOTED = ("src", "tests", "contrib", "conf", "templates")
TEXT = {".c", ".h", ".sh", ".py", ".sql", ".cmake", ".conf", ".mustache", ".json", ".md", ""}

NAMED_ENUM = re.compile(r"\benum\s+\w+\s*\{([^}]*)\}")
CASE = re.compile(r"\bcase\s+(\w+)\s*:")


def bad_calls(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        for names, reason in CALLS.items():
            for call in re.findall(rf"(?<![\w.>])({names})\s*\(", line):
                yield path, number, f"{call}() {reason}"
        if path.startswith("src/"):
            for call in ENVIRONMENT.findall(line):
                yield path, number, f"{call}(): the environment is not written outside tests"


def constants(texts):
    """Every constant of a named enum: those that a switch must list."""
    for text in texts:
        for body in NAMED_ENUM.findall(text):
            yield from re.findall(r"(?:^|,)\s*(\w+)", body)


def closing(text, start):
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] == "{") - (text[at] == "}")
        if depth == 0:
            return at
    return len(text)


def switches(text):
    """(offset, body) of each switch, the bodies of switches inside it blanked."""
    spans = []
    for found in re.finditer(r"\bswitch\b[^{]*\{", text):
        spans.append((found.end() - 1, closing(text, found.end() - 1)))
    for start, end in spans:
        body = list(text[start:end])
        for inner, inner_end in spans:
            if start < inner < end:
                body[inner - start : inner_end - start] = " " * (inner_end - inner)
        yield start, "".join(body)


def hidden_cases(path, text, ours):
    for start, body in switches(text):
        default = re.search(r"\bdefault\s*:", body)
        if default and ours.intersection(CASE.findall(body)):
            line = text.count("\n", 0, start + default.start()) + 1
            yield path, line, "default in a switch over an enum: list the cases"


def notes(root):
    for folder in NOTED:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.suffix in TEXT:
                lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
                for number, line in enumerate(lines, 1):
                    for word in NOTES.findall(line):
                        yield str(path.relative_to(root)), number, f"{word}: do it or leave it"


root = pathlib.Path(sys.argv[1])
code = {path: c_code.strip(text) for path, text in c_code.files(root, "src", "tests")}
ours = set(constants(code.values()))
faults = list(notes(root))
for path, text in code.items():
    faults += bad_calls(path, text)
    faults += hidden_cases(path, text, ours)
c_code.finish(faults)
PY
