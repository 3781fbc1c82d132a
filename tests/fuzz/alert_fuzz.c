/* One item of a page: what is taken can be read again from the bytes that were kept. */
#include "base/buf.h"
#include "base/esc.h"
#include "base/mem.h"
#include "fuzz.h"
#include "model/alert.h"
#include "model/facts.h"
#include "model/json.h"

static void ask_all(const struct alert *a)
{
	const struct facts facts = { .alert = a, .event = EVENT_CHANGED, .at = a->created_at };
	struct value root, v;

	value_of_facts(&facts, &root);
	for (const char *const *name = facts_names(); *name != NULL; name++)
		if (value_path(&root, *name, strlen(*name), &v) && v.text == NULL)
			BUG("%s has no text", *name);
	value_path(&root, "metadata.model.x", 16, &v);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct alert a, again;
	struct err err = { "" };

	if (!alert_read(&a, (const char *)bytes, len, &err)) {
		if (err.text[0] == '\0')
			BUG("set aside without a reason");
		return 0;
	}
	ask_all(&a);
	if (a.id[0] == '\0' || !utf8_valid(a.bytes, a.bytes_len))
		BUG("an alert without an id, or bytes that are no text");
	if (!alert_read(&again, a.bytes, a.bytes_len, &err))
		BUG("stored bytes are no alert: %s", err.text);
	if (again.repaired || strcmp(a.id, again.id) != 0 ||
	    alert_hash(a.bytes, a.bytes_len) != alert_hash(again.bytes, again.bytes_len) ||
	    alert_content(&a) != alert_content(&again))
		BUG("stored bytes are another alert");
	alert_release(&again);
	alert_release(&a);
	return 0;
}
