/* sample_options: see the header. */
#include "cli/sample_options.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "flow/samples.h"
#include "model/alert.h"
#include "model/json.h"

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

static enum event_kind kind_of(enum alert_status status)
{
	switch (status) {
	case ALERT_OPEN: return EVENT_OPENED;
	case ALERT_ACKNOWLEDGED: return EVENT_ACKNOWLEDGED;
	case ALERT_RESOLVED: break;
	}
	return EVENT_RESOLVED;
}

static int take_file(const struct cli *cli, const char *path, enum event_kind *kind,
		     struct buf *bytes)
{
	struct alert alert;
	struct err err;

	if (!file_read(path, bytes, &err))
		return cli_failed("%s", err.text);
	if (!alert_read(&alert, bytes->data, bytes->len, &err))
		return cli_failed("%s holds no alert: %s", path, err.text);
	if (!cli_has(cli, "event"))
		*kind = kind_of(alert.status);
	alert_release(&alert);
	return EXIT_OK;
}

static int read_context(const char *path, struct buf *context)
{
	struct err err = { "" };
	struct json *json = NULL;

	if (!file_read(path, context, &err))
		return cli_failed("%s", err.text);
	json = json_parse(context->data, context->len, &err);
	bool is_object = json != NULL && json_kind(json_root(json)) == JSON_OBJECT;

	if (json != NULL && !is_object)
		err_set(&err, "it is no object { \"user\": { … } }");
	json_free(&json);
	return is_object ? EXIT_OK : cli_failed("%s: %s", path, err.text);
}

bool sample_context(const struct cli *cli, struct buf *context, int *code)
{
	const char *path = cli_option(cli, "context");

	*code = EXIT_OK;
	if (path != NULL && strcmp(path, "none") != 0)
		*code = read_context(path, context);
	return path != NULL;
}

int sample_take(const struct cli *cli, const char *type, enum event_kind *kind, int64_t *at,
		struct buf *bytes, struct buf *context)
{
	int code;

	if (cli_has(cli, "alert")) {
		*at = clock_now();
		code = take_file(cli, cli_option(cli, "alert"), kind, bytes);
		if (code == EXIT_OK)
			sample_context(cli, context, &code);
		return code;
	}
	*at = samples_moment();
	samples_add(bytes, type, &(struct sample_as){ .kind = *kind, .at = *at });
	if (!sample_context(cli, context, &code))
		samples_add_context(context, type, *at);
	return code;
}
