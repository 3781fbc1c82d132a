#include "bench_alert.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { SIZE = 600, FIRST_AT = 1767225600 }; /* 2026-01-01; then one a second */

/* Every number has another one, and neighbours have nothing in common (splitmix64). */
static uint64_t scatter(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

size_t bench_alert(char text[BENCH_ALERT_MAX], uint64_t number, bool random_id)
{
	time_t at = FIRST_AT + (time_t)number;
	struct tm tm;
	char created[32];

	gmtime_r(&at, &tm);
	strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", &tm);
	int len = snprintf(text, BENCH_ALERT_MAX,
			   "{\"id\":\"al-%016" PRIx64 "\",\"org_id\":\"org-1\","
			   "\"type\":\"policy_violation\",\"severity\":\"high\","
			   "\"status\":\"open\",\"title\":\"Sensitive data in a prompt\","
			   "\"user_id\":null,\"policy_id\":\"pol-7\",\"resolved_at\":null,"
			   "\"metadata\":{\"model\":\"gpt-4\",\"provider\":\"openai\","
			   "\"token_count\":4200},\"created_at\":\"%s\",\"message\":\"",
			   random_id ? scatter(number) : number, created);

	for (; len < SIZE - 2; len++)
		text[len] = (char)(len % 8 == 0 ? ' ' : 'a' + len % 26);
	text[len++] = '"';
	text[len++] = '}';
	text[len] = '\0';
	return (size_t)len;
}
