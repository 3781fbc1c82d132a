/* stats: fixed tables, so that whoever asks for a million paths fills "(others)", not memory. */
#include "sim/stats.h"

#include <stdio.h>
#include <string.h>

#include "model/json.h"

static struct stats_path *path_of(struct stats *stats, const char *path)
{
	struct stats_path *p;

	for (size_t i = 0; i < stats->path_count; i++)
		if (strcmp(stats->paths[i].path, path) == 0)
			return &stats->paths[i];
	if (stats->path_count >= STATS_PATHS_MAX || strlen(path) >= STATS_NAME_MAX) {
		p = &stats->paths[STATS_PATHS_MAX];
		path = "(others)";
	} else {
		p = &stats->paths[stats->path_count++];
	}
	snprintf(p->path, sizeof(p->path), "%s", path);
	return p;
}

void stats_count(struct stats *stats, const char *path, const char *end)
{
	struct stats_path *p = path_of(stats, path);

	for (size_t i = 0; i < p->end_count; i++)
		if (strcmp(p->ends[i].end, end) == 0) {
			p->ends[i].count++;
			return;
		}
	if (p->end_count == STATS_ENDS_MAX)
		return;
	snprintf(p->ends[p->end_count].end, sizeof(p->ends[0].end), "%s", end);
	p->ends[p->end_count++].count = 1;
}

static void add_path(const struct stats_path *p, struct buf *out)
{
	if (out->data[out->len - 1] != '{')
		buf_addc(out, ',');
	json_add_string(out, p->path);
	buf_adds(out, ":{");
	for (size_t i = 0; i < p->end_count; i++)
		buf_addf(out, "%s\"%s\":%lld", i > 0 ? "," : "", p->ends[i].end,
			 (long long)p->ends[i].count);
	buf_addc(out, '}');
}

void stats_add(const struct stats *stats, struct buf *out)
{
	buf_addc(out, '{');
	for (size_t i = 0; i <= STATS_PATHS_MAX; i++)
		if (stats->paths[i].end_count > 0)
			add_path(&stats->paths[i], out);
	buf_addc(out, '}');
}

void stats_count_list(struct stats *stats, const char *status, bool has_cursor)
{
	enum alert_status at = word_to_status(status);

	if (status != NULL && at == STATUS_OTHER)
		return;
	if (has_cursor)
		stats->lists[at].further++;
	else
		stats->lists[at].first++;
}

void stats_add_lists(const struct stats *stats, struct buf *out)
{
	for (int at = 0; at <= STATUS_COUNT; at++)
		buf_addf(out, "%c\"%s\":{\"first\":%lld,\"further\":%lld}", at == 0 ? '{' : ',',
			 at == STATUS_COUNT ? "unfiltered" : word_status((enum alert_status)at),
			 (long long)stats->lists[at].first,
			 (long long)stats->lists[at].further);
	buf_addc(out, '}');
}
