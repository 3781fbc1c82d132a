/*
 * kill: places at which a test ends the process.
 *
 * In what is shipped both macros are nothing. tocsin-killed (TOCSIN_TESTS) is the same program
 * with TOCSIN_KILL_POINTS defined; tests/kill/kill.c says what its environment asks for. A point
 * stands between two steps that the disk or a receiver can tell apart, and its name says what
 * has been done when it is passed. The tests find the points in the sources, by these macros.
 */
#ifndef BASE_KILL_H
#define BASE_KILL_H

#ifdef TOCSIN_KILL_POINTS

/* Ends the process as kill -9 does, at the passing of this point that was asked for. */
#define KILL_POINT(name) kill_point(name)
/* Crashes on a text that holds the word asked for. */
#define CRASH_POINT(name, text) crash_point((name), (text))

void kill_point(const char *name);
void crash_point(const char *name, const char *text);

#else

#define KILL_POINT(name)        ((void)0)
#define CRASH_POINT(name, text) ((void)0)

#endif

#endif
