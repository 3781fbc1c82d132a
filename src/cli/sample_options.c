/* sample_options: see the header. */
#include "cli/sample_options.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "flow/samples.h"

/* "a, b, c": what an option takes. */
static const char *list_of(const char *const *words, char *text, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; words[i] != NULL && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "",
					 words[i]);
	return text;
}

int sample_options(const struct cli *cli, enum event_kind *kind, const char **type)
{
	const char *event = cli_option(cli, "event");
	const char *events[EVENT_KIND_COUNT + 1] = { NULL };
	char list[200];

	*kind = EVENT_OPENED;
	*type = samples_types[0];
	for (int i = 0; i < EVENT_KIND_COUNT; i++)
		events[i] = event_kind_name((enum event_kind)i);
	if (event != NULL && !event_kind_parse(event, kind))
		return cli_usage(cli, "--event is one of %s",
				 list_of(events, list, sizeof(list)));
	if (!cli_has(cli, "sample"))
		return EXIT_OK;
	for (size_t i = 0; samples_types[i] != NULL; i++) {
		*type = samples_types[i];
		if (strcmp(*type, cli_option(cli, "sample")) == 0)
			return EXIT_OK;
	}
	return cli_usage(cli, "--sample is one of %s",
			 list_of(samples_types, list, sizeof(list)));
}
