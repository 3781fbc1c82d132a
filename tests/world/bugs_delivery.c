/* bugs_delivery: mistakes of claims, marks, order and holds. */
#include <sqlite3.h>
#include <string.h>

#include "base/mem.h"
#include "flow/intake.h"
#include "flow/queue.h"
#include "model/route.h"
#include "store/db.h"
#include "store/order.h"
#include "store/sql.h"
#include "world/bugs.h"
#include "world/bugs_inner.h"

enum { TRIES_MAX = 5, TARGETS_MAX = 16 };

/* ---- a commit that comes too late ---- */

static struct {
	bool in_turn;
	struct db *uncommitted;
} late;

void __real_store_turn(struct store *s, const struct turn_batch *batch);
void __wrap_store_turn(struct store *s, const struct turn_batch *batch);
void __wrap_store_turn(struct store *s, const struct turn_batch *batch)
{
	late.in_turn = true;
	__real_store_turn(s, batch);
	late.in_turn = false;
}

bool __real_db_commit(struct db *db, struct err *err);
bool __wrap_db_commit(struct db *db, struct err *err);
bool __wrap_db_commit(struct db *db, struct err *err)
{
	if (!bugs_has(SPEAK_BEFORE_COMMIT) || !late.in_turn || db_failure(db) != DB_FINE)
		return __real_db_commit(db, err);
	late.uncommitted = db;
	return true;
}

void __real_db_begin(struct db *db);
void __wrap_db_begin(struct db *db);
void __wrap_db_begin(struct db *db)
{
	struct err err;

	if (late.uncommitted == db)
		(void)!__real_db_commit(db, &err);
	late.uncommitted = NULL;
	__real_db_begin(db);
}

void __real_db_close(struct db **db);
void __wrap_db_close(struct db **db);
void __wrap_db_close(struct db **db)
{
	if (late.uncommitted == *db)
		late.uncommitted = NULL;
	__real_db_close(db);
}

/* ---- claims that are not written ---- */

/* A statement that takes the same values and, of rows that are due, changes none. */
struct stmt *__real_db_use(struct db *db, size_t number);
struct stmt *__wrap_db_use(struct db *db, size_t number);
struct stmt *__wrap_db_use(struct db *db, size_t number)
{
	if (bugs_has(SETTLE_WITHOUT_CLAIM) && number == SQL_CLAIM)
		number = SQL_SETTLE_DONE;
	return __real_db_use(db, number);
}

/* ---- outcomes ---- */

enum queue_change __real_queue_settle(struct queue *q, const struct tried *row,
				      const struct outcome *outcome, int64_t now,
				      struct settle *out, char reason[REASON_MAX]);
enum queue_change __wrap_queue_settle(struct queue *q, const struct tried *row,
				      const struct outcome *outcome, int64_t now,
				      struct settle *out, char reason[REASON_MAX]);
enum queue_change __wrap_queue_settle(struct queue *q, const struct tried *row,
				      const struct outcome *outcome, int64_t now,
				      struct settle *out, char reason[REASON_MAX])
{
	enum queue_change change = __real_queue_settle(q, row, outcome, now, out, reason);

	if (bugs_has(FORGET_MAYBE_SENT))
		out->maybe_sent = false;
	if (bugs_has(RETRY_BY_COUNT) && out->state == DELIVERY_DUE &&
	    row->attempt >= TRIES_MAX) {
		out->state = DELIVERY_DEAD;
		out->reason = "gave up after 5 tries";
	}
	return change;
}

/* ---- order ---- */

struct place __real_order_place(struct store *s, int sink, int64_t now);
struct place __wrap_order_place(struct store *s, int sink, int64_t now);
struct place __wrap_order_place(struct store *s, int sink, int64_t now)
{
	struct place place = __real_order_place(s, sink, now);

	if (bugs_has(CLOSE_OVERTAKES) && place.state == DELIVERY_HELD)
		place = (struct place){ .state = DELIVERY_DUE, .due_at = now };
	return place;
}

/* ---- holds ---- */

bool __real_store_sinks(struct store *s, struct store_sink *sinks, size_t count,
			struct err *err);
bool __wrap_store_sinks(struct store *s, struct store_sink *sinks, size_t count,
			struct err *err);
bool __wrap_store_sinks(struct store *s, struct store_sink *sinks, size_t count,
			struct err *err)
{
	bool ok = __real_store_sinks(s, sinks, count, err);

	for (size_t i = 0; bugs_has(FORGET_HOLD) && i < count; i++)
		sinks[i].held_until = sinks[i].down_since = 0;
	return ok;
}

/* ---- routes ---- */

static const struct page_batch *rerouted;

static void route_anew(const struct intake *in, const struct alert *seen, struct step *step,
		       struct target *targets)
{
	const struct settings *s = in->roster->settings;
	struct route_target chosen[TARGETS_MAX];
	struct facts facts = { .alert = seen, .event = step->kind, .source = in->source->name };

	step->follow = false;
	step->targets = targets;
	step->target_count =
		route_choose(s->routes, s->route_count, &facts, chosen, s->sink_count);
	for (size_t i = 0; i < step->target_count; i++)
		targets[i] = (struct target){
			.sink = in->roster->sinks[chosen[i].sink].number,
			.route = in->roster->routes[chosen[i].route],
		};
}

static void decide_anew(void *arg, const struct known *known, const struct alert *seen,
			struct decision *out)
{
	static struct target targets[DECISION_STEPS_MAX][TARGETS_MAX];

	rerouted->decide(arg, known, seen, out);
	for (size_t i = 0; i < out->step_count; i++)
		if (out->steps[i].follow && out->steps[i].kind != EVENT_CHANGED)
			route_anew(arg, seen, &out->steps[i], targets[i]);
}

void bugs_route_anew(struct store *s, const struct page_batch *batch)
{
	struct page_batch copy = *batch;

	rerouted = batch;
	if (batch->decide != NULL)
		copy.decide = decide_anew;
	__real_store_page(s, &copy);
}

/* ---- the disk ---- */

int __real_sqlite3_exec(sqlite3 *db, const char *sql,
			int (*each)(void *, int, char **, char **), void *arg, char **error);
int __wrap_sqlite3_exec(sqlite3 *db, const char *sql,
			int (*each)(void *, int, char **, char **), void *arg, char **error);
int __wrap_sqlite3_exec(sqlite3 *db, const char *sql,
			int (*each)(void *, int, char **, char **), void *arg, char **error)
{
	static const char full[] = "synchronous = FULL", normal[] = "synchronous=NORMAL";
	char *copy = mem_strdup(sql), *at = strstr(copy, full);

	if (bugs_has(SYNC_NORMAL) && at != NULL)
		memcpy(at, normal, strlen(full));
	int code = __real_sqlite3_exec(db, copy, each, arg, error);

	mem_free(&copy);
	return code;
}
