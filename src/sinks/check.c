/* check: mistakes in a sink's settings, said at the sink's line. */
#include "sinks/check.h"

#include <string.h>

void check_error(const struct sink_settings *s, struct conf_problems *p, const char *key,
		 const char *text)
{
	conf_problem(p, CONF_ERROR, s->file, s->line, "sink \"%s\": %s: %s", s->name, key,
		     text);
}

void check_warning(const struct sink_settings *s, struct conf_problems *p, const char *key,
		   const char *text)
{
	conf_problem(p, CONF_WARNING, s->file, s->line, "sink \"%s\": %s: %s", s->name, key,
		     text);
}

static bool is_http(const char *url)
{
	return strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0;
}

/* What is wrong with the shape of a URL, or NULL. */
static const char *shape_mistake(const char *url)
{
	const char *host, *end;

	if (!is_http(url))
		return "must begin with https://";
	for (const char *c = url; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
			return "holds a blank or a character that must be percent-encoded";
	host = strstr(url, "://") + 3;
	end = host + strcspn(host, "/?#");
	if (end == host || *host == ':')
		return "has no host";
	if (memchr(host, '@', (size_t)(end - host)) != NULL)
		return "holds a login: that belongs into basic = { username; password; }";
	if (strchr(url, '#') != NULL)
		return "holds a fragment (#...), which is never sent: take it off";
	return NULL;
}

bool check_url_of(const struct sink_settings *s, struct conf_problems *p, const char *key,
		  const char *url)
{
	const char *mistake = shape_mistake(url);
	struct err err = { 0 };

	if (mistake == NULL && settings_url_allowed(url, s->plaintext, &err))
		return true;
	check_error(s, p, key, mistake == NULL ? err.text : mistake);
	return false;
}

bool check_url(const struct sink_settings *s, struct conf_problems *p, const char *url)
{
	return check_url_of(s, p, "url", url);
}

bool check_base_url(const struct sink_settings *s, struct conf_problems *p, const char *url)
{
	if (!check_url_of(s, p, "base_url", url))
		return false;
	if (strchr(url, '?') == NULL && url[strlen(url) - 1] != '/')
		return true;
	check_error(s, p, "base_url",
		    "must not end in a slash or hold a question mark: paths follow it");
	return false;
}
