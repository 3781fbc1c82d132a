/*
 * clock: the time, and times as text.
 *
 * An instant (`_at`) is int64_t milliseconds since the epoch, UTC; a duration (`_ms`) is
 * int64_t milliseconds. All of the program asks here, so a test moves time by hand with
 * clock_use(). Texts are parsed strictly and formatted without locale or zone of the machine.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The wall clock: what is stored and shown. It may jump. */
int64_t clock_now(void);

/* A steady clock for durations within one process; never stored. */
int64_t clock_steady(void);
/* The same in microseconds, for what is over too soon to be told in milliseconds. */
int64_t clock_steady_us(void);

/* Replaces both clocks (the world and tests); NULL gives the machine's back. */
void clock_use(int64_t (*now)(void), int64_t (*steady)(void));

/* A moment in the calendar: Gregorian throughout, UTC unless an offset was added before. */
struct clock_date {
	int64_t year;
	int month; /* 1..12 */
	int day;   /* 1..31 */
	int hour, minute, second;
	int ms;
	int weekday; /* 0 is Sunday */
};

/* Years 0..9999; else clamped. */
struct clock_date clock_date(int64_t at);

enum { CLOCK_TEXT_MAX = 40 };

/* 2026-11-24T03:45:56Z, or with .123 when with_ms. Years 0..9999; else clamped. */
void clock_iso(int64_t at, bool with_ms, char text[CLOCK_TEXT_MAX]);

/* RFC 3339 with Z or an offset (also the short +0100), any number of fraction digits (cut to
 * milliseconds), T or a space. False: not a time, and *at is as it was. */
bool clock_parse_iso(const char *text, size_t len, int64_t *at);

/* RFC 5322 for mail: Tue, 24 Nov 2026 03:45:56 +0000. */
void clock_mail(int64_t at, char text[CLOCK_TEXT_MAX]);

/* The three forms of RFC 9110 section 5.6.7 (HTTP Date, Retry-After); the weekday need not
 * fit the date. False: not a date, and *at is as it was. */
bool clock_parse_http(const char *text, int64_t *at);

/* For people: "now" (within a second), "3 min ago", "in 2 h", "4 days ago" (from 2 days on). */
void clock_ago(int64_t at, int64_t now, char text[CLOCK_TEXT_MAX]);

/* For people: "41 ms", "1.5 s", "10 min", "2 min 5 s", "72 h", "30 days" (from 4 days on). */
void clock_span(int64_t ms, char text[CLOCK_TEXT_MAX]);

#endif
