/* routing_text: route by route, in the order in which they are asked. */
#include <inttypes.h>

#include "cli/print.h"
#include "cli/routing.h"

enum { VALUE_SHOWN_MAX = 80, TITLE_SHOWN_MAX = 100 };

static void put_line(const char *text, size_t len, size_t max)
{
	struct buf line;

	buf_init(&line, 4096);
	print_line(&line, text, len, max);
	printf("%.*s", (int)line.len, line.data);
	buf_release(&line);
}

static void tell_matcher(const struct routing *r, const struct matcher *m)
{
	struct asked a;

	routing_ask(r, m, &a);
	fputs("  ", stdout);
	print_coloured(stdout, a.held ? COLOUR_GOOD : COLOUR_BAD, a.held ? "+" : "-");
	putchar(' ');
	print_text(stdout, matcher_text(m), VALUE_SHOWN_MAX);
	if (a.sight.operand.len == 0) {
		fputs("  (it is empty or missing", stdout);
	} else {
		fputs("  (it is \"", stdout);
		put_line(a.sight.operand.text, a.sight.operand.len, VALUE_SHOWN_MAX);
		putchar('"');
	}
	printf("%s%s)\n", a.note != NULL ? ": " : "", a.note != NULL ? a.note : "");
}

/* As a configuration writes it. */
static void put_written(const struct conf_node *n)
{
	enum conf_shape shape = conf_shape(n);
	bool in_group = shape == CONF_GROUP;

	switch (shape) {
	case CONF_STRING:
		putchar('"');
		print_text(stdout, conf_string(n), VALUE_SHOWN_MAX);
		putchar('"');
		return;
	case CONF_WHOLE: printf("%" PRId64, conf_whole(n)); return;
	case CONF_FRACTION: printf("%g", conf_fraction(n)); return;
	case CONF_TRUTH: fputs(conf_truth(n) ? "true" : "false", stdout); return;
	case CONF_GROUP:
	case CONF_LIST:
		fputs(in_group ? "{" : "(", stdout);
		for (size_t i = 0; i < conf_count(n); i++) {
			printf(i == 0 || in_group ? " " : ", ");
			if (in_group)
				printf("%s = ", conf_name(conf_at(n, i)));
			put_written(conf_at(n, i));
			printf(in_group ? ";" : "");
		}
		fputs(in_group ? " }" : " )", stdout);
		return;
	case CONF_NOTHING: break;
	}
}

static void tell_events(const struct route *route)
{
	fputs("  events", stdout);
	for (int i = 0; i < EVENT_KIND_COUNT; i++)
		if (route_wants(route, (enum event_kind)i))
			printf(" %s", event_kind_name((enum event_kind)i));
	putchar('\n');
}

static void tell_holds(const struct routing *r, const char *name)
{
	const struct conf_node *group = glance_find(r->glance, "routes", name);

	for (size_t i = 0; i < conf_count(group); i++) {
		const struct conf_node *n = conf_at(group, i);

		if (!routing_is_hold(n))
			continue;
		printf("  %s = ", conf_name(n));
		put_written(n);
		putchar('\n');
	}
}

static void tell_route(const struct routing *r, size_t i)
{
	const struct route *route = &r->settings->routes[i];
	bool matches = route_matches(route, r->facts);

	printf("\nroute %s (line %d): ", route->name, route->line);
	if (i >= r->asked) {
		printf("not reached\n");
		return;
	}
	print_coloured(stdout, matches ? COLOUR_GOOD : COLOUR_DIM,
		       matches ? "matches" : "does not match");
	if (matches)
		printf(route->goes_on ? ", and later ones are asked, too (continue)"
				      : ", and ends the search");
	if (route->match_count == 0)
		printf(": it has no matchers");
	putchar('\n');
	for (size_t k = 0; k < route->match_count; k++)
		tell_matcher(r, route->match[k]);
	if (!matches)
		return;
	tell_events(route);
	tell_holds(r, route->name);
}

static void tell_sink(const struct routing *r, size_t i)
{
	const char *reason = routing_drops(r, i);

	printf("%s by route %s: ", r->settings->sinks[r->chosen[i].sink].name,
	       r->settings->routes[r->chosen[i].route].name);
	print_coloured(stdout, reason == NULL ? COLOUR_GOOD : COLOUR_WARN,
		       reason == NULL ? "told" : "not told");
	printf("%s%s\n", reason != NULL ? ", " : "", reason != NULL ? reason : "");
}

void routing_text(const struct routing *r)
{
	const struct alert *a = r->facts->alert;

	print_text(stdout, a->id, VALUE_SHOWN_MAX);
	printf(", %s", event_kind_name(r->facts->event));
	if (r->facts->first)
		printf(" when it was first seen");
	printf(", of source %s: ", r->facts->source);
	print_text(stdout, a->title, TITLE_SHOWN_MAX);
	putchar('\n');
	for (size_t i = 0; i < r->settings->route_count; i++)
		tell_route(r, i);
	putchar('\n');
	for (size_t i = 0; i < r->chosen_count; i++)
		tell_sink(r, i);
	if (r->chosen_count == 0) {
		print_coloured(stdout, COLOUR_WARN, "unrouted");
		puts(": no route matches, so nobody is told; the alert is recorded all the "
		     "same");
	}
}
