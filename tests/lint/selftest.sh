#!/bin/sh
# Shows that each lint sees what it is for: feeds it a small tree with one fault, expects exit 1
# and the fault's place and reason; then a tree without fault, expects silence.
# Usage: tests/lint/selftest.sh
here=$(cd "$(dirname "$0")" && pwd) || exit 2
tree=$(mktemp -d) || exit 2
trap 'rm -rf "$tree"' EXIT

# complain TEXT: by a file, for most checks run at the end of a pipe, in a shell of their own.
complain() {
	echo "tests/lint/selftest.sh:1: $1"
	: >"$tree/failed"
}

# fresh: an empty tree with the project's format.
fresh() {
	rm -rf "${tree:?}/src" "$tree/tests"
	mkdir -p "$tree/src" "$tree/tests"
	cp "$here/../../.clang-format" "$tree/"
}

# put FILE: the standard input becomes that file of the tree.
put() {
	mkdir -p "$(dirname "$tree/$1")"
	cat >"$tree/$1"
}

# sees LINT PLACE REASON: the lint fails on the tree and says so there.
sees() {
	said=$(sh "$here/$1.sh" "$tree" 2>&1)
	status=$?
	[ "$status" -eq 77 ] && return
	[ "$status" -eq 1 ] || complain "$1 exits $status on: $3"
	case $said in
	*"$2:"*"$3"*) ;;
	*) complain "$1 does not report '$2: $3' but: $said" ;;
	esac
}

# bad LINT FILE LINE REASON: the standard input, alone in the tree, is a fault.
bad() {
	fresh
	put "$2"
	sees "$1" "$2:$3" "$4"
}

# good FILE: no lint objects to the standard input, alone in the tree.
good() {
	fresh
	put "$1"
	for lint in floors sizes banned names format; do
		said=$(sh "$here/$lint.sh" "$tree" 2>&1)
		status=$?
		[ "$status" -eq 0 ] || [ "$status" -eq 77 ] || complain "$lint objects to $1: $said"
	done
}

# lines N TEXT: TEXT on N lines.
lines() {
	awk -v n="$1" -v text="$2" 'BEGIN { while (n-- > 0) print text }'
}

# ---- floors: who includes whom ----
echo '#include "model/alert.h"' | bad floors src/base/buf.c 1 'base/ may not include'
echo '#include "io/xfer.h"' | bad floors src/store/db.c 1 'store/ may not include'
echo '#include "store/db.h"' | bad floors src/io/xfer.c 1 'io/ may not include'
echo '#include "io/xfer.h"' | bad floors src/sinks/slack.c 1 'sinks/ may not include'
echo '#include "flow/queue.h"' | bad floors src/model/alert.h 1 'model/ may not include'
echo '#include "cli/print.h"' | bad floors src/flow/app.c 1 'flow/ may not include'
echo '#include "model/alert.h"' | bad floors src/sim/main.c 1 'sim/ may not include'
echo '#include "buf.h"' | bad floors src/base/buf.c 1 'not a path from src/'
echo '#include "../base/buf.h"' | bad floors src/model/alert.c 1 'not a path from src/'
echo '#include "base/buf.h"' | bad floors src/attic/old.c 1 'is not a floor'

# ---- floors: who knows which library ----
echo '#include <openssl/evp.h>' | bad floors src/base/secret.c 1 'OpenSSL belongs to'
echo '#include <glib.h>' | bad floors src/base/clock.c 1 'GLib belongs to'
echo '#include <pcre2.h>' | bad floors src/base/regex.h 1 'PCRE2 belongs to'
echo '#include <cjson/cJSON.h>' | bad floors src/model/page.c 1 'cJSON belongs to'
echo '#include <libconfig.h>' | bad floors src/model/conf.h 1 'libconfig belongs to'
echo '#include <curl/curl.h>' | bad floors src/io/xfer.h 1 'libcurl belongs to'
echo '#include <microhttpd.h>' | bad floors src/io/turn.c 1 'libmicrohttpd belongs to'
echo '#include <ev.h>' | bad floors src/io/turn.h 1 'libev belongs to'
echo '#include <sqlite3.h>' | bad floors src/store/alerts.h 1 'SQLite belongs to'
echo '#include <ev.h>' | bad floors src/flow/app.c 1 'libev belongs to'
echo '#include <curl/curl.h>' | bad floors src/cli/check.c 1 'libcurl belongs to'
echo '#include <zlib.h>' | bad floors src/base/file.c 1 'neither the C library'
echo 'struct sqlite3 *db;' | bad floors src/flow/app.h 1 'names sqlite3'
echo 'int on_timer(struct ev_timer *t);' | bad floors src/flow/app.h 1 'names ev_timer'
echo 'int64_t now = time(NULL);' | bad floors src/flow/queue.c 1 'time() in flow/'
echo 'int luck = rand() + usleep (5);' | bad floors src/flow/queue.c 1 'usleep() in flow/'

# ---- sizes ----
{ printf 'int f(void)\n{\n' && lines 68 '	g();' && echo '}'; } |
	bad sizes src/base/long.c 1 'a function of 71 lines'
lines 601 'int x;' | bad sizes src/base/long.c 1 '601 lines'
lines 601 'int x;' | bad sizes tests/unit/base/long_test.c 1 '601 lines'
printf 'static int f(int a, int b, int c, int d,\n	     int e, int (*f)(int, int), int g)\n{\n}\n' |
	bad sizes src/base/wide.c 1 '7 parameters'
bad sizes src/base/deep.c 7 '5 levels' <<'C'
int f(int a)
{
	for (;;) {
		if (a)
			while (a) {
				if (a > 1)
					return 1;
			}
	}
}
C

# ---- banned ----
for call in strcpy strcat sprintf vsprintf gets strtok atoi; do
	printf 'int f(void)\n{\n	return %s(a, b);\n}\n' "$call" |
		bad banned src/base/buf.c 3 "$call()"
done
printf 'void f(void)\n{\n	strcpy(a, b);\n}\n' | bad banned tests/unit/base/a_test.c 3 'strcpy()'
printf 'void f(void)\n{\n	setenv(a, b, 1);\n}\n' | bad banned src/base/secret.c 3 'setenv()'
printf 'void f(void)\n{\n	putenv(a);\n}\n' | bad banned src/main.c 3 'putenv()'
for note in TO+DO FIX+ME X+XX; do
	printf '/* %s: later */\n' "$(echo "$note" | tr -d +)" |
		bad banned src/base/buf.h 1 'do it or leave it'
done
fresh
put src/io/bell.c <<'C'
int http_judge(int x)
{
	return x;
}
C
put src/sinks/bell.c <<'C'
static int http_own(int x)
{
	return x;
}

int http_judge(int x)
{
	return http_own(x);
}
C
sees names src/sinks/bell.c:6 'http_judge() is defined in src/io/bell.c too'

bad banned src/base/bell.c 13 'default in a switch' <<'C'
enum bell {
	BELL_LOUD,
	BELL_SOFT, /* at night */
};

int bell_ring(enum bell bell)
{
	switch (bell) {
	case BELL_SOFT: return 1;
	case BELL_LOUD:
		switch ('a') {}
		return 2;
	default: return 0;
	}
}
C

# ---- format ----
printf 'int f(void)\n{\n    return 1;\n}\n' | bad format src/base/buf.c 2 'clang-format'

# ---- what no lint objects to ----
good src/base/bell.c <<'C'
/* strcpy(a, b), setenv(), <curl/curl.h>, curl_easy_init(): words in a comment are only words. */
#include "base/bell.h"

#include <stdio.h>
#include <sys/stat.h>

enum bell {
	BELL_LOUD,
	BELL_SOFT,
};

static const char *const advice = "never call gets() or cJSON_Parse()";

static void bell_tell(const char *name, int64_t from, int64_t until, size_t count,
		      void (*ring)(const char *name, int64_t at), void *user)
{
	static const struct {
		const char *name;
		struct {
			struct {
				int tone;
			} inner;
		} outer;
	} tones[] = {
		{
			.name = "low",
			.outer = {
				.inner = {
					.tone = 1,
				},
			},
		},
	};

	bell_of(from < until && count > 0 ? bell_of(tones[0].outer.inner.tone + (int)count)
					  : bell_of(0));
	for (size_t i = 0; i < count; i++) {
		if (tones[i].outer.inner.tone)
			ring(name, from < until && tones[i].name != NULL && user != NULL &&
						   bell_is_wanted(advice)
					   ? from
					   : until);
	}
}

static int bell_of(int c)
{
	switch (c) {
	case 'a': return 1;
	default: return snprintf(NULL, 0, "%d", c);
	}
}
C
good tests/unit/base/bell_test.c <<'C'
static void a_bell_reads_the_environment(void **state)
{
	(void)state;
	setenv("BELL", "loud", 1);
	assert_true(bell_is_loud());
}
C

[ ! -e "$tree/failed" ]
