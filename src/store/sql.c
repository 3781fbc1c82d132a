/*
 * sql: the texts. Those of intake and of the turn find their rows by key or by one index each,
 * in order, without a scan or a sort; a test holds them to it.
 *
 * `state = 'due'` must stand in the text and not come as a parameter: only so does SQLite see
 * that the partial index holds every row that is asked for.
 */
#include "store/sql.h"

#include "store/store.h"

/* What batches.c reads of one. */
#define BATCH \
	"SELECT id, sink, why, grp, count, listed, tally, people FROM batches b WHERE is_open "

/* SQL_LIST_MAX parameters, from ?4. */
#define LIST      "(?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19)"

#define ROW       "(?,?,?,'due',?)"
#define FOUR_ROWS ROW "," ROW "," ROW "," ROW

/*
 * In days, more than a row can be held for that reason: a silence lasts 366 at most, a repeat and
 * a step wait 30, a digest and quiet hours a week and the hour that a zone's clocks are changed
 * by, flapping seven, the others 24 hours.
 */
#define LONGEST                                                                               \
	"CASE reason WHEN 'silence' THEN 367 WHEN 'repeat' THEN 31 WHEN 'escalation' THEN 31" \
	" WHEN 'quiet' THEN 8 WHEN 'digest' THEN 8 WHEN 'flap' THEN 8 ELSE 2 END"

/* At ?1: held by a silence that is over, or by a clock that was ahead when the row was written. */
#define IN_VAIN                                                      \
	"held_until > ?1 AND (held_until > ?1 + 86400000 * " LONGEST \
	" OR reason = 'silence' AND grp NOT IN (SELECT id FROM silences WHERE until > ?1))"

const char *const sql_texts[SQL_COUNT] = {
	/* ---- names ---- */
	[SQL_SOURCE_ADD] = "INSERT OR IGNORE INTO sources (name) VALUES (?1)",
	[SQL_SOURCE_FIND] = "SELECT number FROM sources WHERE name = ?1",
	[SQL_SOURCE_RENAME] = "UPDATE OR IGNORE sources SET name = ?2 WHERE name = ?1",
	[SQL_SOURCE_BEGIN] = "UPDATE sources SET baseline_at = ?2"
			     " WHERE number = ?1 AND baseline_at IS NULL",
	[SQL_ROUTE_ADD] = "INSERT OR IGNORE INTO routes (name) VALUES (?1)",
	[SQL_ROUTE_FIND] = "SELECT number FROM routes WHERE name = ?1",
	[SQL_SOURCE_LOAD] = "SELECT org_id, order_seen, baseline_at, last_head_at,"
			    " last_sweep_at, last_full_at, head_at, head_cursor,"
			    " full_pages FROM sources WHERE number = ?1",
	[SQL_SOURCE_SAVE] = "UPDATE sources SET org_id = ?2, order_seen = ?3, baseline_at = ?4,"
			    " last_head_at = ?5, last_sweep_at = ?6, last_full_at = ?7,"
			    " head_at = ?8, head_cursor = ?9, full_pages = ?10"
			    " WHERE number = ?1",
	[SQL_SINK_TYPE] = "SELECT type FROM sinks WHERE name = ?1",
	[SQL_SINK_NAME] = "SELECT name FROM sinks WHERE number = ?1",
	[SQL_SINK_RENAME] = "UPDATE OR IGNORE sinks SET name = ?2 WHERE name = ?1",
	[SQL_SINK_HEIR] = "UPDATE sinks SET heir = ?2, is_moving = 1"
			  " WHERE name = ?1 AND heir IS NOT ?2",
	[SQL_SOURCE_PRUNED] = "SELECT pruned_at FROM sources WHERE number = ?1",
	[SQL_SINK_PUT] = "INSERT INTO sinks (name, type, is_collapse, is_present)"
			 " VALUES (?1, ?2, ?3, 1) ON CONFLICT (name) DO UPDATE SET"
			 " type = excluded.type, is_collapse = excluded.is_collapse,"
			 " is_present = 1, heir = NULL",
	[SQL_SINK_LOAD] = "SELECT number, held_until, down_since, held_total_ms, reason,"
			  " paused_at, released_at FROM sinks WHERE name = ?1",
	[SQL_SINK_LIST] = "SELECT number, is_present, is_collapse, heir, is_moving FROM sinks",
	[SQL_SINKS_ABSENT] = "UPDATE sinks SET is_present = 0",
	[SQL_SINK_FIND] = "SELECT number FROM sinks WHERE name = ?1",
	[SQL_SINK_MOVING] = "UPDATE sinks SET is_moving = 1 WHERE number = ?1",
	[SQL_SINKS_MOVED] = "UPDATE sinks SET is_moving = 0 WHERE is_moving",
	[SQL_SINK_HURRY] = "UPDATE deliveries SET due_at = ?2"
			   " WHERE sink = ?1 AND state = 'due' AND due_at > ?2"
			   " AND attempt > 0",
	[SQL_RECOVER] = "UPDATE deliveries SET maybe_sent = 1, due_at = min(due_at, ?1),"
			" state = CASE WHEN (SELECT is_present FROM sinks WHERE number = sink)"
			" THEN 'due' ELSE 'orphaned' END WHERE state = 'claimed'",
	[SQL_HEIRS_MOVING] = "UPDATE sinks SET is_moving = 1 WHERE heir IS NOT NULL",

	/* ---- crashes ---- */
	[SQL_CRASH_COUNT] = "INSERT INTO crashes (delivery, source, alert, hash, count, at,"
			    " reason, version) VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7)"
			    " ON CONFLICT DO UPDATE SET count ="
			    " CASE version WHEN excluded.version THEN count + 1 ELSE 1 END,"
			    " at = excluded.at, reason = excluded.reason,"
			    " version = excluded.version",
	[SQL_CRASH_FIND] = "SELECT count, at FROM crashes WHERE delivery = ?1 AND source = ?2"
			   " AND alert = ?3 AND hash = ?4",
	[SQL_CRASH_TELL] = "UPDATE deliveries SET reason = ?2 WHERE id = ?1",
	[SQL_CRASHED_ALERTS] = "SELECT alert, hash, reason FROM crashes WHERE delivery = 0"
			       " AND source = ?1 AND version = ?2 AND count >= ?3",

	/* ---- adopt ---- */
	[SQL_ROWS_FROM] =
		"SELECT id, state FROM deliveries WHERE id >= ?1 ORDER BY id LIMIT ?2",
	[SQL_ORPHAN] = "UPDATE deliveries SET state = 'orphaned' WHERE id = ?1"
		       " AND (state = 'due' OR state = 'held' AND after IS NOT NULL)"
		       " AND held_until IS NULL",
	/* A row does not age while its sink is gone, so its first try counts anew. */
	[SQL_RETURN] = "UPDATE deliveries SET first_attempt_at = NULL, held_base_ms = NULL,"
		       " state = CASE WHEN after IS NULL THEN 'due' ELSE 'held' END"
		       " WHERE id = ?1 AND state = 'orphaned'",
	[SQL_ROW_MARK] = "UPDATE deliveries SET maybe_sent = 1 WHERE id = ?1",

	/* ---- intake ---- */
	[SQL_ALERT_ADD] =
		"INSERT OR IGNORE INTO alerts (source, id, hash, content, status,"
		" severity, state, episode, seq, last_event, unended_from,"
		" created_at, first_seen_at, written_at, resolved_at)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, 1, ?8, ?8, ?9, ?10, ?10, ?11)",
	[SQL_ALERT_FIND] =
		"SELECT number, hash, content, status, severity, state, episode, seq,"
		" last_event, unended_from, created_at, resolved_at, written_at,"
		" flap_since, flap_count FROM alerts WHERE source = ?1 AND id = ?2",
	[SQL_ALERT_SAVE] =
		"UPDATE alerts SET hash = ?2, content = ?3, status = ?4,"
		" severity = ?5, state = ?6, episode = ?7, seq = ?8, last_event = ?9,"
		" unended_from = ?10, created_at = ?11, written_at = ?12,"
		" resolved_at = ?13, body = ?14, flap_since = ?15, flap_count = ?16"
		" WHERE number = ?1",
	[SQL_EVENT_LAST] = "SELECT max(id) FROM events",
	[SQL_EVENT_ADD] = "INSERT INTO events (id, alert, source, prev, episode, seq, kind,"
			  " is_first, at, body, context, wait_until)"
			  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
	[SQL_EVENT_CONTEXT] = "SELECT context FROM events WHERE id = ?1",
	[SQL_WAITING_UNTIL] = "SELECT min(wait_until) FROM events"
			      " WHERE source = ?1 AND wait_until IS NOT NULL",
	[SQL_WAITING_SOURCE] =
		"SELECT number, name FROM sources WHERE number > ?1 AND EXISTS (SELECT 1"
		" FROM events WHERE source = number AND wait_until IS NOT NULL)"
		" ORDER BY number LIMIT 1",
	[SQL_WAITING_LIST] = "SELECT id FROM events WHERE source = ?1"
			     " AND wait_until IS NOT NULL AND id > ?2 ORDER BY id LIMIT ?3",
	[SQL_WAITING_READ] = "SELECT e.prev, e.episode, e.kind, e.is_first, e.at, e.wait_until,"
			     " a.unended_from, e.body, a.flap_since, a.flap_count, e.context"
			     " FROM events e JOIN alerts a ON a.number = e.alert"
			     " WHERE e.id = ?1 AND e.wait_until IS NOT NULL",
	[SQL_WAITING_OVER] = "UPDATE events SET context = ?2, wait_until = NULL WHERE id = ?1",
	[SQL_EVENT_LINK] = "SELECT prev, episode, kind FROM events WHERE id = ?1",
	[SQL_ROWS_OF_EVENT] = "SELECT id, route, state, due_at, after, maybe_sent,"
			      " progress IS NOT NULL, reason, attempt, held_until, grp,"
			      " CASE WHEN rank IS NOT NULL THEN batch END FROM deliveries"
			      " WHERE id >= ?1 AND id < ?2 ORDER BY id",
	[SQL_ROWS_HEARD] = "SELECT id FROM deliveries WHERE id >= ?1 AND id < ?2"
			   " AND (state = 'done' OR maybe_sent)",
	[SQL_ROWS_ADDRESSED] =
		"SELECT id FROM deliveries WHERE id >= ?1 AND id < ?2"
		" AND NOT (state = 'dropped' AND reason = '" STORE_NO_RECIPIENT "')",
	[SQL_ROW_ADD] = "INSERT INTO deliveries (id, sink, route, state, due_at, reason, after,"
			" ended_at, held_until, grp, hold, hold_until)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?9)",
	[SQL_ROWS_ADD] =
		"INSERT INTO deliveries (id, sink, route, state, due_at) VALUES " FOUR_ROWS
		"," FOUR_ROWS "," FOUR_ROWS "," FOUR_ROWS,
	[SQL_ROW_DOUBT] = "UPDATE deliveries SET maybe_sent = 1 WHERE id = ?1",
	[SQL_REJECT_ADD] = "INSERT OR IGNORE INTO rejects (source, hash, reason, body,"
			   " first_seen_at, count) VALUES (?1, ?2, ?3, ?4, ?5, 1)",
	[SQL_REJECT_AGAIN] = "UPDATE rejects SET count = count + 1"
			     " WHERE source = ?1 AND hash = ?2",

	/* ---- missing ---- */
	[SQL_MISSING_ANY] = "SELECT 1 FROM missing WHERE source = ?1 LIMIT 1",
	[SQL_MISSING_COUNT] = "SELECT count(*), min(look_at) FROM missing WHERE source = ?1",
	[SQL_MISSING_FOUND] = "DELETE FROM missing WHERE source = ?1 AND alert = ?2",
	/* One that waits longer than any wait was stored by a clock that has jumped back. */
	[SQL_MISSING_DUE] = "SELECT alert, absences FROM missing WHERE source = ?1"
			    " AND (look_at <= ?2 OR look_at > ?3)",
	[SQL_MISSING_AGAIN] = "UPDATE missing SET absences = ?3, look_at = ?4"
			      " WHERE source = ?1 AND alert = ?2",
	[SQL_MISSING_ADD] = "INSERT OR IGNORE INTO missing (source, alert, since, absences,"
			    " look_at) VALUES (?1, ?2, ?3, ?4, ?5)",
	[SQL_ALERT_VANISH] = "UPDATE alerts SET state = 'vanished', written_at = ?2"
			     " WHERE number = ?1 AND state = 'active'",
	[SQL_ALERTS_ACTIVE] =
		"SELECT number FROM alerts WHERE source = ?1 AND state = 'active'",
	[SQL_ACTIVE_BODIES] = "SELECT coalesce(a.body, e.body) FROM alerts a"
			      " LEFT JOIN events e ON e.id = a.last_event"
			      " WHERE a.source = ?1 AND a.state = 'active'",

	/* ---- order ---- */
	[SQL_ANY_WAITING] = "SELECT 1 FROM deliveries WHERE after IS NOT NULL LIMIT 1",
	[SQL_WAITING_FIND] = "SELECT id FROM deliveries WHERE after = ?1 LIMIT 1",
	[SQL_WAITING_RELEASE] =
		"UPDATE deliveries SET after = NULL,"
		" due_at = CASE WHEN held_until IS NULL THEN ?2 ELSE due_at END,"
		" reason = CASE WHEN held_until IS NULL THEN NULL ELSE reason END,"
		" state = CASE WHEN state = 'held' AND held_until IS NULL THEN 'due'"
		" ELSE state END WHERE id = ?1",
	[SQL_HASTEN] = "UPDATE deliveries SET due_at = ?2"
		       " WHERE id = ?1 AND state = 'due' AND due_at > ?2",
	[SQL_WAITING_MOVE] = "UPDATE deliveries SET after = ?2 WHERE id = ?1",
	[SQL_ROW_END] = "UPDATE deliveries SET state = ?2, reason = ?3, ended_at = ?4,"
			" after = NULL, held_until = NULL, rank = NULL,"
			" maybe_sent = maybe_sent | (state = 'done') WHERE id = ?1",
	[SQL_ROW_HOLD] = "UPDATE deliveries SET held_until = ?2, grp = ?3, reason = ?4,"
			 " hold = ?4, hold_until = ?2 WHERE id = ?1 AND state = 'held'",
	[SQL_ROW_FREE] = "UPDATE deliveries SET held_until = NULL, batch = NULL, rank = NULL,"
			 " grp = NULL, due_at = ?2,"
			 " reason = CASE WHEN after IS NULL THEN NULL ELSE 'behind' END,"
			 " state = CASE WHEN after IS NULL THEN ?3 ELSE 'held' END"
			 " WHERE id = ?1 AND (state = 'held' OR state = 'due')",

	/* ---- holds ---- */
	[SQL_HELD_DUE] = "SELECT id, route, reason, after, due_at, grp FROM deliveries"
			 " WHERE held_until <= ?1 ORDER BY held_until, id LIMIT ?2",
	[SQL_HELD_NEXT] = "SELECT held_until FROM deliveries WHERE held_until IS NOT NULL"
			  " ORDER BY held_until LIMIT 1",
	[SQL_RIPE_EVENT] = "SELECT e.source, e.kind, max(coalesce(s.last_sweep_at, 0),"
			   " coalesce(s.last_full_at, 0)), e.body, e.context FROM events e"
			   " LEFT JOIN sources s ON s.number = e.source WHERE e.id = ?1",
	[SQL_OPEN_STILL] = "SELECT e.kind, a.status, a.state, a.episode = e.episode"
			   " FROM events e JOIN alerts a ON a.number = e.alert WHERE e.id = ?1",
	[SQL_SILENCE_DROPPED] = "UPDATE silences SET dropped = dropped + 1 WHERE id = ?1",
	[SQL_HELD_IN_VAIN] = "SELECT 1 FROM deliveries WHERE " IN_VAIN " LIMIT 1",
	[SQL_HELD_IN_VAIN_END] = "UPDATE deliveries SET held_until = ?1 WHERE id IN"
				 " (SELECT id FROM deliveries WHERE " IN_VAIN " LIMIT ?2)",
	[SQL_GROUP_FIND] = "SELECT until, count, is_on, over, within_ms FROM groups"
			   " WHERE key = ?1",
	[SQL_GROUP_PUT] = "INSERT OR REPLACE INTO groups (key, until, count, is_on, over,"
			  " within_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[SQL_GROUP_DROP] = "DELETE FROM groups WHERE key = ?1",
	/* All of a group wait until the same moment, and few others do. */
	[SQL_GROUP_HURRY] = "UPDATE deliveries SET held_until = ?3"
			    " WHERE held_until = ?2 AND grp = ?1",

	/* ---- batches ---- */
	[SQL_BATCH_FORMING] =
		BATCH "AND state = 'forming' AND sink = ?1 AND why = ?2 AND grp = ?3"
		      " AND people = ?4 LIMIT 1",
	[SQL_BATCH_FORMING_ALSO] = "SELECT 1 FROM batches WHERE is_open AND state = 'forming'"
				   " AND sink = ?1 AND why = ?2 AND grp = ?3 LIMIT 1",
	[SQL_BATCH_ANY_FORMING] = BATCH "AND state = 'forming' LIMIT 1",
	[SQL_BATCH_UNSENT] =
		BATCH "AND id = ?1 AND (state = 'forming' OR state = 'waiting'"
		      " AND EXISTS (SELECT 1 FROM deliveries d WHERE d.id = b.leader"
		      " AND d.attempt = 0))",
	[SQL_BATCH_NOTED] = "SELECT id, sink, why, grp, count, listed, tally, people, made_at"
			    " FROM batches WHERE is_open AND state = 'noted' AND sink = ?1"
			    " AND why = ?2 AND grp = 0 AND people = ?3 LIMIT 1",
	[SQL_BATCH_STATE] = "UPDATE batches SET state = ?2, made_at = ?3 WHERE id = ?1",
	[SQL_BATCH_ADD] = "INSERT INTO batches (sink, why, grp, state, is_open, count, listed,"
			  " made_at, people) VALUES (?1, ?2, ?3, 'forming', 1, 0, ?4, ?5, ?6)",
	[SQL_BATCH_COUNT] = "UPDATE batches SET count = ?2, tally = ?3 WHERE id = ?1",
	[SQL_BATCH_DROP] = "DELETE FROM batches WHERE id = ?1",
	[SQL_BATCH_LEAD] = "UPDATE deliveries SET state = ?3, due_at = ?2, held_until = NULL,"
			   " reason = NULL WHERE id = ?1",
	[SQL_BATCH_WAITS] = "UPDATE batches SET state = 'waiting', leader = ?2, made_at = ?3,"
			    " storm = ?4, rest = ?5 WHERE id = ?1",
	[SQL_BATCH_FIND] = "SELECT why, storm, rest, listed FROM batches WHERE id = ?1",
	[SQL_BATCH_ENDS] = "UPDATE batches SET state = ?2, reason = ?3, handle = ?4,"
			   " status = ?5, moved_to = ?6 WHERE id = ?1",
	[SQL_BATCH_OVER] = "UPDATE batches SET is_open = 0, tally = NULL WHERE id = ?1",
	[SQL_BATCH_ANY_ENDING] =
		"SELECT id, state, reason, handle, status, moved_to FROM batches WHERE is_open"
		" AND state IN ('done', 'dead', 'moved', 'dropped', 'split') LIMIT 1",
	[SQL_MEMBERS] = "SELECT id, route, maybe_sent FROM deliveries WHERE batch = ?1"
			" AND rank >= 0 ORDER BY rank DESC, id LIMIT ?2",
	[SQL_MEMBER_SET] = "UPDATE deliveries SET batch = ?2, rank = ?3, held_until = NULL,"
			   " after = NULL WHERE id = ?1",
	[SQL_MEMBER_PART] = "UPDATE deliveries SET batch = NULL, rank = NULL WHERE id = ?1",
	[SQL_MEMBER_OVER] = "UPDATE deliveries SET rank = NULL WHERE id = ?1",
	[SQL_MEMBER_DONE] = "UPDATE deliveries SET state = 'done', ended_at = ?2, status = ?3,"
			    " handle = coalesce(?4, handle), reason = NULL, rank = NULL"
			    " WHERE id = ?1",
	[SQL_MEMBERS_DOUBT] = "UPDATE deliveries SET maybe_sent = 1 WHERE batch = ?1"
			      " AND rank >= 0",
	[SQL_MEMBERS_DOUBT_CLAIMED] =
		"UPDATE deliveries SET maybe_sent = 1 WHERE rank >= 0 AND batch IN"
		" (SELECT b.id FROM batches b JOIN deliveries d ON d.id = b.leader"
		" WHERE b.is_open AND b.state = 'waiting' AND d.state = 'claimed')",

	/* ---- turn ---- */
	/* OR FAIL here and in SQL_CLAIM: what fails undoes the transaction anyway, so SQLite need not
	 * copy each page beforehand to undo the statement alone. */
	[SQL_SETTLE_DONE] =
		"UPDATE OR FAIL deliveries SET state = 'done', ended_at = ?1, status = ?2,"
		" reason = ?3 WHERE id IN " LIST " AND state = 'claimed'",
	[SQL_SETTLE_ONE] =
		"UPDATE deliveries SET state = ?2, due_at = coalesce(?3, due_at),"
		" reason = ?4, maybe_sent = maybe_sent | ?5, attempt = attempt - ?6,"
		" handle = coalesce(?7, handle), progress = coalesce(?8, progress),"
		" status = coalesce(?9, status), ended_at = ?10,"
		" first_attempt_at = CASE WHEN ?11 THEN NULL ELSE first_attempt_at END,"
		" held_base_ms = CASE WHEN ?11 THEN NULL ELSE held_base_ms END"
		" WHERE id = ?1 AND state = 'claimed'",
	[SQL_ATTEMPT_ADD] = "INSERT INTO attempts (delivery, n, at, took_ms, verdict, status,"
			    " answer) SELECT ?1, coalesce(max(n), 0) + 1, ?2, ?3, ?4, ?5, ?6"
			    " FROM attempts WHERE delivery = ?1",
	[SQL_ATTEMPT_TRIM] = "DELETE FROM attempts WHERE delivery = ?1 AND n <="
			     " (SELECT max(n) FROM attempts WHERE delivery = ?1) - ?2",
	[SQL_HOLD] = "UPDATE sinks SET held_until = ?2, down_since = ?3, held_total_ms = ?4,"
		     " reason = ?5 WHERE number = ?1 AND paused_at IS NULL",
	[SQL_DUE_NEXT] = "SELECT due_at FROM deliveries WHERE sink = ?1 AND state = 'due'"
			 " ORDER BY due_at LIMIT 1",
	[SQL_DUE_ROWS] =
		"SELECT id, route, attempt, maybe_sent, first_attempt_at, held_base_ms,"
		" progress, CASE WHEN rank IS NOT NULL THEN batch END FROM deliveries WHERE sink = ?1 AND state = 'due'"
		" AND due_at <= ?2 ORDER BY due_at, id LIMIT ?3",
	[SQL_DUE_AFTER] = "SELECT due_at, id FROM deliveries WHERE sink = ?1 AND state = 'due'"
			  " AND (due_at, id) > (?2, ?3) ORDER BY due_at, id LIMIT ?4",
	[SQL_CLAIM] = "UPDATE OR FAIL deliveries SET state = 'claimed', attempt = attempt + 1,"
		      " claimed_at = ?1, claimed_by = ?2,"
		      " first_attempt_at = coalesce(first_attempt_at, ?1),"
		      " held_base_ms = coalesce(held_base_ms, ?3) WHERE id IN " LIST,
	[SQL_CLAIM_EVENT] =
		"SELECT source, kind, episode, seq, is_first, at, prev, body, context"
		" FROM events WHERE id = ?1",
	[SQL_CLAIM_HANDLE] = "SELECT handle FROM deliveries WHERE id >= ?1 AND id < ?2"
			     " AND handle IS NOT NULL ORDER BY id DESC LIMIT 1",

	/* ---- operator ---- */
	[SQL_SINK_PAUSE] = "UPDATE sinks SET held_total_ms = held_total_ms"
			   " + coalesce(max(?2 - down_since, 0), 0),"
			   " paused_at = coalesce(paused_at, ?2), down_since = NULL,"
			   " held_until = NULL, reason = ?3 WHERE name = ?1",
	[SQL_SINK_RELEASE] = "UPDATE sinks SET held_total_ms = held_total_ms"
			     " + coalesce(max(?2 - coalesce(paused_at, down_since), 0), 0),"
			     " released_at = max(?2, coalesce(released_at, 0) + 1),"
			     " paused_at = NULL, down_since = NULL, held_until = NULL,"
			     " reason = NULL WHERE name = ?1",
	[SQL_ROW_FIND] = "SELECT state, after, route, maybe_sent, progress IS NOT NULL,"
			 " due_at, attempt, CASE WHEN rank IS NOT NULL THEN batch END,"
			 " held_until FROM deliveries WHERE id = ?1",
	[SQL_ALERT_OF_EVENT] = "SELECT a.last_event, a.unended_from, a.episode FROM events e"
			       " JOIN alerts a ON a.number = e.alert WHERE e.id = ?1",
	[SQL_ORDINAL_LAST] = "SELECT max(id) & 4095 FROM deliveries WHERE id >= ?1 AND id < ?2",

	/* ---- tally ---- */
	[SQL_TALLY_HELD] = "SELECT after, id FROM deliveries WHERE after IS NOT NULL"
			   " AND (after, id) > (?1, ?2) ORDER BY after, id LIMIT ?3",
	[SQL_TALLY_TIMED] = "SELECT held_until, id FROM deliveries WHERE held_until IS NOT NULL"
			    " AND after IS NULL AND (held_until, id) > (?1, ?2)"
			    " ORDER BY held_until, id LIMIT ?3",
	[SQL_TALLY_BATCHES] = "SELECT sink, sum(count - (state = 'waiting')) FROM batches"
			      " WHERE is_open GROUP BY sink",
	[SQL_TALLY_DUE] = "SELECT due_at, id FROM deliveries WHERE sink = ?1 AND state = 'due'"
			  " AND due_at > ?2 ORDER BY due_at, id LIMIT ?3",
	[SQL_TALLY_DUE_TIED] =
		"SELECT due_at, id FROM deliveries WHERE sink = ?1 AND state = 'due'"
		" AND due_at = ?2 AND id > ?3 ORDER BY id LIMIT ?4",
	[SQL_TALLY_DEAD] = "SELECT 0, id FROM deliveries WHERE sink = ?1 AND state = 'dead'"
			   " AND id > ?2 ORDER BY id LIMIT ?3",
	/* ---- audit ---- */
	[SQL_AUDIT_ROWS] =
		"SELECT id, sink, state, due_at, reason, after, held_until, claimed_at,"
		" claimed_by, ended_at, rank, (SELECT 1 FROM events e WHERE e.id = d.id >> 27),"
		" (SELECT o.state FROM deliveries o WHERE o.id = d.after)"
		" FROM deliveries d WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3",
	[SQL_AUDIT_KEYS] = "SELECT id FROM deliveries WHERE id >= ?1 AND id < ?2",
	[SQL_AUDIT_MOVED_AT] = "SELECT max(ended_at) FROM deliveries"
			       " WHERE id >= ?1 AND id < ?2 AND state = 'moved'",
	[SQL_AUDIT_EVENTS] =
		"SELECT id FROM events WHERE id >= ?1 AND id <= ?2 ORDER BY id LIMIT ?3",
	[SQL_AUDIT_ALERT] = "SELECT a.id FROM events e JOIN alerts a ON a.number = e.alert"
			    " WHERE e.id = ?1",

	/* ---- prune ---- */
	[SQL_PRUNE_EVENTS] =
		"SELECT e.id, e.source, e.prev, e.episode, e.at, a.number, a.state, a.status,"
		" a.episode, a.last_event, a.written_at, a.created_at"
		" FROM events e LEFT JOIN alerts a ON a.number = e.alert"
		" WHERE e.id > ?1 ORDER BY e.id LIMIT ?2",
	[SQL_PRUNE_YOUNG] = "SELECT 1 FROM deliveries WHERE id >= ?1 AND id < ?2"
			    " AND (ended_at IS NULL OR ended_at >= ?3) LIMIT 1",
	[SQL_PRUNE_ATTEMPTS] = "DELETE FROM attempts WHERE delivery >= ?1 AND delivery < ?2",
	[SQL_PRUNE_ROWS] = "DELETE FROM deliveries WHERE id >= ?1 AND id < ?2",
	[SQL_PRUNE_EVENT] = "DELETE FROM events WHERE id = ?1",
	[SQL_PRUNE_ALERTS] =
		"SELECT number, source, state, status, last_event, written_at, created_at,"
		" first_seen_at FROM alerts WHERE number > ?1 ORDER BY number LIMIT ?2",
	[SQL_PRUNE_ALERT] = "DELETE FROM alerts WHERE number = ?1",
	[SQL_PRUNED_AT] = "UPDATE sources SET pruned_at = max(coalesce(pruned_at, 0), ?2)"
			  " WHERE number = ?1",
	[SQL_PRUNE_REJECTS] = "SELECT source, hash, first_seen_at FROM rejects"
			      " WHERE (source, hash) > (?1, ?2) ORDER BY source, hash LIMIT ?3",
	[SQL_PRUNE_REJECT] = "DELETE FROM rejects WHERE source = ?1 AND hash = ?2",
	[SQL_PRUNE_BATCHES] = "DELETE FROM batches WHERE id IN (SELECT id FROM batches"
			      " WHERE made_at < ?1 AND NOT is_open ORDER BY id LIMIT ?2)",
	[SQL_PRUNE_GROUPS] = "DELETE FROM groups WHERE key IN (SELECT key FROM groups"
			     " WHERE until < ?1 LIMIT ?2)",
	[SQL_PRUNE_SILENCES] = "DELETE FROM silences WHERE id IN (SELECT id FROM silences"
			       " WHERE until < ?1 ORDER BY id LIMIT ?2)",

	/* ---- directory ---- */
	[SQL_DIRECTORY_FIND] = "SELECT number, hash, gone_at, body <> '' FROM directory"
			       " WHERE source = ?1 AND kind = ?2 AND id = ?3",
	[SQL_DIRECTORY_ADD] = "INSERT INTO directory (source, kind, id, hash, place, body)"
			      " VALUES (?1, ?2, ?6, ?3, ?4, ?5)",
	[SQL_DIRECTORY_CHANGE] = "UPDATE directory SET hash = ?3, place = ?4, body = ?5,"
				 " gone_at = NULL WHERE number = ?1",
	[SQL_DIRECTORY_STEP] = "SELECT number FROM directory WHERE source = ?1 AND kind = ?2"
			       " AND gone_at IS NULL AND number > ?3 ORDER BY number LIMIT ?4",
	[SQL_DIRECTORY_GO] = "UPDATE directory SET gone_at = ?2 WHERE number = ?1",
	[SQL_DIRECTORY_FORGET] = "DELETE FROM directory WHERE source = ?1 AND kind = ?2"
				 " AND gone_at < ?3",
	[SQL_DIRECTORY_BODY] = "SELECT body, gone_at FROM directory"
			       " WHERE source = ?1 AND kind = ?2 AND id = ?3",
	[SQL_DIRECTORY_ASK] = "INSERT OR IGNORE INTO directory (source, kind, id, hash,"
			      " gone_at, body) VALUES (?1, ?2, ?3, 0, ?4, '')",
	[SQL_DIRECTORY_BUDGETS] = "SELECT body FROM directory WHERE source = ?1 AND place = ?2"
				  " AND place IS NOT NULL AND gone_at IS NULL ORDER BY number",
	[SQL_DIRECTORY_ALL_BUDGETS] = "SELECT body FROM directory WHERE source = ?1"
				      " AND place IS NOT NULL AND gone_at IS NULL"
				      " ORDER BY number LIMIT 1000",
	[SQL_MIRRORED_PUT] = "INSERT INTO mirrored (source, kind, at, count)"
			     " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET"
			     " at = excluded.at, count = excluded.count",
	[SQL_MIRRORED_GET] = "SELECT at, count FROM mirrored WHERE source = ?1 AND kind = ?2",

	/* ---- silences ---- */
	[SQL_SILENCE_ADD] = "INSERT INTO silences (matchers, since, until, comment, who)"
			    " VALUES (?1, ?2, ?3, ?4, ?5)",
	[SQL_SILENCE_FIND] = "SELECT until FROM silences WHERE id = ?1",
	[SQL_SILENCE_END] = "UPDATE silences SET until = ?2 WHERE id = ?1",
	[SQL_SILENCES_COUNT] = "SELECT count(*) FROM silences WHERE until > ?1",
	[SQL_SILENCES] = "SELECT id, since, until, matchers FROM silences"
			 " WHERE until > ?1 ORDER BY id",
	/* An id is new with each that is added, and an end only ever comes earlier. */
	[SQL_SILENCES_STAMP] = "SELECT coalesce(max(id), 0), coalesce(sum(until), 0)"
			       " FROM silences",

	/* ---- runtime ---- */
	[SQL_RUNTIME_PUT] = "INSERT INTO runtime (id, at, json) VALUES (1, ?1, ?2)"
			    " ON CONFLICT (id) DO UPDATE SET at = excluded.at,"
			    " json = excluded.json",
	[SQL_DATA_VERSION] = "PRAGMA data_version",
};
