#!/bin/sh
# Holds src/ to its floors: who may include whom, and which file alone may name a library.
# Usage: tests/lint/floors.sh [ROOT]; prints file:line: reason, exits 1 if there was any.
here=$(cd "$(dirname "$0")" && pwd) || exit 2
PYTHONPATH=$here exec /usr/bin/python3 -B - "${1:-$here/../..}" <<'PY'
import fnmatch
import re
import sys

import c_code

# A folder of src/ and what it may include; "." is main.c. io, store and sinks never meet.
FLOORS = {
    "base": "base/*",
    "model": "base/* model/*",
    "io": "base/* model/* io/*",
    "store": "base/* model/* store/*",
    "sinks": "base/* model/* sinks/*",
    "flow": "base/* model/* io/* store/* sinks/* flow/*",
    "cli": "base/* model/* io/* store/* sinks/* flow/* cli/*",
    ".": "base/* model/* io/* store/* sinks/* flow/* cli/*",
    "sim": "base/* model/json.h io/* sim/*",
}

# A library: its headers, its names in code, the files that alone may know it.
LIBRARIES = {
    "OpenSSL": (
        "openssl/*",
        r"EVP_\w+|HMAC(?=\()|HMAC_CTX\w*|RAND_\w+|SSL_\w+|CRYPTO_\w+",
        "base/hmac.c",
    ),
    "GLib": (
        "glib.h glib/* gio/*",
        r"g_(?:time_zone|date_time|ascii)_\w+|GTimeZone|GDateTime",
        "base/zone.c",
    ),
    "PCRE2": ("pcre2.h", r"pcre2_\w+|PCRE2_\w+", "base/regex.c"),
    "cJSON": ("cJSON.h cjson/*", r"cJSON\w*", "model/json.c model/json.h"),
    "libconfig": ("libconfig.h", r"config_\w+|CONFIG_\w+", "model/conf.c"),
    "libcurl": ("curl/*", r"curl_\w+|CURL\w*", "io/xfer*.c"),
    "libmicrohttpd": ("microhttpd.h", r"MHD_\w+", "io/httpd.c"),
    "libev": ("ev.h", r"ev_\w+|EV_\w+", "io/*.c"),
    "SQLite": ("sqlite3.h", r"sqlite3\w*|SQLITE_\w+", "store/*.c store/db*.h"),
}

# The C library and the system; any other <header> is a library that is not in the table above.
SYSTEM = """
assert ctype dirent endian errno execinfo fcntl fenv float fnmatch getopt glob grp inttypes
langinfo libgen limits locale malloc math netdb paths poll pthread pwd sched setjmp signal stdalign
stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string strings syslog sysexits
termios time unistd wchar wctype sys/* netinet/* arpa/* net/*
""".split()

# flow/ runs whole in a simulated world: time from base/clock, chance from a seed, sleep from io/.
OWN_CLOCK = re.compile(
    r"(?<![\w.>])(time|gettimeofday|clock_gettime|timespec_get|clock|rand|rand_r|random|srand|"
    r"srandom|drand48|lrand48|arc4random\w*|getrandom|getentropy|sleep|usleep|nanosleep|"
    r"clock_nanosleep|poll|select|alarm|setitimer)\s*\("
)
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
NAMES = {lib: re.compile(rf"\b(?:{names})\b") for lib, (_, names, _) in LIBRARIES.items()}


def one_of(name, patterns):
    return any(fnmatch.fnmatchcase(name, p) for p in patterns)


def may_know(file, library):
    return one_of(file, LIBRARIES[library][2].split())


def judge_own_include(file, floor, name):
    if "/" not in name or ".." in name:
        return f'"{name}" is not a path from src/, such as "base/buf.h"'
    if floor not in FLOORS:
        return f"src/{floor}/ is not a floor: see the table in tests/lint/floors.sh"
    if not one_of(name, FLOORS[floor].split()):
        return f'{floor}/ may not include "{name}": only {FLOORS[floor]}'
    return None


def judge_library_include(file, name):
    for library, (headers, _, alone) in LIBRARIES.items():
        if one_of(name, headers.split()):
            if may_know(file, library):
                return None
            return f"<{name}>: {library} belongs to {alone} alone"
    if one_of(name.removesuffix(".h"), SYSTEM):
        return None
    return f"<{name}> is neither the C library's nor in the table of tests/lint/floors.sh"


def judge_code(file, floor, line):
    for library, names in NAMES.items():
        found = names.search(line)
        if found and not may_know(file, library):
            yield f"names {found.group()}: {library} belongs to {LIBRARIES[library][2]} alone"
    if floor == "flow":
        for call in OWN_CLOCK.findall(line):
            yield f"{call}() in flow/: time, chance and sleep come from base/clock, a seed, io/"


def judge(file, line):
    floor = file.split("/")[0] if "/" in file else "."
    include = INCLUDE.match(line)
    if not include:
        yield from judge_code(file, floor, line)
        return
    bracket, name = include.groups()
    if bracket == '"':
        reason = judge_own_include(file, floor, name)
    else:
        reason = judge_library_include(file, name)
    if reason:
        yield reason


faults = []
for path, text in c_code.files(sys.argv[1], "src"):
    for number, line in enumerate(c_code.strip(text).split("\n"), 1):
        faults += [(path, number, reason) for reason in judge(path.removeprefix("src/"), line)]
c_code.finish(faults)
PY
