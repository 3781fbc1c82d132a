/*
 * email_people: from templates to addresses, one by one.
 *
 * What an alert names is less trusted than what is configured. Beside what makes any address
 * unsafe (line breaks, a second address), it may hold no way round `to_domains`: a domain in
 * brackets is an address of a machine, and old relays read % and ! before the @ as where to send
 * it on.
 */
#include "sinks/email_people.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "model/alert.h"
#include "sinks/email_address.h"

enum { RENDERED_MAX = 1024, KEY_BYTES_MAX = 64 << 10 };

#define ANY_DOMAIN "*"

/* `to` or `cc`. An address may be a reference that is read again (model/conf_refresh), so it is
 * taken from the settings each time; what is a template stays as it was when it was compiled. */
struct list {
	const char *key;
	const struct conf_texts *texts;
	struct tmpl **tmpls; /* one a text, NULL: it is an address; owned, as is each */
};

struct email_people {
	struct list to, cc;
	const struct conf_texts *domains;
};

/* What has a value of its own only once there is a message, or none that is an address. */
static const char *const refused_names[] = {
	"route",   "delivery_id", "possible_repeat", "raw",    "link",
	"count",   "alerts",      "index",           "last",   "why",
	"storm",   "rest",        "repeat",          "test",   "map",
	"url",     "base_url",    "dedup_key",       "handle", "kept",
	"budgets",
};

/* ---- from the configuration ---- */

static bool is_template(const char *text)
{
	return strstr(text, "{{") != NULL;
}

static struct tmpl *compile(const char *text, struct err *err)
{
	static const struct tmpl_place at = { .file = "the template", .line = 1, .column = 1 };

	return tmpl_new_within(&at, "address.txt", text, strlen(text), NULL, err);
}

struct refusal {
	bool is_some;
	struct err *err;
};

static void refuse(void *arg, const struct tmpl_use *use)
{
	struct refusal *r = arg;

	if (use->is_partial) {
		r->is_some = true;
		err_set(r->err, "{{> %.60s}}: an address has no partials", use->name);
	}
	for (size_t i = 0; i < ARRAY_LEN(refused_names); i++) {
		if (strcmp(use->name, refused_names[i]) != 0)
			continue;
		r->is_some = true;
		err_set(r->err,
			"{{%.60s}} can't name anybody: use a field of the alert, as "
			"{{user.email}} or {{metadata.owner}}",
			use->name);
	}
}

bool email_people_check(const char *entry, struct err *err)
{
	struct email_address address;

	if (!is_template(entry))
		return email_address_read(&address, entry, err);
	struct tmpl *t = compile(entry, err);
	struct refusal refusal = { .err = err };

	if (t == NULL)
		return false;
	tmpl_each_use(t, &(struct tmpl_uses){ .each = refuse, .arg = &refusal });
	tmpl_free(&t);
	return !refusal.is_some;
}

static void read_list(struct list *l, const char *key, const struct conf_texts *texts)
{
	struct err err;

	l->key = key;
	l->texts = texts;
	l->tmpls = mem_array(texts->count, sizeof(*l->tmpls));
	for (size_t i = 0; i < texts->count; i++)
		if (is_template(texts->list[i]))
			l->tmpls[i] = compile(texts->list[i], &err);
}

struct email_people *email_people_new(const struct email_people_keys *keys)
{
	struct email_people *p = mem_new(sizeof(*p));

	p->domains = keys->domains;
	read_list(&p->to, "to", keys->to);
	read_list(&p->cc, "cc", keys->cc);
	return p;
}

static void release_list(struct list *l)
{
	for (size_t i = 0; i < l->texts->count; i++)
		tmpl_free(&l->tmpls[i]);
	mem_free(&l->tmpls);
}

void email_people_free(struct email_people **p)
{
	if (*p == NULL)
		return;
	release_list(&(*p)->to);
	release_list(&(*p)->cc);
	mem_free(p);
}

static bool has_template(const struct list *l)
{
	for (size_t i = 0; i < l->texts->count; i++)
		if (l->tmpls[i] != NULL)
			return true;
	return false;
}

bool email_people_are_named(const struct email_people *p)
{
	return has_template(&p->to) || has_template(&p->cc);
}

bool email_people_are_free(const struct email_people *p)
{
	return email_people_are_named(p) && p->domains->count == 0;
}

static void each_use(const struct list *l, const struct tmpl_uses *uses)
{
	for (size_t i = 0; i < l->texts->count; i++)
		if (l->tmpls[i] != NULL)
			tmpl_each_use(l->tmpls[i], uses);
}

void email_people_each_use(const struct email_people *p, const struct tmpl_uses *uses)
{
	each_use(&p->to, uses);
	each_use(&p->cc, uses);
}

/* ---- for one alert ---- */

/* People on their way into a list. */
struct gathering {
	const struct email_people *p;
	const struct facts *facts;
	struct people *out;
	struct buf addresses; /* each with a line break: what the key is made of */
};

static bool is_allowed(const struct conf_texts *domains, const char *domain)
{
	for (size_t i = 0; i < domains->count; i++)
		if (strcmp(domains->list[i], ANY_DOMAIN) == 0 ||
		    strcasecmp(domains->list[i], domain) == 0)
			return true;
	return domains->count == 0;
}

/* Beyond what any address must be. */
static bool is_safe(const struct email_people *p, const struct email_address *a,
		    struct err *err)
{
	const char *domain = email_address_domain(a);

	if (strpbrk(domain, "[]:") != NULL)
		return err_set(err, "names a machine in place of a domain");
	if (memchr(a->address, '%', strcspn(a->address, "@")) != NULL ||
	    memchr(a->address, '!', strcspn(a->address, "@")) != NULL)
		return err_set(err, "names a way on before the @");
	if (!is_allowed(p->domains, domain))
		return err_set(err, "its domain is not one of to_domains");
	return true;
}

static bool is_blank(const struct buf *text)
{
	return strspn(text->data, " \t") == text->len;
}

/* Reads what a template became. */
static bool read_rendered(const struct gathering *g, const struct tmpl *t, struct buf *text,
			  struct email_address *a, struct err *err)
{
	struct value root;

	if (g->facts == NULL)
		return err_set(err, "is empty");
	value_of_facts(g->facts, &root);
	if (!tmpl_render(t, &root, text, NULL, err))
		return err_set(err, text->overflow ? "is too long for an address"
						   : "can't be rendered");
	if (is_blank(text))
		return err_set(err, "is empty");
	if (strlen(text->data) != text->len)
		return err_set(err, "holds a control character");
	return email_address_read(a, text->data, err) && is_safe(g->p, a, err);
}

static void leave_out(struct people *out, const char *key, size_t place, bool is_empty,
		      const char *why)
{
	out->left_out =
		mem_resize(out->left_out, out->left_out_count + 1, sizeof(*out->left_out));
	struct left_out *l = &out->left_out[out->left_out_count++];

	*l = (struct left_out){ .key = key, .place = place, .is_empty = is_empty };
	snprintf(l->why, sizeof(l->why), "%.*s", PEOPLE_WHY_MAX - 1, why);
}

/* Has this address been taken? Marks it as one. */
static bool is_known(struct buf *addresses, const char *address)
{
	char line[EMAIL_ADDRESS_MAX + 3];
	size_t len = (size_t)snprintf(line, sizeof(line), "\n%s\n", address);

	for (size_t i = 0; i < len; i++)
		line[i] = (char)tolower((unsigned char)line[i]);
	if (strstr(addresses->data, line) != NULL)
		return true;
	buf_add(addresses, line, len);
	return false;
}

static char *trimmed(const char *text)
{
	const char *from = text + strspn(text, " \t");
	size_t len = strlen(from);

	while (len > 0 && (from[len - 1] == ' ' || from[len - 1] == '\t'))
		len--;
	return mem_dup(from, len);
}

static void gather(struct gathering *g, const struct list *l, char **list, size_t *count)
{
	struct email_address a;
	struct buf text;
	struct err err;

	buf_init(&text, RENDERED_MAX);
	for (size_t i = 0; i < l->texts->count; i++) {
		const struct tmpl *t = l->tmpls[i];
		const char *fixed = l->texts->list[i];

		buf_clear(&text);
		bool ok = t != NULL ? read_rendered(g, t, &text, &a, &err)
				    : email_address_read(&a, fixed, &err);

		if (!ok)
			leave_out(g->out, l->key, i + 1, is_blank(&text) && !text.overflow,
				  err.text);
		else if (!is_known(&g->addresses, a.address))
			list[(*count)++] = trimmed(t != NULL ? text.data : fixed);
	}
	buf_release(&text);
}

void email_people_of(const struct email_people *p, const struct facts *facts,
		     struct people *out)
{
	struct gathering g = { .p = p, .facts = facts, .out = out };

	*out = (struct people){ .key = PEOPLE_NOBODY };
	out->to = mem_array(p->to.texts->count, sizeof(*out->to));
	out->cc = mem_array(p->cc.texts->count, sizeof(*out->cc));
	buf_init(&g.addresses, KEY_BYTES_MAX);
	gather(&g, &p->to, out->to, &out->to_count);
	gather(&g, &p->cc, out->cc, &out->cc_count);
	if (out->to_count + out->cc_count > 0) {
		out->key = alert_hash(g.addresses.data, g.addresses.len);
		out->key = out->key != PEOPLE_NOBODY ? out->key : 1;
	}
	buf_release(&g.addresses);
}
